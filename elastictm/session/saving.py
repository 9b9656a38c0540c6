"""Planning and saving: from the live variables and the history to a replication plan and one archive."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from elastictm.ids import Fingerprint, Name, is_variable
from elastictm.model.history import HistoryView
from elastictm.model.imports import imported
from elastictm.model.progress import SILENT, Progress
from elastictm.model.records import Refusal
from elastictm.model.reports import Choice, PlanReport, SaveReport, Unrepeatable
from elastictm.model.settings_report import settings_reports
from elastictm.model.tables import amount
from elastictm.model.texts import counted
from elastictm.model.wire import encode_history
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import FLAW_SECONDS, RELUCTANCE_SECONDS, transfer_seconds
from elastictm.planning.explain import explain
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.unrepeatable import doubtful, unrepeatable_cells
from elastictm.session import generators
from elastictm.session.environment import describe_environment
from elastictm.session.hash_seed import hash_seed
from elastictm.session.luggage import Luggage, spared
from elastictm.session.options import SaveOptions
from elastictm.session.packing import Packer
from elastictm.session.stock import Stock
from elastictm.storage import manifest as m
from elastictm.storage.writer import ArchiveWriter
from elastictm.values.source import SourceLibrary

SPARE_BYTES = 1_000_000
SPARE_SECONDS = 0.05
"""Up to here a variable that is re-run is stored as well, in case its cells do not run at the target."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with all that it was made from."""

    history: HistoryView
    stock: Stock
    problem: Problem
    plan: ReplicationPlan
    choices: tuple[Choice, ...]
    bandwidth: float
    options: SaveOptions
    luggage: Luggage
    unrepeatable: tuple[Unrepeatable, ...] = ()

    def report(self) -> PlanReport:
        """The plan for its reader: variables only, without the displayed results."""
        return PlanReport(
            tuple(choice for choice in self.choices if is_variable(choice.report.name)),
            tuple(step.n for step in self.plan.reruns),
            self.plan.seconds - RELUCTANCE_SECONDS * len(self._needed_there()) - FLAW_SECONDS * len(self._flawed()),
            self.predicted_bytes(),
            self.options.policy,
            self.bandwidth,
            self._notes(),
            self.unrepeatable,
        )

    def predicted_bytes(self) -> int:
        """Bytes of the values that the plan loads."""
        sizes = self.stock.sizes()
        return sum(sizes[version.name][0] for version in self.plan.loads if version.name in sizes)

    def seconds_to_write(self) -> float:
        """What writing the values that the plan loads, frozen by now, is expected to take."""
        sizes = self.stock.sizes()
        names = {version.name for version in self.plan.loads if version.name in sizes} | self.spares()
        return sum(transfer_seconds(sizes[name][0], 0.0, self.bandwidth, 0.0) for name in names)

    def seconds_to_restore(self) -> float:
        """What a restore is expected to take where the archive travels as fast as it is written."""
        sizes = self.stock.sizes()
        loaded = {version.name for version in self.plan.loads if version.name in sizes}
        running = sum(self.history.run(step.n).rerun_seconds for step in self.plan.reruns)
        return running + sum(transfer_seconds(*sizes[name], self.bandwidth, 0.0) for name in loaded)

    def _needed_there(self) -> tuple[str, ...]:
        """The files that re-runs read and that do not travel."""
        return tuple(path for path in self.plan.shipped if self.problem.ship[path] == RELUCTANCE_SECONDS)

    def _flawed(self) -> tuple[Name, ...]:
        """The variables that are loaded although they come back with less than they had."""
        return tuple(version.name for version in self.plan.loads if version.name in self.stock.flaws)

    def _may_differ(self) -> Iterator[str]:
        """What comes back from cells that run again although they are not repeatable, or read what such cells make.

        What is loaded, or made anew later, is not what such a cell made in between.
        """
        reasons = {cell.n: cell.reason for cell in self.unrepeatable}
        made = {record.version for record in self.history.live.values()}.difference(self.plan.loads)
        for step, n in doubtful(self.history, self.plan.reruns, reasons):
            names = [version.name for version in step.writes if is_variable(version.name) and version in made]
            if names:
                why = reasons[n] if n == step.n else f"reads what cell {n} makes: {reasons[n]}"
                yield f"MAY DIFFER {', '.join(names)}: cell {step.n} must run again, and {why}"

    def imported(self) -> frozenset[str]:
        """The modules, without the packages' parts, that cells and own modules import."""
        by_cells = (imported(run.code or run.source) for run in self.history.runs)
        return frozenset().union(self.luggage.baggage.imported(), *by_cells)

    def spares(self) -> set[Name]:
        """Variables that the plan re-runs but whose bytes are so few that they travel too, should a cell fail there."""
        if self.options.policy != "optimal":
            return set()
        found: set[Name] = set()
        for group in self.stock.groups:
            size = sum(part.size for part in group.parts.values())
            seconds = sum(part.seconds for part in group.parts.values())
            if size <= SPARE_BYTES and seconds <= SPARE_SECONDS:
                found.update(group.parts)
        return found

    def _notes(self) -> tuple[str, ...]:
        found: list[str] = []
        if self.stock.astray:
            names = ", ".join(sorted(self.stock.astray))
            found.append(f"changed outside of recorded cells, so their bytes alone are trusted: {names}")
        if self.stock.unchecked:
            names = ", ".join(self.stock.unchecked)
            found.append(
                f"not tried out, for want of time, whether objects of these classes load: {names}; --rehearse does"
            )
        loaded = {version.name for version in self.plan.loads}
        if holding := sorted(name for name in self.stock.holding_files() if name in loaded):
            told = ", ".join(holding)
            found.append(f"load only where the files that they have open are too, as they are now: {told}")
        if needed := self._needed_there():
            found.append(f"cells run again only where these files are too: {', '.join(needed)}")
        found += self._may_differ()
        found += self.luggage.notes(self.history, self.plan)
        for run in self.history.runs:
            found += [f"cell {run.n}: {note}" for note in run.notes if note.startswith("recording ")]
        return tuple(found)


def draft(history: HistoryView, stock: Stock, bandwidth: float, options: SaveOptions, luggage: Luggage) -> Draft:
    """Decide, for every variable in stock, whether to store it or to re-run the cells that make it."""
    sizes = stock.sizes()
    loads = {
        record.version: transfer_seconds(*sizes[name], bandwidth, options.alpha) + FLAW_SECONDS * (name in stock.flaws)
        for name, record in history.live.items()
        if name in sizes
    }
    files = luggage.shipping.prices(history.runs, bandwidth)
    selected = set(sizes) | set(stock.refusals())
    drawn = partial(
        migration_problem,
        history,
        loads=loads,
        allow_effects=options.allow_effects,
        missing_files=files,
        targets=frozenset(record.version for name, record in history.live.items() if name in selected),
        astray=frozenset(history.live[name].version for name in stock.astray if name in history.live),
        groups=[frozenset(history.live[name].version for name in tie if name in history.live) for tie in stock.ties],
        hollow=luggage.hollow(history),
        hash_seed=hash_seed(),
    )
    problem, plan = planned(drawn, options.policy)
    told = explain(history, problem, plan, stock.sizes(), stock.refusals())
    choices = tuple(_flawed(choice, stock).advised("save") for choice in told)
    gone = {path for path, seconds in files.items() if seconds == math.inf}
    cells = unrepeatable_cells(history, allow_effects=options.allow_effects, gone=gone, hash_seed=hash_seed())
    return Draft(history, stock, problem, plan, choices, bandwidth, options, luggage, cells)


def _flawed(choice: Choice, stock: Stock) -> Choice:
    """A choice that tells what its variable comes back without."""
    flaw = stock.flaws.get(choice.report.name)
    if flaw is None or choice.report.outcome != "stored":
        return choice
    told = replace(choice.report, reason=flaw.reason, path=flaw.path)
    return replace(choice, report=told, why=f"{choice.why}; but {flaw.path} {flaw.reason}")


@dataclass(frozen=True, slots=True)
class Journey:
    """What travels besides values: where the session stands, perhaps past and futures; and who is told on the way."""

    execution_count: int
    sources: SourceLibrary
    import_path: tuple[str, ...] = ()
    past: m.Past | None = None
    futures: tuple[m.KeptFuture, ...] = ()
    progress: Progress = SILENT


@dataclass(frozen=True, slots=True)
class Took:
    """What a save took in all, and of that until its plan was made, values frozen."""

    seconds: float
    until_planned: float


def write(drafted: Draft, journey: Journey, writer: ArchiveWriter, clock: Callable[[], float], now: float) -> int:
    """Write a drafted archive; returns its size in bytes.

    Raises:
        DestinationError: the archive cannot be written there.
    """
    started = clock()
    fingerprints = drafted.stock.fingerprints()
    stored = {version.name for version in drafted.plan.loads} | drafted.spares()
    packer = Packer(writer.put, drafted.stock.definitions, journey.sources)
    unit_of: dict[Name, int] = {}
    for group in drafted.stock.groups:
        if group.unit is not None and stored.intersection(group.parts):
            unit_of.update(dict.fromkeys(group.parts, packer.add(group.unit)))
    for run in drafted.history.runs:
        for version in run.settings:
            packer.refer(version)
    definitions = packer.definitions()
    runs = tuple(step.n for step in drafted.plan.reruns)
    manifest = m.Manifest(
        saved_at=now,
        environment=describe_environment(
            packer.modules | drafted.imported(), drafted.luggage.shipping.folders.home, journey.import_path
        ),
        history=writer.put(encode_history(drafted.history)),
        execution_count=journey.execution_count,
        entries=tuple(_entry(choice, fingerprints, unit_of, drafted.stock) for choice in drafted.choices),
        units=packer.units,
        definitions=definitions,
        cells_rerun=runs,
        seconds=clock() - started,
        sources=packer.sources(),
        files=drafted.luggage.shipping.put(writer, [drafted.history.run(n) for n in runs]),
        modules=drafted.luggage.baggage.put(writer.put),
        imported=drafted.luggage.imported,
        altered=tuple(alteration.to_manifest() for alteration in drafted.luggage.altered),
        generators={state.generator: writer.put(state.state) for state in generators.now()},
        groups=drafted.stock.ties,
        past=journey.past,
        futures=journey.futures,
    )
    journey.progress.stage("waiting until the disk has it all", None, "")
    return writer.commit(manifest)


def _entry(
    choice: Choice, fingerprints: Mapping[Name, Fingerprint], unit_of: Mapping[Name, int], stock: Stock
) -> m.Entry:
    report = choice.report
    outcome = "stored" if report.outcome == "kept" else report.outcome
    return m.Entry(
        name=report.name,
        n=choice.n,
        kind=report.kind,
        outcome=outcome,
        reason=report.reason,
        path=report.path,
        bytes=report.bytes,
        seconds=report.seconds,
        unit=unit_of.get(report.name),
        fingerprint=fingerprints.get(report.name),
        astray=report.name in stock.astray,
        flaw=_in_words(stock.flaws.get(report.name)),
    )


def _in_words(flaw: Refusal | None) -> str:
    return "" if flaw is None else f"{flaw.path} {flaw.reason}"


def save_report(drafted: Draft, path: str, took: Took, size: int, past: m.Past | None) -> SaveReport:
    """The report of a save that succeeded."""
    plan = drafted.report()
    along = (
        [] if past is None else [f"with {counted(past.states, 'state')} of the past, which take {amount(past.bytes)}"]
    )
    notes = (*along, *plan.notes, *spared(drafted.history, drafted.problem))
    outputs = tuple(c.report for c in drafted.choices if not is_variable(c.report.name))
    return SaveReport(
        path,
        plan.variables,
        plan.cells_rerun,
        took.seconds,
        size,
        took.until_planned + drafted.seconds_to_write(),
        plan.bytes,
        outputs,
        notes,
        settings=settings_reports(drafted.history.settings.values()),
        restore_seconds=drafted.seconds_to_restore(),
    )
