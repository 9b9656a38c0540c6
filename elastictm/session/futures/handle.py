"""A future for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from elastictm.errors import FutureFailed
from elastictm.ids import Name

if TYPE_CHECKING:
    from elastictm.model.futures import FutureStatus
    from elastictm.session.futures.future import Future
    from elastictm.session.futures.futures import Futures
    from elastictm.session.futures.output import Event


_COLOURS: Final = re.compile("\x1b\\[[0-9;]*m")


class FutureHandle:
    """A cell that runs aside, by its name."""

    def __init__(self, futures: Futures, name: str) -> None:
        """UsageError: there is none of this name."""
        self._futures = futures
        self._future: Future = futures.find(name)

    def __repr__(self) -> str:
        return f"<future {self.name}: {self.status}>"

    @property
    def name(self) -> str:
        """What it is called."""
        return self._future.name

    @property
    def status(self) -> FutureStatus:
        """``waiting``, ``running``, ``finished``, ``failed`` or ``cancelled``."""
        return self._future.status

    @property
    def output(self) -> str:
        """What it put out so far, as text without colours."""
        readers = (self._future.output(i) for i in range(len(self._future.runs)))
        return "".join(_text(event) for reader in readers for event in reader.new())

    @property
    def vars(self) -> Mapping[str, Any]:
        """The variables that it made, each loaded when it is looked at; of many runs, dicts from their values."""
        return _Variables(self._futures, self._future)

    def result(self, timeout: float | None = None) -> Any:
        """Wait, and give what the last line of the cell gave; of many runs, a dict from their values.

        Args:
            timeout: How many seconds to wait at most; None for as long as it takes.

        Raises:
            TimeoutError: it has not ended by then; it goes on.
            FutureFailed: it raised, was ended, or cancelled.
            StateNotKept: what it gave could not be stored, or does not load.
        """
        self._futures.wait(self.name, timeout)
        future, taking = self._future, self._futures.taking
        failed = next((run for run in future.runs if run.status != "finished"), None)
        if failed is not None:
            case = f" with {failed.case}" if failed.case else ""
            how = f"has failed: {failed.why}" if failed.why else "was cancelled"
            raise FutureFailed(f"{self.name}{case} {how}")
        taking.note(future)
        shown = taking.shown(future)
        return dict(zip(taking.gathering(future).keys(), shown, strict=True)) if future.many else shown[0]

    def cancel(self) -> None:
        """End it, whatever it is doing."""
        self._futures.cancel(self.name)


class _Variables(Mapping[str, Any]):
    """The variables that a future made."""

    def __init__(self, futures: Futures, future: Future) -> None:
        self._futures = futures
        self._future = future
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._future.made():
            raise KeyError(name)
        self._futures.taking.note(self._future)
        if name not in self._loaded:
            self._loaded[name] = self._futures.taking.gathering(self._future).variables([Name(name)])[Name(name)]
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._future.made())

    def __len__(self) -> int:
        return len(self._future.made())


def _text(event: Event) -> str:
    match event.kind:
        case "stream":
            return event.text
        case "error":
            return _COLOURS.sub("", "\n".join(event.lines)) + "\n"
        case "clear":
            return ""
        case _:
            return f"{event.data.get('text/plain', '')}\n"
