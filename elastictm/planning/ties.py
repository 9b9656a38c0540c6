"""What cell runs need beyond what they read, because names share data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.records import CellRun, Lapse


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a cell run needs in place, and what shared data then.

    ``shared`` are those of its needs that shared data before it ran, group by group.
    ``made`` pairs the versions that it made with those of its needs that shared data with them afterwards.
    """

    needs: tuple[Version, ...]
    shared: tuple[tuple[Version, ...], ...] = ()
    made: tuple[tuple[tuple[Version, ...], tuple[Version, ...]], ...] = ()


def inputs(runs: Iterable[CellRun], lapses: Iterable[Lapse]) -> list[Inputs]:
    """What each cell run needs to see again what it saw.

    - What it read.
    - A name that it deleted must be there.
    - A name that shares data with one that it read, and has another version after it, was changed through that one: it
      must be there to show the change.
    """
    lapsed: dict[RunNumber, set[Name]] = {}
    for lapse in lapses:
        lapsed.setdefault(lapse.n, set()).update(lapse.names)
    found: list[Inputs] = []
    ties = Ties()
    for run in runs:
        found.append(ties.take(run))
        ties.lose(lapsed.get(run.n, ()))
    return found


class Ties:
    """What is alive and what shares data, cell run by cell run."""

    def __init__(self) -> None:
        self.alive: dict[Name, RunNumber] = {}
        self._group_of: dict[Name, tuple[Version, ...]] = {}

    def fork(self) -> Ties:
        """The same, to go on with other cell runs."""
        other = Ties()
        other.alive, other._group_of = self.alive.copy(), self._group_of.copy()
        return other

    def take(self, run: CellRun) -> Inputs:
        """What the next cell run needs; it has run then."""
        alive, group_of = self.alive, self._group_of
        shared = [u for u in run.reads if u.name in group_of] if group_of else []
        if shared or run.deletes or run.groups:
            needs = _needs(run, shared, alive, group_of)
            found = Inputs(needs, _shared(needs, group_of), _made(run, needs))
        else:
            found = Inputs(run.reads)
        self.lose(run.deletes)
        for record in run.writes:
            alive[record.name] = record.n
            group_of.pop(record.name, None)
        for group in run.groups:
            for version in group:
                group_of[version.name] = group
        return found

    def lose(self, names: Iterable[Name]) -> None:
        """Some names are gone."""
        for name in names:
            self.alive.pop(name, None)
            self._group_of.pop(name, None)


def _needs(
    run: CellRun,
    shared: Iterable[Version],
    alive: Mapping[Name, RunNumber],
    group_of: Mapping[Name, tuple[Version, ...]],
) -> tuple[Version, ...]:
    """What it read, and the names that it deleted or changed without naming them."""
    names = [name for name in run.deletes if name in alive]
    touched = {id(group_of[u.name]) for u in shared}
    if touched:
        written = (record.name for record in run.writes)
        names += [name for name in written if name in alive and id(group_of.get(name)) in touched]
    if not names:
        return run.reads
    return tuple(dict.fromkeys((*run.reads, *(Version(name, alive[name]) for name in names))))


def _shared(needs: Sequence[Version], group_of: Mapping[Name, tuple[Version, ...]]) -> tuple[tuple[Version, ...], ...]:
    together: dict[int, list[Version]] = {}
    for version in needs:
        if version.name in group_of:
            together.setdefault(id(group_of[version.name]), []).append(version)
    return tuple(tuple(members) for members in together.values() if len(members) > 1)


def _made(run: CellRun, needs: Sequence[Version]) -> tuple[tuple[tuple[Version, ...], tuple[Version, ...]], ...]:
    found: list[tuple[tuple[Version, ...], tuple[Version, ...]]] = []
    needed = set(needs) if run.groups else set()
    for group in run.groups:
        sources = tuple(v for v in group if v in needed)
        makes = tuple(v for v in group if v.n == run.n)
        if makes and sources:
            found.append((makes, sources))
    return tuple(found)
