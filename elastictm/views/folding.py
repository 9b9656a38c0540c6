"""Which rows and lanes of a picture fold, so that what weighs most stays in sight."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from elastictm.views.scene import Lane, Row

MOST_ROWS: Final = 80
"""Rows up to which nothing folds, and to which more of them fold where that is possible."""

MOST_LANES: Final = 32
"""Lanes of variables up to which none of them fold."""

_FEWEST: Final = 3
"""Rows that are worth a fold."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Fold:
    """The rows, or the lanes, from ``first`` to ``last``, which are one while it is closed; ``what`` says of what."""

    first: int
    last: int
    what: str

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Places:
    """Where rows or lanes lie among those that are seen.

    ``of`` has the place of each, that of its fold where that is closed; ``folds`` the place of each fold.
    """

    of: tuple[int, ...]
    folds: tuple[int, ...]
    count: int


def places(count: int, folds: Sequence[Fold], opened: Collection[int] = ()) -> Places:
    """Place so many rows or lanes, all folds closed but some; an open one stands before what is in it."""
    begins = {fold.first: i for i, fold in enumerate(folds)}
    of: list[int] = []
    heads: list[int] = []
    at = 0
    i = 0
    while i < count:
        k = begins.get(i)
        if k is None:
            of.append(at)
            i, at = i + 1, at + 1
            continue
        size = len(folds[k])
        heads.append(at)
        of += [at + 1 + j for j in range(size)] if k in opened else [at] * size
        at += 1 + (size if k in opened else 0)
        i += size
    return Places(tuple(of), tuple(heads), at)


def fold_rows(rows: Sequence[Row], most: int = MOST_ROWS) -> tuple[Fold, ...]:
    """Fold runs of small cells, as small as suffices; what failed or is notable never folds."""
    if len(rows) <= most:
        return ()
    seconds = sum(row.run.seconds for row in rows) or 1.0
    size = sum(record.size for row in rows for record in row.run.writes) or 1
    weights = [row.run.seconds / seconds + sum(r.size for r in row.run.writes) / size for row in rows]
    firm = [row.notable for row in rows]
    steps = sorted({weight for weight, stays in zip(weights, firm, strict=True) if not stays})

    def folds(step: int) -> list[Fold]:
        light_enough = [not stays and w <= steps[step] for w, stays in zip(weights, firm, strict=True)]
        return list(_runs(light_enough))

    def shown(step: int) -> int:
        return len(rows) - sum(len(fold) - 1 for fold in folds(step))

    # The more may fold, the fewer rows are left.
    found = bisect_left(range(len(steps)), -most, key=lambda step: -shown(step))
    return tuple(folds(min(found, len(steps) - 1))) if steps else ()


def _runs(flags: Sequence[bool]) -> Iterator[Fold]:
    at = 0
    for flag, group in groupby(flags):
        count = len(list(group))
        if flag and count >= _FEWEST:
            yield Fold(at, at + count - 1, "small cells")
        at += count


def light(names: Sequence[_Key], weights: Mapping[_Key, float], firm: Collection[_Key]) -> list[_Key]:
    """The names that fold so that few enough are left: those that weigh least, in their order."""
    excess = len(names) - MOST_LANES
    if excess <= 0:
        return []
    chosen = set(sorted((name for name in names if name not in firm), key=lambda name: weights[name])[: excess + 1])
    return [name for name in names if name in chosen]


_TITLES: Final = {"import": "imports", "small": "small", "result": "results"}


def fold_lanes(lanes: Sequence[Lane]) -> tuple[Fold, ...]:
    """Fold imports, displayed results, and small variables where there are many; lanes of a kind stand together."""
    found: list[Fold] = []
    at = 0
    for kind, group in groupby(lane.kind for lane in lanes):
        count = len(list(group))
        if kind in _TITLES and count > 1:
            found.append(Fold(at, at + count - 1, _TITLES[kind]))
        at += count
    return tuple(found)
