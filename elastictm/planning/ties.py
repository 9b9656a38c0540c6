"""What cell runs need beyond what they read, because names share data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.records import CellRun, Lapse


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a cell run needs in place, and which versions must be re-run with others where it runs again."""

    needs: tuple[Version, ...]
    follows: tuple[tuple[Version, Version], ...] = ()


def inputs(runs: Iterable[CellRun], lapses: Iterable[Lapse], stored: Collection[Version]) -> list[Inputs]:
    """What each cell run needs to see again what it saw.

    - What it read.
    - A name that it deleted must be there.
    - A name that shares data with one that it read, and has another version after it, was changed through that one: it
      must be there to show the change.
    - Two inputs that shared data must share it again.  If one is re-run, the other must not be loaded; and neither must
      an input be loaded that shares data with what the cell run makes, if that is wanted anew.
    """
    lapsed: dict[RunNumber, set[Name]] = {}
    for lapse in lapses:
        lapsed.setdefault(lapse.n, set()).update(lapse.names)
    found: list[Inputs] = []
    alive: dict[Name, RunNumber] = {}
    group_of: dict[Name, tuple[Version, ...]] = {}
    for run in runs:
        shared = [u for u in run.reads if u.name in group_of] if group_of else []
        if shared or run.deletes or run.groups:
            needs = _needs(run, shared, alive, group_of)
            follows = (*_seen_together(needs, group_of, stored), *_made_from(run, needs, stored))
            found.append(Inputs(needs, follows))
        else:
            found.append(Inputs(run.reads))
        for name in run.deletes:
            alive.pop(name, None)
            group_of.pop(name, None)
        for record in run.writes:
            alive[record.name] = record.n
            group_of.pop(record.name, None)
        for group in run.groups:
            for version in group:
                group_of[version.name] = group
        for name in lapsed.get(run.n, ()):
            alive.pop(name, None)
            group_of.pop(name, None)
    return found


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


def _seen_together(
    needs: Sequence[Version], group_of: Mapping[Name, tuple[Version, ...]], stored: Collection[Version]
) -> list[tuple[Version, Version]]:
    """Of inputs that share data, those that could be loaded follow the others and each other."""
    together: dict[int, list[Version]] = {}
    for version in needs:
        if version.name in group_of:
            together.setdefault(id(group_of[version.name]), []).append(version)
    pairs: list[tuple[Version, Version]] = []
    for members in together.values():
        loadable = [v for v in members if v in stored]
        if loadable and len(members) > 1:
            pairs += [(v, loadable[0]) for v in members if v not in stored]
            pairs += [(v, loadable[i - 1]) for i, v in enumerate(loadable) if len(loadable) > 1]
    return pairs


def _made_from(run: CellRun, needs: Sequence[Version], stored: Collection[Version]) -> list[tuple[Version, Version]]:
    """Inputs that could be loaded follow the versions made from them that share their data."""
    pairs: list[tuple[Version, Version]] = []
    loadable = {v for v in needs if v in stored}
    if loadable:
        for group in run.groups:
            sources = [v for v in group if v in loadable]
            if sources:
                # One source will do: those of one group have been seen together.
                pairs += [(v, sources[0]) for v in group if v.n == run.n]
    return pairs
