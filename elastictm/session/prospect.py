"""What restoring an archive here would take: its plan is made with what is found, and again with what failed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from elastictm.ids import Name, RunNumber, Version, is_variable
from elastictm.model.history import History
from elastictm.model.reports import PlanReport
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.explain import explain
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.unrepeatable import unrepeatable_cells
from elastictm.session.alterations import hollow_versions
from elastictm.session.fit import Fit
from elastictm.session.hash_seed import hash_seed
from elastictm.session.lessons import Lessons
from elastictm.session.loading import DECOMPRESSED, seconds_to_read
from elastictm.session.saved import Saved
from elastictm.session.standing import used_by_reruns
from elastictm.session.unpacking import Arrival, expected
from elastictm.session.workroom import Workroom
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable

_SMALL: Final = 10**6
"""Bytes; what has fewer is at hand at once, however it lies there."""

_AROUND_A_CELL: Final = 1e-3
"""Seconds that the shell takes around a cell that it runs: what loads in less is rather loaded."""


class Prospect:
    """An archive seen from here.

    ``saved`` is what it holds, ``lessons`` what failed so far, ``kept`` what of it is in place already.
    ``workroom`` has the files that cells read, ``arrival`` tells what became of the user's own modules.
    """

    def __init__(
        self,
        reader: Readable,
        *,
        allow_effects: bool = False,
        any_version: bool = False,
        history: History | None = None,
        kept: Mapping[Version, Any] = MappingProxyType({}),
    ) -> None:
        self.saved = Saved.of(reader, history)
        self.kept = dict(kept)
        self.lessons = Lessons(Fit.of(self.saved, any_version=any_version))
        self.workroom = Workroom(reader, self.saved.history.runs, Path.cwd())
        self.arrival: Arrival = expected(reader.manifest)
        self._allow_effects = allow_effects
        self._reading: dict[int, float] = {}

    def plan(self, history: History | None = None) -> tuple[Problem, ReplicationPlan]:
        """The replication plan for this machine, given what failed so far, and what a history tells of it."""
        irreplaceable: set[Version] | None = None
        while True:
            problem, plan = self._planned(history, self.kept)
            used = used_by_reruns(problem, plan, self.kept)
            lost = {loss.version for loss in plan.lost}
            if not used and not (lost and self.kept):
                return problem, plan
            if irreplaceable is None:
                # What can be had without anything that is in place, need not stay there.
                irreplaceable = {loss.version for loss in self._planned(history, {})[1].lost}
            if not used and (lost <= irreplaceable or not self._let_go(self.kept, irreplaceable)):
                return problem, plan
            for version, n in used.items():
                if version in self.kept and not self._let_go([version], irreplaceable):
                    why = f"it works with {version.name}, of which there can be no copy"
                    self.lessons.cells.setdefault(RunNumber(n), why)

    def _let_go(self, versions: Iterable[Version], irreplaceable: Collection[Version]) -> bool:
        """Keep some versions no longer, with all that shares data with them, where that can be had otherwise."""
        live, before = self.saved.history.live, len(self.kept)
        for version in list(versions):
            names = next((g for g in self.saved.manifest.groups if version.name in g), (version.name,))
            group = {live[Name(name)].version for name in names if name in live}
            if group.isdisjoint(irreplaceable):
                self.kept = {v: value for v, value in self.kept.items() if v not in group}
        return len(self.kept) < before

    def _planned(self, history: History | None, kept: Collection[Version]) -> tuple[Problem, ReplicationPlan]:
        saved, live = self.saved, self.saved.history.live
        bare = self.lessons.unloadable()
        loads = {
            live[name].version: self._seconds_to_read(entry)
            for name, entry in saved.entries.items()
            if entry.unit is not None and entry.unit not in bare and name in live
        }
        # Made with other libraries, an earlier version may not be what the cells worked with.
        earlier = {} if self.differences() else saved.earlier
        loads.update({v: e.seconds + self._seconds_to_read(e) for v, e in earlier.items() if e.unit not in bare})
        lying = [(live[name].version, entry) for name, entry in saved.entries.items() if name in live]
        missing = dict.fromkeys(self.workroom.absent(saved.history.runs, self.arrival.here), math.inf)
        drawn = partial(
            migration_problem,
            history or saved.history,
            loads=loads,
            allow_effects=self._allow_effects,
            missing_files=missing,
            runnable=lambda run: self.lessons.obstacle(run.n),
            targets=frozenset(live[name].version for name in saved.entries if name in live),
            astray=frozenset(live[name].version for name, e in saved.entries.items() if e.astray and name in live),
            groups=[frozenset(live[Name(x)].version for x in tie if x in live) for tie in saved.manifest.groups],
            hollow=hollow_versions(saved.history, saved.altered),
            hash_seed=hash_seed(),
            kept=kept,
            units={v: e.unit for v, e in (*lying, *earlier.items()) if e.unit is not None},
        )
        return planned(drawn)

    def _seconds_to_read(self, entry: m.Entry) -> float:
        """Seconds to have a version's bytes; what its objects take is spent on a comparison where it runs again."""
        if entry.unit is None or entry.bytes < _SMALL:
            return entry.bytes / DECOMPRESSED
        if entry.unit not in self._reading:
            unit = self.saved.unit(entry.unit)
            size = unit.stream.size + sum(segment.size for segment in unit.segments)
            self._reading[entry.unit] = seconds_to_read(unit, self.saved.reader.raw) / max(1, size)
        return max(0.0, entry.bytes * self._reading[entry.unit] - _AROUND_A_CELL)

    def report(self) -> PlanReport:
        """The plan for its reader."""
        saved = self.saved
        problem, plan = self.plan()
        choices = explain(saved.history, problem, plan, saved.sizes(), self.lessons.refusals(saved.entries))
        shown = tuple(c.advised("restore") for c in choices if is_variable(c.report.name))
        total = sum(saved.entry(v).bytes for v in plan.loads)
        reruns = tuple(step.n for step in plan.reruns)
        differs = self.differences()
        cells = unrepeatable_cells(
            saved.history,
            allow_effects=self._allow_effects,
            gone=frozenset(self.workroom.absent(saved.history.runs, self.arrival.here)),
            hash_seed=hash_seed(),
            runnable=lambda run: self.lessons.obstacle(run.n),
        )
        return PlanReport(
            shown, reruns, plan.seconds, total, "optimal", DECOMPRESSED, unrepeatable=cells, differences=differs
        )

    def differences(self) -> tuple[str, ...]:
        """What differs between the environment of the archive and this one."""
        return self.lessons.foreseen.differences
