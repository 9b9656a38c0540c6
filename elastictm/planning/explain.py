"""Why a plan treats each variable as it does, in figures and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import Refusal
from elastictm.model.reports import Choice, Outcome, VariableReport
from elastictm.model.tables import duration
from elastictm.planning.plan import (
    Cause,
    Displaced,
    FileMissing,
    MustNotRun,
    NoSource,
    NotAllowed,
    ReplicationPlan,
    Tied,
)
from elastictm.planning.problem import Problem


def explain(
    history: HistoryView,
    problem: Problem,
    plan: ReplicationPlan,
    sizes: Mapping[Name, tuple[int, float]],
    refusals: Mapping[Name, Refusal],
) -> tuple[Choice, ...]:
    """One choice for each target, in the order of their production.

    Args:
        history: The session's history.
        problem: What the plan was made from.
        plan: The plan.
        sizes: Bytes, and seconds to serialise, of each variable that can be stored.
        refusals: Why the others cannot.
    """
    reruns = _Reruns(problem)
    lost = {loss.version: loss.cause for loss in plan.lost}
    loaded, kept = set(plan.loads), set(plan.keeps)
    chosen = {step.n for step in plan.reruns}
    found: list[Choice] = []
    for version in sorted(problem.targets, key=lambda v: (v.n, v.name)):
        term = problem.versions[version]
        outcome: Outcome = (
            "lost" if version in lost else "stored" if version in loaded else "kept" if version in kept else "rerun"
        )
        way = reruns.of(version)
        refusal = refusals.get(version.name)
        load = None if term.load == math.inf else term.load
        if version in lost:
            why = _loss(problem, lost[version], refusal)
        elif outcome == "rerun":
            why = _rerun(load, way, refusal, tied=any(version in group for group in problem.groups))
        elif outcome == "kept":
            why = "it is in place"
        else:
            why = _load(load, way, runs_anyway=version.n in chosen)
        reason = why if outcome == "lost" else refusal.reason if refusal is not None and outcome == "rerun" else ""
        path = refusal.path if refusal is not None else ""
        size, seconds = sizes.get(version.name, (0, 0.0))
        kind = history.record(version).kind
        report = VariableReport(version.name, outcome, kind, reason, path, size, seconds)
        found.append(Choice(report, version.n, load, way.seconds, way.cells, why))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Way:
    """The cells that would run to make one version, their seconds, or what stands against it."""

    cells: tuple[RunNumber, ...] = ()
    seconds: float | None = None
    obstacle: str = ""


class _Reruns:
    """For each cell run, all that runs with it when whatever has bytes is loaded.

    Cell runs are bits of an integer, so that the sets of 10,000 of them are united in a microsecond each.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._order = sorted(problem.cells)
        self._places = {n: place for place, n in enumerate(self._order)}
        self._sets: dict[RunNumber, int] = {}
        self._obstacles: dict[RunNumber, str] = {}
        self._ways: dict[RunNumber, _Way] = {}
        for n in self._order:
            self._add(n)

    def of(self, version: Version) -> _Way:
        """What making this version again would take."""
        term = self._problem.versions[version]
        if term.producer is None or not term.rerun_allowed:
            return _Way(obstacle=term.obstacle or "no cell made it")
        if term.producer in self._obstacles:
            return _Way(obstacle=self._obstacles[term.producer])
        if term.producer not in self._ways:
            members, cells = self._sets[term.producer], []
            while members:
                lowest = members & -members
                cells.append(self._order[lowest.bit_length() - 1])
                members ^= lowest
            seconds = sum(self._problem.cells[n].seconds for n in cells)
            self._ways[term.producer] = _Way(tuple(cells), seconds)
        return self._ways[term.producer]

    def _add(self, n: RunNumber) -> None:
        cell = self._problem.cells[n]
        if cell.seconds == math.inf:
            self._obstacles[n] = cell.obstacle or f"cell {n} must not run again"
            return
        for path in cell.files:
            if self._problem.ship.get(path) == math.inf:
                self._obstacles[n] = f"cell {n} reads {path}, which is not to be had"
                return
        members = 1 << self._places[n]
        for version in cell.reads:
            term = self._problem.versions.get(version)
            if term is None or term.load != math.inf:
                continue
            if term.producer is None or term.producer in self._obstacles:
                self._obstacles[n] = self._obstacles.get(term.producer or n, f"cell {n} needs {version}")
                return
            members |= self._sets.get(term.producer, 0)
        self._sets[n] = members


def _load(load: float | None, way: _Way, *, runs_anyway: bool) -> str:
    if way.seconds is None:
        return f"only its bytes will do: {way.obstacle}"
    if runs_anyway:
        return "its bytes are wanted although its cell runs"
    difference = way.seconds - (load or 0.0)
    return f"storing is {duration(difference)} cheaper" if difference > 0 else "storing is as cheap, all things counted"


def _rerun(load: float | None, way: _Way, refusal: Refusal | None, *, tied: bool) -> str:
    if load is None:
        if refusal is None:
            return "there are no bytes of it"
        return f"cannot be stored: {refusal.path}: {refusal.reason}"
    if way.seconds is not None and way.seconds < load:
        return f"re-running is {duration(load - way.seconds)} cheaper"
    return "it shares data with what is re-run" if tied else "its cell runs again for others"


def _loss(problem: Problem, cause: Cause, refusal: Refusal | None) -> str:
    stored = f"{refusal.reason}; " if refusal is not None else ""
    return stored + _because(problem, cause)


def _because(problem: Problem, cause: Cause) -> str:
    """A cause in words."""
    if isinstance(cause, MustNotRun):
        cell = problem.cells.get(cause.n)
        return (cell.obstacle if cell is not None else "") or f"cell {cause.n} must not run again"
    if isinstance(cause, NoSource):
        return f"there are neither bytes nor a cell for {cause.version}"
    if isinstance(cause, NotAllowed):
        term = problem.versions.get(cause.version)
        return (term.obstacle if term is not None else "") or f"{cause.version} must not be made again"
    if isinstance(cause, FileMissing):
        return f"{cause.path} is not as it was read, or cannot travel"
    if isinstance(cause, Tied):
        return f"it shares data with {cause.to.name}, and {_because(problem, cause.cause)}"
    assert isinstance(cause, Displaced)  # noqa: S101 - the union ends here
    return f"cell {cause.n} would make the class of {cause.of.name} anew, and {_because(problem, cause.cause)}"
