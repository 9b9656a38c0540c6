"""Restoring: an archive's state is rebuilt in a namespace, or the namespace is left as it was.

The plan is made again with what is found here.  Each attempt loads what the plan loads, re-runs what it re-runs, and
learns from what fails: bytes that do not load count as absent, a cell that fails counts as not to be run, and the next
attempt plans without them, from freshly loaded values.  What fails only grows, so the attempts end.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elastictm.errors import ArchiveDamaged, RestoreFailed
from elastictm.ids import DefinitionKey, Fingerprint, Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.marks import mark_of
from elastictm.model.records import CellRun, RandomState, Refusal, Remark
from elastictm.model.reports import Outcome, PlanReport, RestoreReport, VariableReport
from elastictm.model.wire import decode_history
from elastictm.planning.build import migration_problem
from elastictm.planning.explain import explain
from elastictm.planning.plan import Load, ReplicationPlan, Rerun
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem
from elastictm.planning.repeats import deeds
from elastictm.session import generators
from elastictm.session.alterations import Alteration
from elastictm.session.environment import differences
from elastictm.session.hash_seed import hash_seed
from elastictm.session.host import Host, output_name, output_number, variables
from elastictm.session.luggage import hollow_versions, left_behind
from elastictm.session.packing import definition_units, source_texts, unpacked
from elastictm.session.unpacking import expected, import_parts, unpack
from elastictm.session.workroom import Workroom
from elastictm.storage.reader import ArchiveReader
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.thaw import Thawer

_LOADING = 500e6
"""Bytes per second that loading is taken for when a plan is made at the target."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A session as it was brought back: what it continues with, and the report."""

    history: History
    around: Surroundings
    report: RestoreReport


@dataclass(slots=True)
class _Lessons:
    """What failed here, and why: units that do not load, cells that do not run again."""

    units: dict[int, Refusal] = field(default_factory=dict)
    cells: dict[RunNumber, str] = field(default_factory=dict)


class _TryAgain(Exception):
    """An attempt failed at something that the next one will avoid."""


class Restorer:
    """Brings the state of one archive into a host.

    Responsibilities:
    - plan with what is here;
    - execute, fall back, compare, and put everything back where that fails;
    - report every variable's outcome.
    """

    def __init__(
        self, reader: ArchiveReader, host: Host, clock: Callable[[], float], *, allow_effects: bool = False
    ) -> None:
        self._reader = reader
        self._manifest = reader.manifest
        self._host = host
        self._clock = clock
        self._started = clock()
        self._lessons = _Lessons()
        self._entries = {Name(entry.name): entry for entry in self._manifest.entries}
        try:
            self.history = decode_history(reader.read(self._manifest.history))
            self._texts = source_texts(reader)
        except ValueError as error:
            raise ArchiveDamaged(f"{reader.name}: {error}") from error
        self._runs = {run.n: run for run in self.history.runs}
        self._allow_effects = allow_effects
        self._workroom = Workroom(reader, Path.cwd())
        self._arrival = expected(self._manifest)
        self._unimported: tuple[str, ...] = ()
        self._done: dict[RunNumber, tuple[str, ...]] = {}
        self._altered = tuple(map(Alteration.of, self._manifest.altered))

    def plan(self) -> tuple[Problem, ReplicationPlan]:
        """The replication plan for this machine, given what failed so far."""
        loads: dict[Version, float] = {}
        live = self.history.live
        for name, entry in self._entries.items():
            if entry.unit is not None and entry.unit not in self._lessons.units and name in live:
                loads[live[name].version] = entry.seconds + entry.bytes / _LOADING
        missing = dict.fromkeys(self._workroom.absent(self.history.runs, self._arrival.here), math.inf)
        problem = migration_problem(
            self.history,
            loads=loads,
            allow_effects=self._allow_effects,
            missing_files=missing,
            runnable=lambda run: self._lessons.cells.get(run.n),
            targets=frozenset(live[name].version for name in self._entries if name in live),
            astray=frozenset(
                live[name].version for name in live if name in self._entries and self._entries[name].astray
            ),
            groups=[frozenset(live[Name(x)].version for x in tie if x in live) for tie in self._manifest.groups],
            hollow=hollow_versions(self.history, self._altered),
            hash_seed=hash_seed(),
        )
        return problem, solve(problem, "optimal")

    def plan_report(self) -> PlanReport:
        """The plan for its reader."""
        problem, plan = self.plan()
        sizes = {name: (entry.bytes, entry.seconds) for name, entry in self._entries.items() if entry.unit is not None}
        choices = explain(self.history, problem, plan, sizes, self._refusals())
        shown = tuple(c for c in choices if output_number(c.report.name) is None)
        total = sum(self._entries[v.name].bytes for v in plan.loads)
        reruns = tuple(step.n for step in plan.reruns)
        return PlanReport(shown, reruns, plan.seconds, total, "optimal", _LOADING, self.differences())

    def differences(self) -> tuple[str, ...]:
        """What differs between the environment of the archive and this one."""
        return differences(self._manifest.environment)

    def run(self) -> Restored:
        """Rebuild the state.

        Raises:
            RestoreFailed: it could not be done; the namespace is as it was.
            KeyboardInterrupt: the user stopped it; the namespace is as it was.
        """
        namespace = self._host.namespace
        aside = {name: value for name, value in namespace.items() if not self._host.is_own(name)}
        random_before = generators.now()
        try:
            self._arrival = unpack(self._reader)
            restored = self._attempts()
        except BaseException as error:
            self._arrival.take_back()
            self._empty()
            namespace.update(aside)
            generators.restore(random_before)
            if isinstance(error, (KeyboardInterrupt, SystemExit, RestoreFailed, ArchiveDamaged)):
                raise
            text = f"{type(error).__name__}: {error}"
            raise RestoreFailed(f"restoring {self._reader.name} failed, the session is as it was: {text}") from error
        return restored

    def _attempts(self) -> Restored:
        while True:
            problem, plan = self.plan()
            try:
                return self._attempt(problem, plan)
            except _TryAgain:
                self._empty()
                for n, done in self._done.items():
                    self._lessons.cells.setdefault(n, f"it ran once already, and {'; '.join(done)}")

    def _empty(self) -> None:
        namespace = self._host.namespace
        for name in [name for name in namespace if not self._host.is_own(name)]:
            del namespace[name]

    def _attempt(self, problem: Problem, plan: ReplicationPlan) -> Restored:
        around = Surroundings(self._host.namespace, singletons=self._singleton_types())
        for filename, text in self._texts.items():
            around.sources.add(filename, text)
        around.definitions.reserve([DefinitionKey(d.key) for d in self._manifest.definitions])
        thawer = Thawer(around, definition_units(self._reader), self._host.singletons)
        self._empty()
        values = self._loaded(plan, thawer)
        self._unimported = tuple(import_parts(self._manifest.imported))
        outputs: dict[int, Any] = {}
        self._empty()
        past = _Past(self.history.runs)
        with self._workroom.entered([self._runs[step.n] for step in plan.reruns]):
            for step in plan.steps:
                if isinstance(step, Load):
                    self._place(step.version.name, values[step.version.name], outputs)
                    past.place(step.version)
                elif isinstance(step, Rerun):
                    self._take_away(past.strangers(variables(self._host), step.n))
                    self._rerun(step, outputs)
                    past.rerun(self._runs[step.n])
        self._drop_leftovers(outputs, plan)
        for key, definition in thawer.definitions.items():
            around.definitions.bind(key, definition)
        states = {name: bytes(self._reader.read(blob)) for name, blob in self._manifest.generators.items()}
        generators.restore(tuple(RandomState(name, state) for name, state in states.items()))
        return self._finished(problem, plan, around, outputs)

    def _loaded(self, plan: ReplicationPlan, thawer: Thawer) -> dict[Name, Any]:
        """All values that the plan loads, read before anything runs.

        A unit that does not load is tried once more after the others, because its objects may look for names that
        another unit brings.
        """
        wanted = dict.fromkeys(self._entries[version.name].unit for version in plan.loads)
        values: dict[Name, Any] = {}
        failed: dict[int, Refusal] = {}
        for index in [*wanted, *wanted]:
            if index is None or (index not in failed and any(n in values for n in self._manifest.units[index].names)):
                continue
            outcome = thawer.group(unpacked(self._reader, self._manifest.units[index]))
            if isinstance(outcome, Refusal):
                failed[index] = outcome
                continue
            failed.pop(index, None)
            values.update(outcome)
            self._host.namespace.update({n: v for n, v in outcome.items() if output_number(n) is None})
        if failed:
            self._lessons.units.update(failed)
            raise _TryAgain
        return values

    def _take_away(self, names: Iterable[Name]) -> None:
        """Remove what would not have been there when a cell ran: it may look whether a name exists."""
        for name in names:
            if output_number(name) is None:
                del self._host.namespace[name]

    def _place(self, name: Name, value: Any, outputs: dict[int, Any]) -> None:
        n = output_number(name)
        if n is None:
            self._host.namespace[name] = value
        else:
            outputs[n] = value

    def _rerun(self, step: Rerun, outputs: dict[int, Any]) -> None:
        run = self._runs[step.n]
        generators.restore(run.random)
        outcome = self._host.run(run.source, run.n, {n: value for n, value in outputs.items() if n < run.n})
        if isinstance(outcome.error, KeyboardInterrupt):
            raise outcome.error
        reason = _unlike(run, outcome.error)
        if outcome.result:
            outputs[run.n] = outcome.result[-1]
        present = variables(self._host).keys() | {output_name(n) for n in outputs}
        absent = [version.name for version in step.writes if version.name not in present]
        if not reason and absent:
            reason = f"running cell {run.n} again did not make {', '.join(absent)}"
        if reason:
            self._lessons.cells[run.n] = reason
        if done := deeds(run) if mark_of(run.source) is None else ():
            # Nothing outside is done twice, should another attempt be needed.
            self._done[run.n] = done
        if reason:
            raise _TryAgain

    def _drop_leftovers(self, outputs: dict[int, Any], plan: ReplicationPlan) -> None:
        """Take away what re-runs made besides, and what was deleted or bound anew later."""
        lost = {loss.version.name for loss in plan.lost}
        wanted = {name for name in self._entries if name not in lost}
        for name in [name for name in variables(self._host) if output_number(name) is None and name not in wanted]:
            del self._host.namespace[name]
        for n in [n for n in outputs if output_name(n) not in wanted]:
            del outputs[n]

    def _finished(
        self, problem: Problem, plan: ReplicationPlan, around: Surroundings, outputs: dict[int, Any]
    ) -> Restored:
        loaded = {version.name for version in plan.loads}
        lost = {loss.version.name for loss in plan.lost}
        made = {version.name for step in plan.reruns for version in step.writes}
        # Re-runs also make what a later cell deleted.
        reruns = made & self._entries.keys() - loaded
        unlike = self._compared(reruns - lost, around, outputs)
        sizes = {name: (entry.bytes, entry.seconds) for name, entry in self._entries.items() if entry.unit is not None}
        causes = {c.report.name: c for c in explain(self.history, problem, plan, sizes, self._refusals())}
        reports = [
            self._report(name, "lost" if name not in causes else causes[name].report.outcome, causes, unlike)
            for name in self._entries
        ]
        for name in unlike:
            n = self.history.live[name].n
            self.history.remark(Remark(n, f"running it again gave another value of {name}"))
        present = {r.name for r in reports if r.outcome != "lost"}
        self.history.lapse([name for name in self.history.live if name not in present])
        sources = {int(run.n): (run.source, run.code or run.source) for run in self.history.runs if run.n}
        self._host.resume(sources, outputs, self._manifest.execution_count)
        shown = tuple(r for r in reports if output_number(r.name) is None)
        hidden = tuple(r for r in reports if output_number(r.name) is not None)
        notes = tuple(alteration.told() for alteration in left_behind(self._altered, plan))
        notes += (*self._arrival.notes, *self._unimported)
        notes += tuple(f"cell {n} was not re-run: {why}" for n, why in self._lessons.cells.items())
        notes += tuple(f"cell {n} ran again, and {'; '.join(done)}" for n, done in self._done.items())
        notes += tuple(self._workroom.notes)
        notes += tuple(f"{r.path} did not load here: {r.reason}" for r in self._lessons.units.values())
        report = RestoreReport(
            str(self._reader.name),
            shown,
            tuple(step.n for step in plan.reruns),
            self._clock() - self._started,
            sum(self._entries[name].bytes for name in loaded),
            hidden,
            self.differences(),
            notes,
            unloaded=tuple((r.path, r.reason) for r in self._lessons.units.values()),
        )
        return Restored(self.history, around, report)

    def _report(self, name: Name, outcome: Outcome, causes: Mapping[Name, Any], unlike: set[Name]) -> VariableReport:
        entry = self._entries[name]
        reason, path = "", ""
        if outcome == "lost":
            reason, path = entry.reason, entry.path
            if name in causes and (entry.outcome != "lost" or not reason):
                reason, path = causes[name].report.reason, causes[name].report.path
        elif outcome == "stored" and entry.flaw:
            reason = entry.flaw
        elif name in unlike:
            reason = "not repeatable: re-running gave another value than the one saved"
        elif outcome == "rerun" and entry.fingerprint is None:
            reason = "cannot be stored, so its new value could not be compared with the old"
        return VariableReport(name, outcome, entry.kind, reason, path, entry.bytes, entry.seconds)

    def _refusals(self) -> dict[Name, Refusal]:
        found: dict[Name, Refusal] = {}
        for name, entry in self._entries.items():
            if entry.unit is not None and entry.unit in self._lessons.units:
                found[name] = self._lessons.units[entry.unit]
            elif entry.unit is None and entry.path:
                found[name] = Refusal(entry.path, entry.reason)
        return found

    def _compared(self, reruns: set[Name], around: Surroundings, outputs: Mapping[int, Any]) -> set[Name]:
        """The re-run variables whose value is not the one that was saved."""
        if not reruns:
            return set()
        values = variables(self._host) | {output_name(n): value for n, value in outputs.items()}
        freezer = Freezer(around, self._clock)
        named = named_definitions(values.values())
        found: set[Name] = set()
        grouped = [tuple(map(Name, group)) for group in self._manifest.groups]
        single = [(name,) for name in reruns if not any(name in group for group in grouped)]
        for group in [*grouped, *single]:
            if not reruns.intersection(group):
                continue
            frozen = freezer.group({name: values[name] for name in group if name in values}, named)
            for name in reruns.intersection(group):
                expected = self._entries[name].fingerprint
                part = frozen.parts.get(name)
                digest: Fingerprint | None = part.digest if part is not None else None
                if expected is not None and digest != expected:
                    found.add(name)
        return found

    def _singleton_types(self) -> dict[type, str]:
        return {type(value): name for name, value in self._host.singletons.items()}


class _Past:
    """What was alive before each cell run, and which versions are in place, while a plan is executed in order."""

    def __init__(self, runs: Sequence[CellRun]) -> None:
        self._runs = deque(runs)
        self._alive: dict[Name, RunNumber] = {}
        self._placed: dict[Name, RunNumber] = {}

    def place(self, version: Version) -> None:
        """A version was loaded."""
        self._placed[version.name] = version.n

    def rerun(self, run: CellRun) -> None:
        """A cell was run again."""
        self._placed.update({record.name: run.n for record in run.writes})

    def strangers(self, present: Iterable[Name], n: RunNumber) -> list[Name]:
        """The names in place that were not there, or were other versions, just before cell run ``n``."""
        while self._runs and self._runs[0].n < n:
            run = self._runs.popleft()
            for name in run.deletes:
                self._alive.pop(name, None)
            self._alive.update({record.name: run.n for record in run.writes})
        return [name for name in present if name not in self._alive or self._alive[name] != self._placed.get(name)]


def _unlike(run: CellRun, error: BaseException | None) -> str:
    """Why a re-run did not end as the cell run did; empty where it did."""
    if run.status == "ok":
        return f"running it again raised {type(error).__name__}: {error}" if error is not None else ""
    if run.status == "error":
        return "it raised when it was recorded, and did not raise now" if error is None else ""
    return f"it was {run.status} when it was recorded"
