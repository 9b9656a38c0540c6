"""Which live versions that share data must come back together, and where loading some beside re-runs is as good."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from elastictm.ids import RunNumber, Version
from elastictm.planning.past import Past

Group = frozenset[Version]


@dataclass(frozen=True, slots=True)
class Bonds:
    """How the alias groups of a state are bound.

    ``groups`` are to be re-run all or none.
    ``fixed`` may be loaded although others of their group are re-run, and must not be re-run.
    ``released`` maps a version that a re-run makes differently, and that may be re-run for all that, to one of its
    group that has no bytes: the two can only come back together.
    """

    groups: tuple[Group, ...]
    fixed: frozenset[Version]
    released: dict[Version, Version]


def bonds(groups: Sequence[Group], past: Past, unlike: Collection[RunNumber], stuck: Collection[RunNumber]) -> Bonds:
    """Bind the alias groups of the live state.

    All members of a group are stored or re-run together, with one exception.  Where a member has no bytes and another
    cannot be re-run, or comes out differently, the older ones are fixed if all of them have bytes: a younger one gets
    whatever it shares with them from its own inputs, as it did when it was made, since they were in place then and are
    unchanged.  That holds unless its re-run would make anew something that shared data with a fixed member before that
    member was made.

    Args:
        groups: The alias groups of the state.
        past: What is known of the session.
        unlike: The cell runs that would give another result.
        stuck: The cell runs that cannot run again.
    """
    mixed = [group for group in groups if _is_mixed(group, past)]
    fixed = _fixed(mixed, past, unlike, stuck)
    released: dict[Version, Version] = {}
    for group in mixed:
        bare = min((v for v in group if v not in past.loads and v.n not in stuck), default=None)
        if bare is not None and not group & fixed:
            released.update((v, bare) for v in group if v in past.loads and v.n in unlike)
    left = (group - fixed for group in groups)
    return Bonds(tuple(group for group in left if len(group) > 1), fixed, released)


def _is_mixed(group: Group, past: Past) -> bool:
    """Whether some have bytes and some have none, and nothing changed them outside of cells."""
    return len({v in past.loads for v in group}) > 1 and not any(v in past.astray for v in group)


def _fixed(mixed: Iterable[Group], past: Past, unlike: Collection[RunNumber], stuck: Collection[RunNumber]) -> Group:
    """The older members that may be loaded beside re-runs of the younger."""
    older: dict[Group, Group] = {}
    for group in mixed:
        last = max((v.n for v in group if v in past.loads and (v.n in unlike or v.n in stuck)), default=RunNumber(-1))
        part = frozenset(v for v in group if v.n <= last)
        if part and all(v in past.loads for v in part):
            older[group] = part
    suspects = _suspects(past, frozenset().union(*older.values())) if older else {}
    fixed: set[Version] = set()
    for group, part in older.items():
        before = {v for u in part for v in suspects.get(u, ())}
        if not (before and _makes(group - part, before, past)):
            fixed |= part
    return frozenset(fixed)


def _suspects(past: Past, fixed: Group) -> dict[Version, set[Version]]:
    """For each fixed version, what has no bytes, is not younger, and once shared data with it."""
    found: dict[Version, set[Version]] = {}
    for run in past.runs:
        for group in run.groups:
            for held in (v for v in group if v in fixed):
                found.setdefault(held, set()).update(v for v in group if v not in past.loads and v.n <= held.n)
    return found


def _makes(young: Iterable[Version], suspects: set[Version], past: Past) -> bool:
    """Whether re-running ``young``, with all loaded that has bytes, makes one of the suspects anew."""
    seen: set[Version] = set()
    left = list(young)
    while left:
        version = left.pop()
        if version in suspects:
            return True
        if version not in seen:
            seen.add(version)
            left += [u for u in past.needs(version.n) if u not in past.loads]
    return False
