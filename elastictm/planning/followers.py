"""Which versions must be re-run with others, because a cell run saw them share data."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from elastictm.ids import Version
from elastictm.planning.bonds import Bonds
from elastictm.planning.ties import Inputs

Pair = tuple[Version, Version]


def followers(inputs: Inputs, stored: Collection[Version], bound: Bonds) -> Iterator[Pair]:
    """The pairs of which the second must be re-run if the first is, for the sake of one cell run.

    Two inputs that shared data must share it again: if one is re-run, the other must not be loaded.  Neither must an
    input be loaded that shares data with what the cell run makes, if that is wanted anew.  Where it is known that a
    version may be re-run beside a loaded one, the two are free of each other.
    """
    first: dict[Version, Version] = {}
    for members in inputs.shared:
        free = [v for v in members if v in stored and v not in bound.fixed]
        first.update(dict.fromkeys(free, free[0]) if free else {})
        yield from ((v, free[i - 1]) for i, v in enumerate(free) if len(free) > 1)
        if free:
            yield from ((v, free[0]) for v in members if v not in stored)
        yield from _beside(members, members, bound)
    for makes, sources in inputs.made:
        # Of those that shared data before, one will do: the others follow it.
        free = list(dict.fromkeys(first.get(v, v) for v in sources if v in stored and v not in bound.fixed))
        yield from ((v, source) for v in makes for source in free)
        yield from _beside(makes, sources, bound)


def _beside(versions: Sequence[Version], others: Sequence[Version], bound: Bonds) -> Iterator[Pair]:
    """The pairs with a fixed version beside which the first may not be re-run; fixed ones never are."""
    for fixed in others:
        if fixed in bound.fixed:
            for version in versions:
                if version not in bound.fixed and not bound.permits(version, fixed):
                    yield version, fixed
