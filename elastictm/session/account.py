"""The account of a restore: what became of every variable, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from elastictm.ids import Fingerprint, Name, RunNumber, Version, is_variable, output_name
from elastictm.model.records import Remark
from elastictm.model.remedies import ANOTHER_VALUE
from elastictm.model.reports import Choice, Outcome, RestoreReport, VariableReport
from elastictm.planning.explain import explain
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.unrepeatable import doubtful, unrepeatable_cells
from elastictm.session.hash_seed import hash_seed
from elastictm.session.host import Host, variables
from elastictm.session.lessons import Lessons
from elastictm.session.luggage import left_behind
from elastictm.session.saved import Saved
from elastictm.session.states import NOT_KEPT
from elastictm.storage import manifest as m
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, Surroundings


@dataclass(frozen=True, slots=True)
class Account:
    """What is told of a plan that was executed; ``clock`` gives seconds."""

    saved: Saved
    host: Host
    lessons: Lessons
    problem: Problem
    plan: ReplicationPlan
    clock: Callable[[], float]

    def report(self, unlike: Collection[Name], notes: tuple[str, ...]) -> RestoreReport:
        """The report; the history learns what did not come back, and what came back otherwise."""
        history = self.saved.history
        reports = self._variables(unlike)
        for name in sorted(unlike):
            history.remark(self.remark(name))
        present = {r.name for r in reports if r.outcome != "lost"}
        history.lapse([name for name in history.live if name not in present])
        lessons = self.lessons
        told = [alteration.told() for alteration in left_behind(self.saved.altered, self.plan)]
        told += self._may_differ()
        told += notes
        losses = [r.reason for r in reports if r.outcome == "lost"]
        told += [
            f"cell {n} was not re-run: {why}"
            for n, why in lessons.cells.items()
            if not any(f"cell {n}: {why}" in reason for reason in losses)
        ]
        told += [f"cell {n} ran again; the first time it {'; '.join(done)}" for n, done in lessons.done.items()]
        told += _unloaded(lessons, reports)
        return RestoreReport(
            str(self.saved.reader.name),
            tuple(r for r in reports if is_variable(r.name)),
            tuple(step.n for step in self.plan.reruns),
            0.0,
            sum(self.saved.entry(version).bytes for version in self.plan.loads),
            tuple(r for r in reports if not is_variable(r.name)),
            notes=tuple(told),
            unloaded=tuple((r.path, r.reason) for r in lessons.unloadable().values()),
        )

    def _may_differ(self) -> Iterator[str]:
        """What cells made again that are not repeatable, and nothing could be compared with."""
        history, entries = self.saved.history, self.saved.entries
        cells = unrepeatable_cells(history, allow_effects=True, gone=(), hash_seed=hash_seed())
        reasons = {cell.n: cell.reason for cell in cells}
        for step, n in doubtful(history, self.plan.reruns, reasons):
            made = [v.name for v in step.writes if v.name in entries and entries[v.name].n == v.n]
            names = [name for name in made if is_variable(name) and entries[name].fingerprint is None]
            if names:
                why = reasons[n] if n == step.n else f"read what cell {n} made: {reasons[n]}"
                yield f"MAY DIFFER {', '.join(names)}: cell {step.n} ran again, and {why}"

    def remark(self, name: Name) -> Remark:
        """What is learned of the cell that made another value of a variable."""
        return Remark(self.saved.history.live[name].n, f"running it again gave another value of {name}")

    def _variables(self, unlike: Collection[Name]) -> list[VariableReport]:
        saved, refusals = self.saved, self.lessons.refusals(self.saved.entries)
        causes = {c.report.name: c for c in explain(saved.history, self.problem, self.plan, saved.sizes(), refusals)}
        return [self._variable(name, entry, causes.get(name), unlike) for name, entry in saved.entries.items()]

    def _variable(self, name: Name, entry: m.Entry, cause: Choice | None, unlike: Collection[Name]) -> VariableReport:
        outcome: Outcome = "lost" if cause is None else cause.report.outcome
        reason, path = "", ""
        if cause is None:
            reason, path = entry.reason, entry.path
        elif outcome == "lost":
            reason, path = cause.report.reason, cause.report.path
        elif outcome == "stored" and entry.flaw:
            reason = entry.flaw
        elif name in unlike:
            known = ", ".join(self.saved.runs[RunNumber(entry.n)].unrepeatable)
            reason = f"{ANOTHER_VALUE}running cell {entry.n} again gave another value than the one saved"
            reason += f" ({known})" if known else ""
        elif outcome == "rerun" and entry.fingerprint is None:
            known = ", ".join(self.saved.runs[RunNumber(entry.n)].unrepeatable)
            reason = "was not kept" if entry.reason.startswith(NOT_KEPT) else "cannot be stored"
            reason += ", so its new value could not be compared with the old"
            reason += f", and it is not repeatable: {known}" if known else ""
        report = VariableReport(name, outcome, entry.kind, reason, path, entry.bytes, entry.seconds)
        return report.advised("restore")

    def unlike(self, around: Surroundings, outputs: Mapping[int, Any]) -> set[Name]:
        """The re-run variables whose value is not the one that was saved."""
        entries, made = self.saved.entries, {version for step in self.plan.reruns for version in step.writes}
        # Re-runs also make what a later cell deleted or made anew.
        reruns = {name for name, entry in entries.items() if Version(name, RunNumber(entry.n)) in made}
        reruns -= {loss.version.name for loss in self.plan.lost}
        if not reruns:
            return set()
        values = variables(self.host) | {output_name(n): value for n, value in outputs.items()}
        freezer = Freezer(around, self.clock)
        named = named_definitions(values.values())
        found: set[Name] = set()
        grouped = [tuple(map(Name, group)) for group in self.saved.manifest.groups]
        single = [(name,) for name in reruns if not any(name in group for group in grouped)]
        for group in [*grouped, *single]:
            if not reruns.intersection(group):
                continue
            frozen = freezer.group({name: values[name] for name in group if name in values}, named)
            for name in reruns.intersection(group):
                expected = entries[name].fingerprint
                part = frozen.parts.get(name)
                digest: Fingerprint | None = part.digest if part is not None else None
                if expected is not None and digest != expected:
                    found.add(name)
        return found


def _unloaded(lessons: Lessons, reports: Collection[VariableReport]) -> list[str]:
    """Why variables that came back were not loaded: what is known before is told as a difference, losses as losses."""
    back = {report.name for report in reports if report.outcome != "lost"}
    found: dict[str, list[str]] = {}
    for refusal in lessons.units.values():
        names = [name for name in refusal.path.split(", ") if name in back]
        if names:
            found.setdefault(refusal.reason, []).extend(names)
    return [f"did not load here, so cells ran again: {', '.join(names)}: {why}" for why, names in found.items()]
