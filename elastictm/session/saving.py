"""Planning and saving: from the live variables and the history to a replication plan and one archive."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from elastictm.errors import UsageError
from elastictm.ids import Fingerprint, Name
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun, FileRead
from elastictm.model.reports import Choice, PlanReport, Policy, SaveReport
from elastictm.model.wire import encode_history
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.explain import explain
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem
from elastictm.session import generators
from elastictm.session.environment import describe_environment
from elastictm.session.host import output_number
from elastictm.session.packing import Packer
from elastictm.session.stock import Stock
from elastictm.storage import manifest as m
from elastictm.storage.digest import file_digest
from elastictm.storage.writer import ArchiveWriter
from elastictm.values.source import SourceLibrary

SHIP_AT_MOST = 100_000_000
"""Bytes of a file that may travel so that a cell that reads it can run again."""


RELUCTANCE_SECONDS = 3600.0
"""What it counts for in a plan that a cell can only run again where a file is that cannot travel."""

SPARE_BYTES = 1_000_000
SPARE_SECONDS = 0.05
"""Up to here a variable that is re-run is stored as well, in case its cells do not run at the target."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """How to plan; ``bandwidth`` in bytes per second, None for what the destination gives."""

    bandwidth: float | None = None
    alpha: float = 1.0
    only: frozenset[Name] | None = None
    exclude: frozenset[Name] = frozenset()
    policy: Policy = "optimal"
    allow_effects: bool = False

    def select(self, names: Iterable[Name]) -> set[Name]:
        """The names to bring along.

        Raises:
            UsageError: a name was asked for that is no variable.
        """
        found = set(names)
        unknown = (self.exclude | (self.only or frozenset())) - found
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise UsageError(f"no variable is named {listed}: --only and --exclude take names of live variables")
        if self.only is not None:
            found = {name for name in found if name in self.only}
        return found - self.exclude


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

    def report(self) -> PlanReport:
        """The plan for its reader: variables only, without the displayed results."""
        return PlanReport(
            tuple(choice for choice in self.choices if output_number(choice.report.name) is None),
            tuple(step.n for step in self.plan.reruns),
            self.plan.seconds - RELUCTANCE_SECONDS * len(self._needed_there()),
            self.predicted_bytes(),
            self.options.policy,
            self.bandwidth,
            self._notes(),
        )

    def predicted_bytes(self) -> int:
        """Bytes of the values that the plan loads."""
        sizes = self.stock.sizes()
        return sum(sizes[version.name][0] for version in self.plan.loads if version.name in sizes)

    def _needed_there(self) -> tuple[str, ...]:
        """The files that re-runs read and that do not travel."""
        return tuple(path for path in self.plan.shipped if self.problem.ship[path] == RELUCTANCE_SECONDS)

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
        if needed := self._needed_there():
            found.append(f"cells run again only where these files are too: {', '.join(needed)}")
        for run in self.history.runs:
            found += [f"cell {run.n}: {note}" for note in run.notes if note.startswith("recording ")]
        return tuple(found)


def draft(history: HistoryView, stock: Stock, bandwidth: float, options: SaveOptions, here: Path) -> Draft:
    """Decide, for every variable in stock, whether to store it or to re-run the cells that make it."""
    sizes = stock.sizes()
    loads = {
        record.version: transfer_seconds(*sizes[name], bandwidth, options.alpha)
        for name, record in history.live.items()
        if name in sizes
    }
    selected = set(sizes) | set(stock.refusals())
    problem = migration_problem(
        history,
        loads=loads,
        allow_effects=options.allow_effects,
        missing_files=_shipping(history, bandwidth, here),
        targets=frozenset(record.version for name, record in history.live.items() if name in selected),
        astray=frozenset(history.live[name].version for name in stock.astray if name in history.live),
        groups=[frozenset(history.live[name].version for name in tie if name in history.live) for tie in stock.ties],
    )
    plan = solve(problem, options.policy)
    choices = explain(history, problem, plan, stock.sizes(), stock.refusals())
    return Draft(history, stock, problem, plan, choices, bandwidth, options)


def _shipping(history: HistoryView, bandwidth: float, here: Path) -> dict[str, float]:
    """Seconds to ship each file that a cell run read; infinite where it is not what was read.

    A file that cannot travel may well be at the target too, but nothing that can be stored shall depend on that.
    """
    found: dict[str, float] = {}
    for run in history.runs:
        for file in run.files:
            if shippable(file, here):
                found[file.path] = file.size / bandwidth
            else:
                found[file.path] = RELUCTANCE_SECONDS if unchanged(Path(file.path), file) else math.inf
    return found


def shippable(file: FileRead, here: Path) -> bool:
    """Whether a file was read by a path below the working directory, is what it was, and is not too large."""
    if file.relative is None or file.size > SHIP_AT_MOST:
        return False
    path = Path(file.path)
    if not path.is_relative_to(here) or ".." in Path(file.relative).parts:
        return False
    return unchanged(path, file)


def unchanged(path: Path, file: FileRead) -> bool:
    """Whether a file is the one that a cell run read."""
    try:
        status = path.stat()
        if status.st_size != file.size:
            return False
        if file.digest is None:
            return status.st_mtime_ns == file.mtime_ns
        return file_digest(path) == file.digest
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Journey:
    """What travels besides values: where the session stands."""

    execution_count: int
    sources: SourceLibrary
    directory: Path


def write(drafted: Draft, journey: Journey, writer: ArchiveWriter, clock: Callable[[], float], now: float) -> int:
    """Write a drafted archive; returns its size in bytes.

    Raises:
        DestinationError: the archive cannot be written there.
    """
    started = clock()
    fingerprints = drafted.stock.fingerprints()
    stored = {version.name for version in drafted.plan.loads} | drafted.spares()
    packer = Packer(writer, drafted.stock.definitions, journey.sources)
    unit_of: dict[Name, int] = {}
    for group in drafted.stock.groups:
        if group.unit is not None and stored.intersection(group.parts):
            unit_of.update(dict.fromkeys(group.parts, packer.add(group.unit)))
    runs = tuple(step.n for step in drafted.plan.reruns)
    manifest = m.Manifest(
        saved_at=now,
        environment=describe_environment(),
        history=writer.put(encode_history(drafted.history)),
        execution_count=journey.execution_count,
        entries=tuple(_entry(choice, fingerprints, unit_of, drafted.stock.astray) for choice in drafted.choices),
        units=packer.units,
        definitions=packer.definitions(),
        cells_rerun=runs,
        seconds=clock() - started,
        sources=packer.sources(),
        files=_put_files(writer, [drafted.history.run(n) for n in runs], journey.directory),
        generators={state.generator: writer.put(state.state) for state in generators.now()},
        groups=drafted.stock.ties,
    )
    return writer.commit(manifest)


def _put_files(writer: ArchiveWriter, runs: Collection[CellRun], directory: Path) -> tuple[m.ShippedFile, ...]:
    found: dict[str, m.ShippedFile] = {}
    for run in runs:
        for file in run.files:
            if file.path not in found and shippable(file, directory):
                data = Path(file.path).read_bytes()
                relative = os.path.relpath(file.path, directory)
                found[file.path] = m.ShippedFile(relative, writer.put(data))
    return tuple(found.values())


def _entry(
    choice: Choice, fingerprints: Mapping[Name, Fingerprint], unit_of: Mapping[Name, int], astray: Collection[Name]
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
        astray=report.name in astray,
    )


def save_report(drafted: Draft, path: str, seconds: float, size: int) -> SaveReport:
    """The report of a save that succeeded."""
    plan = drafted.report()
    outputs = tuple(c.report for c in drafted.choices if output_number(c.report.name) is not None)
    return SaveReport(
        path, plan.variables, plan.cells_rerun, seconds, size, plan.seconds, plan.bytes, outputs, plan.notes
    )
