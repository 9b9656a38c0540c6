"""Alias groups: which of many surveyed values hold mutable data in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
    _unite_overlapping(surveys, clusters)
    return clusters.listed()


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


def _unite_overlapping(surveys: Sequence[Survey], clusters: _Clusters) -> None:
    """Unite what uses overlapping memory; two that never write it are not tied by it."""
    order = sorted((span.start, span.stop, span.fixed, i) for i, survey in enumerate(surveys) for span in survey.spans)
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
