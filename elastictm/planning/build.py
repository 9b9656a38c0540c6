"""From a history to the problem of bringing its live state to another process.

**Why no other hazard of in-place changes is left.**  A version stands for a value that nothing changed until another
version of the same name came, so:

- What is loaded or kept is live, hence the last version of its name: whatever changed an earlier one ran before, and
  stands earlier in the plan.  A re-run cell that changed a live value in place after it was made would have given it a
  later version, and then that one would be live.
- What a re-run cell reads and changes is an earlier version, dead by then; it has no bytes, is made anew for the
  purpose, and no target shares it in its old form.
- A cell that changes a value through one name changes it under all names that share it; those count as read by that
  cell (``ties``), so all are in place, and all get their new versions from it.
- Inputs that shared data come both from one archive, where they share it still, or both from re-runs (``followers``).
- A name that is missing when a cell runs again is one that the cell did not read; a name that it deletes counts as
  read.  Whoever executes a plan takes away, before a cell runs, what was deleted or bound anew by then, so that a cell
  which found a name missing finds it missing again.
- A re-run cell may bind names that the plan does not want from it.  None of their earlier versions is wanted later:
  what is read later, or live, is a later version still.
- A cell that is run again for a class makes new class objects, so what holds the old ones is made anew (``displaces``).

**Why dead versions may be loaded too**, if a store has bytes of them (``offers``).  They serve as inputs, in place of
the cell that made them; unlike live ones they may be changed by cells that run again, and lend their data to what those
make.  Take one object in one of its contents, between two changes of it.  Nothing is parted if all that is in place at
a time, and had that object, has one copy of it.  Call two versions mates if a recorded group had both.  Which data two
versions share stays the same as long as both are alive, so those that share are mates: the younger one's cell run
recorded it.  Now let two versions of which one is dead at the end, or both made again, be in place together:

- Both are loaded: mates are offered only if all that may be loaded among them is in one unit, so it is one copy.
- One is loaded, the other re-run and no younger: forbidden (``Offers.pairs``).  Of the mates of a version that is
  re-run, none that is as old or younger is loaded.
- One is loaded, the other re-run and younger: its cell run did not change the object, since the loaded one has it
  unchanged.  So it came from one of the cell's inputs, which was in place beside the loaded one: by induction over the
  order of cell runs, it was the same copy.
- Both are re-run: by the same cell, from inputs that were in place together, or as something new; or the younger one
  got it from an input that was in place beside the older one.  Again it was one copy.

A cell run that changes the object needs all names that have it (``ties``), so all of them have the one copy, changed.
Live versions that are loaded give no data to what is re-run, nor stand beside it as inputs, for ``followers`` and
``bonds`` treat dead versions as if they had no bytes; what is permitted beside a fixed one is so without them as well.
A dead version in no group and without a class of the session binds nothing: loading it is as good as running its cell,
and a plan can only get better.  Where all that was ever in a group with it is in its unit, loading can take the place
of any re-run among them, so nothing is lost that could be had without.  Others can stand in the way of a re-run which
does not even use them, so plans with and without these are compared (``alternatives``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun
from elastictm.planning.bonds import Bonds, bonds
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.followers import followers
from elastictm.planning.offers import Offering, Offers, offers
from elastictm.planning.past import Past
from elastictm.planning.problem import CellTerm, Problem, VersionTerm
from elastictm.planning.repeats import immovable, obstacles, unsteady
from elastictm.planning.ties import inputs

__all__ = ["migration_problem", "transfer_seconds"]

_NO_FILES: Mapping[str, float] = MappingProxyType({})


def migration_problem(  # noqa: PLR0913 - what is to be had here, there, and wanted
    history: HistoryView,
    *,
    loads: Mapping[Version, float],
    allow_effects: bool = False,
    missing_files: Mapping[str, float] = _NO_FILES,
    runnable: Callable[[CellRun], str | None] | None = None,
    targets: frozenset[Version] | None = None,
    astray: Collection[Version] = frozenset(),
    groups: Sequence[frozenset[Version]] | None = None,
    hollow: Mapping[Version, str] = MappingProxyType({}),
    hash_seed: str | None = None,
    apart: bool = False,
    kept: Collection[Version] = frozenset(),
    units: Mapping[Version, int] = MappingProxyType({}),
    offering: Offering = "all",
) -> Problem:
    """What has to be decided to bring the live variables of a session elsewhere.

    Args:
        history: The session's history.
        loads: Seconds to store and to load each version that has bytes; see ``transfer_seconds``.  Dead ones among them
            serve as inputs of re-runs, where they have a unit and may be loaded.
        allow_effects: Whether cells may run again that write files, use the network or start processes.
        missing_files: Seconds to ship each file that is not at the target, infinite where that is impossible.
        runnable: Says why a cell run cannot run at the target; None where it can.
        targets: The live versions wanted; all where it is None. Others are loaded only as inputs of re-runs.
        astray: Live versions changed outside of recorded cells: their bytes alone are trusted.
        groups: The alias groups of the live versions where somebody has looked; the recorded ones where it is None.
        hollow: Live versions that come back without what was changed inside a module, each with the module's name.
        hash_seed: The hash seed that cells will run under, None where it is drawn anew.
        apart: Whether members of a group that have bytes are loaded where a younger one has none, and is made again
            beside them; otherwise they are re-run with it, unless they cannot be.
        kept: Live versions that are in place, whole groups of them: having them takes no time.
        units: The unit of a store in which each version lies; later ones have greater numbers.
        offering: Which dead versions may be loaded.  Where that binds others, it can be cheaper to do with fewer, or
            less may be lost; ``alternatives`` chooses.

    Raises:
        ValueError: Where a cost is negative or not a number.
    """
    runs = history.runs
    stored = {version: seconds for version, seconds in loads.items() if seconds != math.inf} | dict.fromkeys(kept, 0.0)
    alive = {record.version for record in history.live.values()}
    found = offers(history, stored, {v: n for v, n in units.items() if v not in kept}, offering)
    stored = {version: seconds for version, seconds in stored.items() if version in alive or version in found.versions}
    forbidden = obstacles(runs, allow_effects=allow_effects, runnable=runnable)
    place = {run.n: i for i, run in enumerate(runs)}
    past = Past(history, runs, inputs(runs, history.lapses), place, stored, astray, forbidden, hollow)
    settled = _settled(past, found, history.live_groups() if groups is None else groups, hash_seed, apart=apart)
    return _problem(settled, frozenset(alive) if targets is None else targets, missing_files, kept)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A past, the cell runs that cannot run again or would give another result, and the bonds of live versions.

    ``lasting`` is the past without the bytes of dead versions.
    """

    past: Past
    lasting: Past
    offered: Offers
    stuck: Collection[RunNumber]
    unlike: Mapping[RunNumber, str]
    bound: Bonds

    def differs(self, version: Version) -> bool:
        """Whether a re-run would make it differently."""
        return version.n in self.unlike and not self.past.same_again(version)

    def obstacle(self, version: Version) -> str:
        """Why a version that has bytes must not be re-run; empty where it may, or where its cell says why."""
        if version in self.past.astray:
            return "changed outside of recorded cells"
        if version in self.bound.released or version.n in self.stuck:
            return ""
        if self.past.comes_otherwise(version, self.unlike):
            return self.unlike[version.n]
        if version in self.bound.chosen:
            return "shares data with what can only be made again, beside it"
        return "shares data with what cannot be re-run" if version in self.bound.fixed else ""


def _settled(
    past: Past, offered: Offers, groups: Sequence[frozenset[Version]], hash_seed: str | None, *, apart: bool
) -> _Settled:
    """Find what another run would change, and what is bound to what.

    Each depends on the other: a version that may be re-run although it comes out differently makes the cells that read
    it unsteady too.
    """
    stuck = immovable(past)
    lasting = replace(past, loads={v: seconds for v, seconds in past.loads.items() if v not in offered.versions})
    remade: set[Version] = set()
    while True:
        unlike = unsteady(past, remade, hash_seed)
        bound = bonds(groups, lasting, unlike, stuck, apart=apart)
        dear = {v for v in past.loads if past.is_dear(v, unlike.get(v.n, ""))}
        if remade.issuperset(dear.union(bound.released)):
            return _Settled(past, lasting, offered, stuck, unlike, bound)
        remade |= dear.union(bound.released)


def _problem(
    settled: _Settled, targets: frozenset[Version], missing_files: Mapping[str, float], kept: Collection[Version]
) -> Problem:
    """All that the targets could need, found backwards from them."""
    past, bound = settled.past, settled.bound
    versions: dict[Version, VersionTerm] = {}
    cells: dict[RunNumber, CellTerm] = {}
    left = sorted(targets, reverse=True)
    while left:
        version = left.pop()
        if version in versions:
            continue
        load = past.loads.get(version)
        obstacle = "" if load is None else settled.obstacle(version)
        if obstacle:
            versions[version] = VersionTerm(
                version, None, load or 0.0, rerun_allowed=False, kept=version in kept, obstacle=obstacle
            )
            continue
        versions[version] = VersionTerm(
            version,
            version.n,
            math.inf if load is None else load,
            kept=version in kept,
            differs=settled.differs(version),
        )
        if version.n not in cells:
            cell = cells[version.n] = _cell(past, version.n, missing_files)
            left += cell.reads
    return Problem(
        versions=versions,
        cells=cells,
        ship={path: missing_files[path] for cell in cells.values() for path in cell.files},
        targets=targets,
        groups=tuple(group & targets for group in bound.groups if len(group & targets) > 1),
        follows=_follows(settled, versions, cells),
        displaces=_displaces(past, versions, cells),
        offers=frozenset(v for v in versions if v in settled.offered.bound),
    )


def _cell(past: Past, n: RunNumber, missing_files: Mapping[str, float]) -> CellTerm:
    if n in past.forbidden:
        return CellTerm(n, math.inf, (), obstacle=past.forbidden[n])
    run = past.runs[past.place[n]]
    files = tuple(dict.fromkeys(file.path for file in run.files if file.path in missing_files)) if run.files else ()
    return CellTerm(n, run.rerun_seconds, past.needs(n), files)


def _follows(
    settled: _Settled, versions: Collection[Version], cells: Iterable[RunNumber]
) -> tuple[tuple[Version, Version], ...]:
    """The versions that must be re-run with others for the sake of a cell that may run."""
    past, bound = settled.lasting, settled.bound
    found: dict[tuple[Version, Version], None] = {}
    for n in cells:
        needs = past.inputs[past.place[n]]
        if needs.shared or needs.made:
            found.update(dict.fromkeys(followers(needs, past.loads, bound)))
    found.update((pair, None) for pair in bound.released.items())
    found.update((pair, None) for pair in settled.offered.pairs(past.loads, versions))
    return tuple(pair for pair in found if pair[0] in versions and pair[1] in versions)


def _displaces(
    past: Past, versions: Iterable[Version], cells: Collection[RunNumber]
) -> tuple[tuple[RunNumber, Version], ...]:
    """The versions that hold functions or classes which a cell that may run would make anew."""
    found: list[tuple[RunNumber, Version]] = []
    for version in versions:
        if version in past.loads:
            makers = {past.history.creator(key) for key in past.history.record(version).definitions}
            found += [(n, version) for n in sorted(n for n in makers if n is not None and n in cells)]
    return tuple(found)
