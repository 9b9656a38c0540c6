"""Alias groups: which of many surveyed values hold mutable data in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from elastictm.values.reducers.arrays import OWNERS
from elastictm.values.reducers.buffers import address
from elastictm.values.surveyed import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elastictm.values.survey import Survey


_CANNOT_CHANGE: Final = (tuple, frozenset)


def partition(surveys: Sequence[Survey]) -> list[list[int]]:
    """The indices of the surveys, those together that share an object or memory that can be written, in order."""
    clusters = _Clusters(len(surveys))
    owner: dict[int, int] = {}
    for i, survey in enumerate(surveys):
        for key in survey.objects.keys() & owner.keys():
            # A tuple ties nothing itself: what it holds has been met as well.
            if type(survey.objects[key]) not in _CANNOT_CHANGE:
                clusters.unite(i, owner[key])
        owner.update(dict.fromkeys(survey.objects, i))
    foreign = any(span.foreign for survey in surveys for span in survey.spans)
    _unite_overlapping([(*survey.spans, *(owned(survey) if foreign else ())) for survey in surveys], clusters)
    return clusters.listed()


def owned(survey: Survey) -> tuple[Span, ...]:
    """The memory of objects of Python's own, which makes it anew wherever it is loaded."""
    return tuple(_span_of(held) for held in survey.objects.values() if type(held) in OWNERS and len(held))


def parted(surveys: Sequence[Survey]) -> list[int]:
    """The indices of surveys whose values use the memory of such objects through a library that cannot say so."""
    if not any(span.foreign for survey in surveys for span in survey.spans):
        return []
    held = [span for survey in surveys for span in owned(survey)]
    return [i for i, survey in enumerate(surveys) if any(_meet(span, held) for span in survey.spans if span.foreign)]


def _meet(span: Span, held: Sequence[Span]) -> bool:
    return any(span.start < other.stop and other.start < span.stop for other in held)


def _span_of(held: Any) -> Span:
    start = address(held)
    return Span(start, start + memoryview(held).nbytes)


class _Clusters:
    """Disjoint sets of the first so many numbers."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def unite(self, i: int, j: int) -> None:
        """Put two numbers, and all that are with them, together."""
        i, j = sorted((self._root(i), self._root(j)))
        self._parent[j] = i

    def listed(self) -> list[list[int]]:
        """The sets, in order of their first members."""
        found: dict[int, list[int]] = {}
        for i in range(len(self._parent)):
            found.setdefault(self._root(i), []).append(i)
        return list(found.values())

    def _root(self, i: int) -> int:
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i


def _unite_overlapping(spans: Sequence[Sequence[Span]], clusters: _Clusters) -> None:
    """Unite what uses overlapping memory; two that never write it are not tied by it."""
    order = sorted((span.start, span.stop, span.fixed, i) for i, own in enumerate(spans) for span in own)
    written_end = any_end = -1
    written_by = -1
    still: list[tuple[int, int]] = []
    for start, stop, fixed, i in order:
        if start < written_end:
            clusters.unite(i, written_by)
        if not fixed and start < any_end:
            for other_stop, other in still:
                if start < other_stop:
                    clusters.unite(i, other)
        if fixed:
            still = [(end, other) for end, other in still if end > start]
            still.append((stop, i))
        elif stop > written_end:
            written_end, written_by = stop, i
        any_end = max(any_end, stop)
