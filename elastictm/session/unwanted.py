"""What the user wants no bytes kept of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from elastictm.ids import Name
from elastictm.model.texts import counted
from elastictm.model.tree import StateTree
from elastictm.session.gaps import ranges


class Unwanted:
    """Objects, and names of variables, that no bytes are kept of."""

    def __init__(self) -> None:
        self._what: dict[int, object] = {}

    def add(self, what: Iterable[object]) -> None:
        """Want no bytes of these from now on."""
        self._what.update({id(each): each for each in what})

    def has(self, name: Name, value: Any) -> bool:
        """Whether a variable is among them, by its name or as an object."""
        named = any(isinstance(each, str) and each == name for each in self._what.values())
        return named or (id(value) in self._what and self._what[id(value)] is value)

    def names(self) -> tuple[str, ...]:
        """The names among them, in order."""
        return tuple(sorted({each for each in self._what.values() if isinstance(each, str)}))

    def listed(self) -> str:
        """All that is left out, in words."""
        names = self.names()
        others = sum(1 for each in self._what.values() if not isinstance(each, str))
        parts = [*names, *([counted(others, "object")] if others else [])]
        return f"no bytes are kept of: {', '.join(parts) or 'nothing; all is kept'}"


def told(what: Iterable[object], alive: Collection[Name], tree: StateTree) -> Iterator[str]:
    """What leaving out each of these names does; what has no name is not spoken of."""
    for name in (each for each in what if isinstance(each, str)):
        if name in alive:
            line = f"{name}: no bytes of it are kept from now on"
        else:
            line = f"{name}: there is no such variable now; should there be one, no bytes of it are kept"
        before = [s.n for s in tree if s.n not in tree.forgotten and any(r.name == name for r in s.run.writes)]
        if before:
            line += f"; what it was after cell{'s' * (len(before) > 1)} {ranges(before)} may be kept: "
            line += f"del {name} and then %past clear take that away"
        yield line
