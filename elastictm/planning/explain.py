"""Why a plan treats each variable as it does, in figures and words."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import Refusal
from elastictm.model.reports import Choice, Outcome, VariableReport
from elastictm.model.tables import duration
from elastictm.planning.arcs import reach
from elastictm.planning.closures import below
from elastictm.planning.culprits import Culprits, in_words
from elastictm.planning.numbering import Numbered, numbered
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.rules import Rules, Weighing, firm_rules

_SAYS_ALL: Final = ("cannot ", "needs ", "was saved with ")
"""How reasons begin that need no words before them."""


def explain(
    history: HistoryView,
    problem: Problem,
    plan: ReplicationPlan,
    sizes: Mapping[Name, tuple[int, float]],
    refusals: Mapping[Name, Refusal],
) -> tuple[Choice, ...]:
    """One choice for each target, in the order of their production.

    What re-running costs is the run time of the cells that must run if this variable is re-run, with its alias group,
    and all else that has bytes is loaded.

    Args:
        history: The session's history.
        problem: What the plan was made from.
        plan: The plan.
        sizes: Bytes, and seconds to serialise, of each variable that can be stored.
        refusals: Why the others cannot.
    """
    told = _Told(history, problem, plan, sizes, refusals)
    return tuple(told.choice(version) for version in sorted(problem.targets, key=lambda v: (v.n, v.name)))


@dataclass(frozen=True, slots=True)
class _Rerun:
    """What re-running one variable takes; ``total`` adds inputs to load and files to ship to the cells' seconds."""

    cells: tuple[RunNumber, ...]
    seconds: float
    total: float


class _Told:
    """Finds what each choice turned on.

    Responsibilities:
    - what each target would take to re-run;
    - what forced the choice, or by how much it won.
    """

    def __init__(
        self,
        history: HistoryView,
        problem: Problem,
        plan: ReplicationPlan,
        sizes: Mapping[Name, tuple[int, float]],
        refusals: Mapping[Name, Refusal],
    ) -> None:
        self._history, self._problem, self._sizes, self._refusals = history, problem, sizes, refusals
        self._numbers = numbered(problem)
        self._lost = {loss.version: loss.cause for loss in plan.lost}
        rules = firm_rules(self._numbers)
        self._culprits = Culprits(self._numbers, rules)
        self._reruns = _reruns(self._numbers, rules, self._lost)
        self._outcomes: dict[Version, Outcome] = dict.fromkeys(plan.loads, "stored")
        self._outcomes.update(dict.fromkeys(plan.keeps, "kept"))
        self._outcomes.update((version, "rerun") for step in plan.reruns for version in step.writes)
        self._outcomes.update(dict.fromkeys(self._lost, "lost"))
        running = {step.n for step in plan.reruns}
        self._makers = {version: n for n, version in problem.displaces if n in running}
        self._groups: dict[Version, list[Version]] = {}
        for group in problem.groups:
            members = sorted(group - self._lost.keys())
            self._groups.update(dict.fromkeys(members, members))

    def choice(self, version: Version) -> Choice:
        """What was chosen for a target, and why."""
        outcome = self._outcomes[version]
        load = self._problem.versions[version].load
        rerun = self._reruns.get(version)
        size, seconds = self._sizes.get(version.name, (0, 0.0))
        refusal = self._refusals.get(version.name) if math.isinf(load) else None
        reasons = self._reasons(version, outcome, rerun)
        why = shown = "; ".join(reasons)
        if refusal is not None:
            bare = refusal.path == version.name and refusal.reason.startswith(_SAYS_ALL)
            told = refusal.reason if bare else f"cannot be stored: {refusal.path}: {refusal.reason}"
            why = "; ".join((told, *reasons))
            shown = "; ".join((refusal.reason, *reasons))
        report = VariableReport(
            name=version.name,
            outcome=outcome,
            kind=self._history.record(version).kind,
            reason=shown if outcome == "lost" or refusal is not None else "",
            path="" if refusal is None else refusal.path,
            bytes=size,
            seconds=seconds,
        )
        return Choice(
            report=report,
            n=version.n,
            store_seconds=None if math.isinf(load) else load,
            rerun_seconds=None if rerun is None else rerun.seconds,
            rerun_cells=() if rerun is None else rerun.cells,
            why=why,
        )

    def _reasons(self, version: Version, outcome: Outcome, rerun: _Rerun | None) -> tuple[str, ...]:
        """The reasons besides a refusal to be stored."""
        bare = math.isinf(self._problem.versions[version].load)
        unstored = ("there are no bytes of it",) if bare and version.name not in self._refusals else ()
        if outcome == "kept":
            return ("it is in place already",)
        if outcome == "stored":
            return (self._why_stored(version, rerun),)
        if outcome == "rerun":
            return unstored if bare else (self._why_rerun(version, rerun),)
        cause = in_words(self._lost[version], self._problem)
        return (*unstored, f"cannot be re-run: {cause}" if bare else cause)

    def _why_stored(self, version: Version, rerun: _Rerun | None) -> str:
        term = self._problem.versions[version]
        if not term.rerun_allowed:
            return term.obstacle or "it must not be re-run"
        if rerun is None:
            cause = self._cause(version)
            if cause is not None:
                return f"cannot be re-run: {cause}"
            mate = next((v for v in self._mates(version) if self._cause(v) is not None), None)
            return "what must be re-run with it cannot be" if mate is None else f"shares data with {mate.name}"
        margin = rerun.total - term.load
        if margin < 0:
            return f"the policy loads what it can; re-running is {duration(-margin)} cheaper"
        return f"loading is {duration(margin)} cheaper" if margin > 0 else "loading costs no more"

    def _why_rerun(self, version: Version, rerun: _Rerun | None) -> str:
        margin = self._problem.versions[version].load - (0.0 if rerun is None else rerun.total)
        if margin > 0:
            return f"re-running is {duration(margin)} cheaper"
        if version in self._makers:
            n = self._makers[version]
            return f"cell {n} runs again anyway" if n == version.n else f"cell {n} makes its class anew"
        mate = next((v for v in self._mates(version) if math.isinf(self._problem.versions[v].load)), None)
        mate = mate or next(self._mates(version), None)
        return "its cells run again anyway" if mate is None else f"shares data with {mate.name}"

    def _mates(self, version: Version) -> Iterator[Version]:
        """The others that share data with it and are not lost."""
        return (v for v in self._groups.get(version, ()) if v != version)

    def _cause(self, version: Version) -> str | None:
        """What forbids to re-run a version, for people."""
        cause = self._culprits.of(self._numbers.index[version])
        return None if cause is None else in_words(cause, self._problem)


def _reruns(numbers: Numbered, rules: Rules, lost: Collection[Version]) -> dict[Version, _Rerun]:
    """What re-running each target takes; those that cannot be are left out."""
    kept = numbers.target.copy()
    kept[[numbers.index[version] for version in lost]] = False
    weighing = Weighing.of(numbers, rules, kept)
    rule = np.isinf(weighing.costs)
    tails, heads, count = weighing.tails[rule], weighing.heads[rule], len(weighing.take)
    cannot = reach(count, heads, tails, np.isinf(weighing.take))
    versions, cells = len(numbers.versions), len(numbers.cells)
    prices = weighing.take.copy()
    prices[rules.count :] = np.where(np.isfinite(numbers.load), numbers.load, 0.0)
    starts = np.flatnonzero(numbers.target & ~cannot[:versions])
    found: dict[Version, _Rerun] = {}
    told: dict[int, _Rerun] = {}
    for start, nodes in below(count, tails, heads, starts, np.arange(count) >= versions).items():
        # Many variables have one set in common, which is one object; it is told once.
        if id(nodes) not in told:
            run = nodes[nodes < versions + cells]
            ordered = sorted(numbers.cells[c] for c in (run - versions).tolist())
            told[id(nodes)] = _Rerun(tuple(ordered), float(prices[run].sum()), float(prices[nodes].sum()))
        found[numbers.versions[start]] = told[id(nodes)]
    return found
