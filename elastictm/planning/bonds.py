"""Which live versions that share data must come back together, and where loading some beside re-runs is as good."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from elastictm.ids import RunNumber, Version
from elastictm.planning.past import Past

Group = frozenset[Version]
_NOTHING: Group = frozenset()


@dataclass(frozen=True, slots=True)
class Bonds:
    """How the alias groups of a state are bound.

    ``groups`` are to be re-run all or none.
    ``fixed`` maps a version that is loaded if it is had at all, because it or one that it shares data with cannot be
    re-run or comes out differently, to what has no bytes, is not younger, and once shared data with it.
    ``beside`` maps some of these to what may be re-run all the same.
    ``released`` maps a version that a re-run makes differently, and that may be re-run for all that, to one of its
    group that has no bytes: the two can only come back together.
    ``chosen`` are fixed although all that they share data with could be re-run.
    """

    groups: tuple[Group, ...]
    fixed: Mapping[Version, Collection[Version]]
    beside: Mapping[Version, Collection[Version]]
    released: Mapping[Version, Version]
    chosen: Collection[Version] = frozenset()

    def permits(self, made: Version, loaded: Version) -> bool:
        """Whether a version may be re-run while one that it shared data with is loaded.

        Whatever a younger version shares with an older one it got from its own inputs, since the older one was in place
        then and is unchanged: made again beside the loaded one, it shares data with that again.  That holds unless its
        inputs are made from something that shared the data before the older one was made.
        """
        before = self.fixed.get(loaded)
        if before is None or made.n <= loaded.n:
            return False
        return not before or made in self.beside.get(loaded, ())


def bonds(
    groups: Sequence[Group],
    past: Past,
    unlike: Mapping[RunNumber, str],
    stuck: Collection[RunNumber],
    *,
    apart: bool = False,
) -> Bonds:
    """Bind the alias groups of the live state.

    All members of a group are stored or re-run together, with one exception.  Where a member has no bytes and another
    cannot be re-run, or comes out differently, the older ones are fixed if all of them have bytes, and the younger ones
    may be re-run beside them.

    Args:
        groups: The alias groups of the state.
        past: What is known of the session.
        unlike: The cell runs that would give another result, each with the reason.
        stuck: The cell runs that cannot run again.
        apart: Whether what is older than all members without bytes is fixed in any case.
    """
    whole = joined(groups)
    tied = frozenset().union(*whole)
    held = {v for v in past.loads if v.n in stuck or past.comes_otherwise(v, unlike)}
    chosen = frozenset().union(*(_before_bare(group, past) for group in whole)) - held if apart else _NOTHING
    held |= chosen
    older = {group: _older(group, held, past) for group in whole}
    fixed = _suspects(past, (held - tied).union(*older.values()).difference(past.astray))
    beside: dict[Version, set[Version]] = {}
    for group, part in older.items():
        before = {v for u in part for v in fixed[u]}
        if before and part != group:
            made = _makes(group - part, past)
            if made & before:
                older[group] = frozenset()
                for version in part:
                    del fixed[version]
            else:
                beside.update(dict.fromkeys(part, made))
    released: dict[Version, Version] = {}
    for group, part in older.items():
        bare = min((v for v in group if v not in past.loads and v.n not in stuck), default=None)
        if bare is not None and not part and not any(v in past.astray for v in group):
            released.update((v, bare) for v in group if v in past.loads and v.n in unlike)
    left = (group - part for group, part in older.items())
    return Bonds(tuple(group for group in left if len(group) > 1), fixed, beside, released, chosen)


def joined(groups: Iterable[Group]) -> list[Group]:
    """The groups, those that overlap as one: a name can be left in a group that others have gone on from."""
    group_of: dict[Version, set[Version]] = {}
    for group in groups:
        joined = set(group)
        for version in group:
            if version in group_of and group_of[version] is not joined:
                joined |= group_of[version]
                group_of.update(dict.fromkeys(group_of[version], joined))
        group_of.update(dict.fromkeys(joined, joined))
    return list(dict.fromkeys(map(frozenset, {id(group): group for group in group_of.values()}.values())))


def _before_bare(group: Group, past: Past) -> Group:
    """The members that are older than all members without bytes; none where all have bytes."""
    first = min((v.n for v in group if v not in past.loads), default=None)
    return _NOTHING if first is None else frozenset(v for v in group if v.n < first)


def _older(group: Group, held: Collection[Version], past: Past) -> Group:
    """The members to be loaded, because of the ``held`` ones, whatever becomes of the others."""
    last = max((v.n for v in group if v in held), default=None)
    if last is None or any(v in past.astray for v in group):
        return frozenset()
    if all(v in past.loads for v in group):
        return group
    older = frozenset(v for v in group if v.n <= last)
    return older if all(v in past.loads for v in older) else frozenset()


def _suspects(past: Past, fixed: Iterable[Version]) -> dict[Version, Group]:
    """For each fixed version, what has no bytes, is not younger, and once shared data with it."""
    found = dict.fromkeys(fixed, _NOTHING)
    for run in past.runs:
        for group in run.groups:
            bare = [v for v in group if v not in past.loads]
            if bare:
                for version in group:
                    if version in found:
                        before = {v for v in bare if v.n <= version.n}
                        if not before <= found[version]:
                            found[version] |= before
    return found


def _makes(young: Iterable[Version], past: Past) -> set[Version]:
    """All that is made to re-run ``young`` with all loaded that has bytes, themselves included."""
    seen: set[Version] = set()
    left = list(young)
    while left:
        version = left.pop()
        if version not in seen:
            seen.add(version)
            left += [u for u in past.needs(version.n) if u not in past.loads]
    return seen
