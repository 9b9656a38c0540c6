"""The futures of a session by their names, and which wait for which."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from elastictm.errors import UsageError
from elastictm.session.futures.future import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elastictm.session.futures.future import Future


class Roster:
    """The futures of a session, in the order in which they began; any thread may ask.

    ``lock`` is held by those who change how a future stands.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._futures: dict[str, Future] = {}

    def all(self) -> list[Future]:
        """All of them."""
        with self.lock:
            return list(self._futures.values())

    def add(self, future: Future) -> None:
        """Have a future, in the place of one of its name."""
        with self.lock:
            self._futures.pop(future.name, None)
            self._futures[future.name] = future

    def remove(self, future: Future) -> None:
        """Have it no more."""
        with self.lock:
            self._futures.pop(future.name, None)

    def known(self, names: Iterable[str]) -> list[Future]:
        """Those of some names that are there."""
        with self.lock:
            return [self._futures[name] for name in names if name in self._futures]

    def find(self, name: str) -> Future:
        """The future with a name.

        Raises:
            UsageError: there is none.
        """
        with self.lock:
            if name in self._futures:
                return self._futures[name]
            known = ", ".join(self._futures) or "none"
        raise UsageError(f"there is no future {name!r}; there are: {known}")

    def free(self, name: str) -> str:
        """A name for a new future: this one, or one that is given if it is empty.

        Raises:
            UsageError: it is no name, or that of a future that would be lost.
        """
        with self.lock:
            if not name:
                return next(free for i in itertools.count(1) if (free := f"future{i}") not in self._futures)
            if not NAME.match(name):
                raise UsageError(f"a future's name is a word of letters, digits, - and _, not {name!r}")
            known = self._futures.get(name)
        if known is not None and not known.ended:
            raise UsageError(
                f"there is a future {name} already, and it is {known.status}: %future cancel {name} ends it"
            )
        if known is not None and known.status == "finished" and not known.taken:
            raise UsageError(
                f"there is a future {name} already, and what it made was not taken: %future take {name} brings it in, "
                f"%future forget {name} lets it go"
            )
        return name

    def line(self, names: Sequence[str]) -> list[Future]:
        """Futures that one waits for, and before each those that it was to wait for.

        Raises:
            UsageError: one is not there.
        """
        found: dict[str, Future] = {}
        for name in names:
            future = self.find(name)
            found.update({each.name: each for each in self.line(future.record.after)})
            found[name] = future
        return list(found.values())
