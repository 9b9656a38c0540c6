"""Alias groups: which of many surveyed values hold mutable data in common."""

from __future__ import annotations

from collections.abc import Sequence

from elastictm.values.survey import Survey


def partition(surveys: Sequence[Survey]) -> list[list[int]]:
    """The indices of the surveys, those together that share an object or overlapping memory, in order."""
    parent = list(range(len(surveys)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def unite(i: int, j: int) -> None:
        i, j = sorted((root(i), root(j)))
        parent[j] = i

    owner: dict[int, int] = {}
    for i, survey in enumerate(surveys):
        for key in survey.objects.keys() & owner.keys():
            unite(i, owner[key])
        owner.update(dict.fromkeys(survey.objects, i))
    end, last = -1, -1
    for start, stop, i in sorted((start, stop, i) for i, survey in enumerate(surveys) for start, stop in survey.spans):
        if start < end:
            unite(i, last)
        if stop > end:
            end, last = stop, i
    groups: dict[int, list[int]] = {}
    for i in range(len(surveys)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())
