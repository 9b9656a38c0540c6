"""What the user wants no bytes kept of, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from elastictm.ids import Name
from elastictm.model.tree import StateTree
from elastictm.session.gaps import ranges


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


def listed(what: Iterable[object]) -> str:
    """All that is left out."""
    names = sorted({each for each in what if isinstance(each, str)})
    others = sum(1 for each in what if not isinstance(each, str))
    parts = [*names, *([f"{others} object{'s' * (others > 1)}"] if others else [])]
    return f"no bytes are kept of: {', '.join(parts) or 'nothing; all is kept'}"
