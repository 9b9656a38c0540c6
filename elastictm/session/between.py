"""Between the cells: what may change variables that is no cell run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from elastictm.session.host import Host, variables
from elastictm.session.lingering import Lingering
from elastictm.session.reach import reach
from elastictm.session.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elastictm.ids import Name
    from elastictm.model.names import CodeNames
    from elastictm.session.tracked import Variables


@dataclass(slots=True)
class Outside:
    """What may have changed the variables between cells.

    ``names`` were changed, or used by code that is no cell run, ``inner`` by such code that the running cell ran;
    ``everything`` tells that nobody knows what ran.
    """

    names: frozenset[Name] = frozenset()
    inner: frozenset[Name] = frozenset()
    everything: bool = False

    def __bool__(self) -> bool:
        """Whether anything is known to have happened since the last cell run ended."""
        return bool(self.names) or self.everything

    def reasons(self, changed: frozenset[Name]) -> Iterator[str]:
        """Why a cell run that changed these names cannot be repeated."""
        if self.everything:
            yield "something ran beside the cells"
        elif self.names & changed:
            yield f"changed outside of cells: {', '.join(sorted(self.names & changed)[:5])}"


class Between:
    """Follows what runs beside cells and between them.

    Responsibilities:
    - find what changed since the last cell run ended, and whether by code that is known;
    - follow threads, tasks and callbacks that cells leave behind.

    ``outside`` is what was found since a cell run was last recorded.
    """

    def __init__(self, host: Host, tracked: Variables) -> None:
        self.outside = Outside()
        self._host = host
        self._variables = tracked
        self._lingering = Lingering()
        self._waiting = Waiting(host.namespace, lambda: host.callbacks)

    def look(self) -> None:
        """Note what changed, or was in reach of callbacks, since the last cell run ended, and whether by known code."""
        moved = self._moved()
        self._waiting.before(self._identities)
        called = self._called()
        known = self.outside.names | called | self._waiting.names
        if moved - known - self.left_behind():
            self.outside.everything = True
        self.outside.names |= moved | called

    def begin(self) -> None:
        """A cell is about to run: what runs beside it now was not started by it."""
        self._lingering.before()

    def end(self, reached: frozenset[Name], used: frozenset[Name]) -> None:
        """A cell has run: what it left running may change what it reached, what waits to be called what it used."""
        self._lingering.after(reached)
        self._waiting.after(used, self._identities)

    def ran(self, names: CodeNames, *, inside: bool) -> None:
        """Code with these names has run that is no cell run, ``inside`` a cell that is still running."""
        found = reach(names.loads | names.deletes | names.stores, self._variables)
        used = frozenset(self._variables) if names.opaque or found.opaque else found.names
        if inside:
            self.outside.inner |= used
        else:
            self.outside.names |= used | self._moved()

    def left_behind(self) -> frozenset[Name]:
        """What threads and tasks that cells left running could reach since the last cell run ended."""
        return reach(self._lingering.names(), self._variables).names

    def _called(self) -> frozenset[Name]:
        """The variables that callbacks could come at since the last cell run ended."""
        if not (self._waiting.names or self._waiting.opaque):
            return frozenset()
        found = reach(self._waiting.names, self._variables)
        return frozenset(self._variables) if found.opaque or self._waiting.opaque else found.names

    def _identities(self) -> dict[int, Name]:
        return {self._variables[name].identity: name for name in self._variables}

    def _moved(self) -> frozenset[Name]:
        """The names that are not bound as they were when the last cell run ended."""
        now = variables(self._host)
        known = self._variables
        moved = {name for name in known if name not in now or id(now[name]) != known[name].identity}
        return frozenset(moved | (now.keys() - set(known)))
