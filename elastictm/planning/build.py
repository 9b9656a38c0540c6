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
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun
from elastictm.planning.bonds import Bonds, bonds
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.followers import followers
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
) -> Problem:
    """What has to be decided to bring the live variables of a session elsewhere.

    Args:
        history: The session's history.
        loads: Seconds to store and to load each version that has bytes; see ``transfer_seconds``.
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

    Raises:
        ValueError: Where a cost is negative or not a number.
    """
    runs = history.runs
    stored = {version: seconds for version, seconds in loads.items() if seconds != math.inf}
    forbidden = obstacles(runs, allow_effects=allow_effects, runnable=runnable)
    place = {run.n: i for i, run in enumerate(runs)}
    past = Past(history, runs, inputs(runs, history.lapses), place, stored, astray, forbidden, hollow)
    if targets is None:
        targets = frozenset(record.version for record in history.live.values())
    settled = _settled(past, history.live_groups() if groups is None else groups, hash_seed, apart=apart)
    return _problem(settled, targets, missing_files)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A past, the cell runs that cannot run again or would give another result, and the bonds of live versions."""

    past: Past
    stuck: Collection[RunNumber]
    unlike: Mapping[RunNumber, str]
    bound: Bonds

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


def _settled(past: Past, groups: Sequence[frozenset[Version]], hash_seed: str | None, *, apart: bool) -> _Settled:
    """Find what another run would change, and what is bound to what.

    Each depends on the other: a version that may be re-run although it comes out differently makes the cells that read
    it unsteady too.
    """
    stuck = immovable(past)
    remade: set[Version] = set()
    while True:
        unlike = unsteady(past, remade, hash_seed)
        bound = bonds(groups, past, unlike, stuck, apart=apart)
        dear = {v for v in past.loads if past.is_dear(v, unlike.get(v.n, ""))}
        if remade.issuperset(dear.union(bound.released)):
            return _Settled(past, stuck, unlike, bound)
        remade |= dear.union(bound.released)


def _problem(settled: _Settled, targets: frozenset[Version], missing_files: Mapping[str, float]) -> Problem:
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
            versions[version] = VersionTerm(version, None, load or 0.0, rerun_allowed=False, obstacle=obstacle)
            continue
        versions[version] = VersionTerm(version, version.n, math.inf if load is None else load)
        if version.n not in cells:
            cell = cells[version.n] = _cell(past, version.n, missing_files)
            left += cell.reads
    return Problem(
        versions=versions,
        cells=cells,
        ship={path: missing_files[path] for cell in cells.values() for path in cell.files},
        targets=targets,
        groups=tuple(group & targets for group in bound.groups if len(group & targets) > 1),
        follows=_follows(past, versions, cells, bound),
        displaces=_displaces(past, versions, cells),
    )


def _cell(past: Past, n: RunNumber, missing_files: Mapping[str, float]) -> CellTerm:
    if n in past.forbidden:
        return CellTerm(n, math.inf, (), obstacle=past.forbidden[n])
    run = past.runs[past.place[n]]
    files = tuple(dict.fromkeys(file.path for file in run.files if file.path in missing_files)) if run.files else ()
    return CellTerm(n, run.seconds, past.needs(n), files)


def _follows(
    past: Past, versions: Collection[Version], cells: Iterable[RunNumber], bound: Bonds
) -> tuple[tuple[Version, Version], ...]:
    """The versions that must be re-run with others for the sake of a cell that may run."""
    found: dict[tuple[Version, Version], None] = {}
    for n in cells:
        needs = past.inputs[past.place[n]]
        if needs.shared or needs.made:
            found.update(dict.fromkeys(followers(needs, past.loads, bound)))
    found.update((pair, None) for pair in bound.released.items())
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
