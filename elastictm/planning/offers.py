"""Versions that are dead in the state wanted, but whose bytes a store has: which of them may be loaded.

Bytes lie in units: groups that were frozen as a whole at one state, so that versions of one unit share what they shared
then.  ``build`` says why the rules below suffice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun
from elastictm.planning.bonds import joined

_ELSEWHERE = -1
"""The unit of what is not in the store: it is in place, or in an archive."""

_Pair = tuple[Version, Version]

Offering: TypeAlias = Literal["all", "safe", "free"]
"""Which dead versions may be loaded: all for which that is sound; those of which loading keeps nothing from being had,
since all that was ever in a group with them can be loaded from the same unit; or those that bind nothing."""


@dataclass(frozen=True, slots=True)
class Offers:
    """The dead versions that may be loaded, and the alias groups, as they were recorded, that any of them was in.

    ``bound`` are those that shared data or hold what a cell defined, so that loading them binds others.
    """

    versions: Collection[Version] = frozenset()
    bound: Collection[Version] = frozenset()
    groups: Sequence[frozenset[Version]] = ()

    def pairs(self, loads: Collection[Version], among: Collection[Version]) -> Iterator[_Pair]:
        """The pairs of which the second must be re-run if the first is.

        Of two that were in one group, the younger is not loaded beside the older made anew; it may be the other way
        round.  Each is bound to the next in order only, and that one to those that follow it.

        Args:
            loads: All versions that have bytes.
            among: The versions that a plan may come to need.
        """
        for group in self.groups:
            members = sorted((v for v in group if v in among), key=_age)
            offered = [v for v in members if v in self.versions]
            if not offered:
                continue
            lasting = [v for v in members if v in loads and v not in self.versions and v.n >= offered[0].n]
            yield from _upwards([v for v in members if v not in self.versions], offered)
            yield from _upwards(offered, lasting)
            yield from pairwise(lasting)
            for older, younger in pairwise(offered):
                yield older, younger
                if older.n == younger.n:
                    yield younger, older


def offers(
    history: HistoryView, loads: Collection[Version], units: Mapping[Version, int], offering: Offering
) -> Offers:
    """The dead versions that may be loaded.

    Versions that were in one group at any time, and may be loaded, all lie in one unit.  Where they do not, those that
    are alive at the end come first, then those of the latest unit.

    Args:
        history: The session's history, to the state wanted.
        loads: All versions that have bytes.
        units: The unit in which each version of the store lies; later ones have greater numbers.
        offering: Which of them.
    """
    live = {record.version for record in history.live.values()}
    dead = [v for v in loads if v not in live and v in units]
    if not dead:
        return Offers()
    groups = _groups(history.runs, dead)
    tied = frozenset().union(*groups)
    bound = frozenset(v for v in dead if v in tied or history.record(v).definitions)
    if offering == "free":
        return Offers(frozenset(dead) - bound)
    of: dict[Version, list[int]] = {}
    for place, group in enumerate(groups):
        for version in group:
            of.setdefault(version, []).append(place)
    unit: dict[int, int] = {}
    found: set[Version] = set()
    # A version that is alive at the end is where it is, whatever others are.
    for version in (v for v in loads if v in live):
        for place in of.get(version, ()):
            mine = units.get(version, _ELSEWHERE)
            unit[place] = mine if unit.get(place, mine) == mine else _ELSEWHERE
    for version in sorted(dead, key=lambda v: (-units[v], v)):
        places = of.get(version, ())
        if all(unit.get(place, units[version]) == units[version] for place in places):
            unit.update(dict.fromkeys(places, units[version]))
            found.add(version)
    if offering == "safe":
        whole = frozenset().union(*(group for group in joined(groups) if _is_whole(group, history, loads, units)))
        found -= bound - whole
    return Offers(found, bound & found, tuple(group for group in groups if not found.isdisjoint(group)))


def _is_whole(
    group: Collection[Version], history: HistoryView, loads: Collection[Version], units: Mapping[Version, int]
) -> bool:
    """Whether all of it can be loaded from one unit, and nothing in it was defined by a cell."""
    lying = {units.get(version, _ELSEWHERE) if version in loads else _ELSEWHERE for version in group}
    return len(lying) == 1 and _ELSEWHERE not in lying and not any(history.record(v).definitions for v in group)


def _groups(runs: Iterable[CellRun], dead: Iterable[Version]) -> list[frozenset[Version]]:
    """The alias groups that any of some versions was in at any time."""
    some = set(dead)
    found = (frozenset(group) for run in runs for group in run.groups)
    return list(dict.fromkeys(group for group in found if not some.isdisjoint(group)))


def _upwards(versions: Iterable[Version], others: Sequence[Version]) -> Iterator[_Pair]:
    """Each version with the first of the others that is no older."""
    for version in versions:
        place = bisect_left(others, version.n, key=_age)
        if place < len(others):
            yield version, others[place]


def _age(version: Version) -> RunNumber:
    return version.n
