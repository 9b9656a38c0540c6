"""What a plan, a save or a restore tells its user: one outcome for each variable, losses first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from elastictm.ids import Name, RunNumber
from elastictm.model.remedies import ANOTHER_VALUE, URGENT, Moment, remedy
from elastictm.model.settings_report import SettingsReport, kept_lines, lost_lines
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, amount, duration
from elastictm.model.tones import Tone

if TYPE_CHECKING:
    from elastictm.model.rehearsals import RehearsalReport

Outcome = Literal["stored", "rerun", "kept", "lost"]
"""What becomes of a variable."""

Policy = Literal["optimal", "store-all", "rerun-all"]
"""How a replication plan is chosen."""

_MOST_CELLS: Final = 40
"""Cells that are not repeatable, in the table of a plan."""

_LONGEST_WHY: Final = 300
"""Characters of a reason in one line."""

_FOLDED_FROM: Final = 12
"""Variables that stayed as they were, of which nothing is notable, that get one line together."""

_SMALL: Final = 10_000
"""Bytes of such a variable."""

_LOSSES_FIRST: dict[Outcome, int] = {"lost": 0, "rerun": 1, "stored": 2, "kept": 3}


@dataclass(frozen=True, slots=True)
class VariableReport:
    """One variable's outcome; sizes in bytes, times in seconds.

    ``path`` names the inner object that refused to be stored, such as ``model.callbacks[2]._lock``.
    ``remedy`` says what the user can do about a loss.
    """

    name: Name
    outcome: Outcome
    kind: str = ""
    reason: str = ""
    path: str = ""
    bytes: int = 0
    seconds: float = 0.0
    remedy: str = ""

    @property
    def why(self) -> str:
        """The reason, after the path where that says more than the name."""
        return ": ".join(filter(None, ("" if self.path == self.name else self.path, self.reason)))

    @property
    def line(self) -> str:
        """A loss, or a value that came back otherwise, in one line."""
        kind = f" ({self.kind})" if self.kind else ""
        advice = f". What to do: {self.remedy}" if self.remedy else ""
        word = "LOST" if self.outcome == "lost" else "DIFFERENT"
        why = (
            self.why
            if len(self.why) <= _LONGEST_WHY
            else f"{self.why[:_LONGEST_WHY].rstrip(' ,')}… (to_json() has it all)"
        )
        return f"{word} {self.name}{kind}: {why or 'no reason is known'}{advice}"

    @property
    def bad(self) -> bool:
        """Whether the value is lost, or came back otherwise."""
        return self.outcome == "lost" or (self.outcome == "rerun" and self.reason.startswith(ANOTHER_VALUE))

    def advised(self, moment: Moment) -> VariableReport:
        """The report with what to do, where the value is lost or came back otherwise."""
        return replace(self, remedy=remedy(self.reason, moment)) if self.bad else self

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "kind": self.kind,
            "reason": self.reason,
            "path": self.path,
            "remedy": self.remedy,
            "bytes": self.bytes,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """Why the plan treats one variable as it does.

    ``store_seconds`` covers serialising, sending and loading and is None where no bytes can be had;
    ``rerun_seconds`` is the run time of ``rerun_cells``, all that would have to run, None where that is impossible.
    """

    report: VariableReport
    n: RunNumber
    store_seconds: float | None
    rerun_seconds: float | None
    rerun_cells: tuple[RunNumber, ...]
    why: str

    def advised(self, moment: Moment) -> Choice:
        """The choice with what to do about a loss."""
        return replace(self, report=self.report.advised(moment))

    def to_json(self) -> dict[str, object]:
        """The choice as a dict of plain values."""
        return self.report.to_json() | {
            "n": self.n,
            "store_seconds": self.store_seconds,
            "rerun_seconds": self.rerun_seconds,
            "rerun_cells": list(self.rerun_cells),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Unrepeatable:
    """A cell run that is not run again, or would give another result, and why; ``code`` is its first line."""

    n: RunNumber
    code: str
    reason: str

    def to_json(self) -> dict[str, object]:
        """The cell as a dict of plain values."""
        return {"n": self.n, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True, repr=False)
class PlanReport(Shown):
    """A replication plan and its reasons; ``bandwidth`` in bytes per second.

    ``differences`` are those between the machine of an archive and this one, where the plan is for a restore.
    """

    choices: tuple[Choice, ...]
    cells_rerun: tuple[RunNumber, ...]
    seconds: float
    bytes: int
    policy: Policy
    bandwidth: float
    notes: tuple[str, ...] = ()
    unrepeatable: tuple[Unrepeatable, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[VariableReport, ...]:
        """The outcome of each variable, losses first."""
        return _ordered(choice.report for choice in self.choices)

    def to_json(self) -> dict[str, object]:
        """The plan as a dict of plain values."""
        return {
            "variables": [c.to_json() for c in sorted(self.choices, key=lambda c: c.report.outcome != "lost")],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "policy": self.policy,
            "bandwidth": self.bandwidth,
            "differences": list(self.differences),
            "notes": list(self.notes),
            "unrepeatable": [cell.to_json() for cell in self.unrepeatable],
        }

    def _by_loss(self) -> list[Choice]:
        return sorted(self.choices, key=lambda c: (_LOSSES_FIRST[c.report.outcome], -c.report.bytes, c.report.name))

    def tables(self) -> tuple[Table, ...]:
        """The plan, losses first, and the cells that are not repeatable."""
        by_loss = self._by_loss()
        rows = tuple(
            (
                c.report.name,
                str(c.n),
                c.report.kind,
                c.report.outcome,
                amount(c.report.bytes),
                duration(c.store_seconds),
                duration(c.rerun_seconds),
                ", ".join(map(str, c.rerun_cells)),
                c.why,
            )
            for c in by_loss
            if c.report.outcome != "lost"
        )
        head = f"Plan ({self.policy}): {_summary(self.variables, self.cells_rerun)}; "
        head += f"predicted {duration(self.seconds)}, {amount(self.bytes)} at {amount(self.bandwidth)}/s"
        columns = ("variable", "cell", "kind", "outcome", "bytes", "store+load", "re-run", "by cells", "why")
        lost = tuple(c.report.line for c in by_loss if c.report.outcome == "lost")
        lost += tuple(note for note in self.notes if note.startswith(URGENT))
        notes = tuple(note for note in self.notes if not note.startswith(URGENT))
        spare = ("by cells", "kind", "store+load", "re-run", "why", "cell")
        plan = Table(head, columns, rows, notes, lost + _differing(self.differences), spare=spare)
        return (plan, self._cells()) if self.unrepeatable else (plan,)

    def _cells(self) -> Table:
        rows = tuple((str(cell.n), cell.code, cell.reason) for cell in self.unrepeatable)
        more = len(rows) - _MOST_CELLS
        notes = (f"and {more} more",) if more > 0 else ()
        return Table("Cells that are not repeatable", ("cell", "code", "why"), rows[:_MOST_CELLS], notes)


@dataclass(frozen=True, slots=True, repr=False)
class SaveReport(Shown):
    """What a save wrote; predicted beside actual; ``restore_seconds`` is what a restore is predicted to take."""

    path: str
    variables: tuple[VariableReport, ...]
    cells_rerun: tuple[RunNumber, ...]
    seconds: float
    bytes: int
    predicted_seconds: float
    predicted_bytes: int
    outputs: tuple[VariableReport, ...] = ()
    notes: tuple[str, ...] = ()
    rehearsal: RehearsalReport | None = None
    settings: tuple[SettingsReport, ...] = ()
    restore_seconds: float | None = None

    @property
    def lost(self) -> tuple[VariableReport, ...]:
        """The variables that the archive cannot bring back."""
        return tuple(v for v in self.variables if v.outcome == "lost")

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "path": self.path,
            "variables": [v.to_json() for v in sorted(self.variables, key=lambda v: v.outcome != "lost")],
            "outputs": [v.to_json() for v in self.outputs],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "predicted_seconds": self.predicted_seconds,
            "predicted_bytes": self.predicted_bytes,
            "restore_seconds": self.restore_seconds,
            "notes": list(self.notes),
            "settings": [s.to_json() for s in self.settings],
        } | ({} if self.rehearsal is None else {"rehearsal": self.rehearsal.to_json()})

    def tables(self) -> tuple[Table, ...]:
        """One table, losses first."""
        head = f"Saved {self.path}: {_summary(self.variables, self.cells_rerun)}; "
        head += f"{_took(self.seconds, self.predicted_seconds)}, {_weighed(self.bytes, self.predicted_bytes)}"
        if self.restore_seconds is not None:
            head += f"; a restore is predicted to take {duration(self.restore_seconds)}"
        notes, first = kept_lines(self.settings) + self.notes, lost_lines(self.settings)
        if self.rehearsal is not None:
            notes = tuple(dict.fromkeys((*notes, *self.rehearsal.notes)))
            first += tuple(f"rehearsal: {line}" for line in self.rehearsal.lines([v.name for v in self.lost]))
        return (_outcomes(head, self.variables, self.outputs, notes, first),)


@dataclass(frozen=True, slots=True, repr=False)
class RestoreReport(Shown):
    """What a restore brought back, by which means, and what differs here.

    ``unloaded`` are the values that did not load, each with its name and why.
    """

    path: str
    variables: tuple[VariableReport, ...]
    cells_rerun: tuple[RunNumber, ...]
    seconds: float
    bytes: int
    outputs: tuple[VariableReport, ...] = ()
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unloaded: tuple[tuple[str, str], ...] = ()
    settings: tuple[SettingsReport, ...] = ()
    predicted_seconds: float | None = None
    predicted_bytes: int | None = None

    @property
    def lost(self) -> tuple[VariableReport, ...]:
        """The variables that did not come back."""
        return tuple(v for v in self.variables if v.outcome == "lost")

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "path": self.path,
            "variables": [v.to_json() for v in sorted(self.variables, key=lambda v: v.outcome != "lost")],
            "outputs": [v.to_json() for v in self.outputs],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "predicted_seconds": self.predicted_seconds,
            "predicted_bytes": self.predicted_bytes,
            "differences": list(self.differences),
            "notes": list(self.notes),
            "settings": [s.to_json() for s in self.settings],
        }

    def tables(self) -> tuple[Table, ...]:
        """One table, losses first."""
        head = f"Restored {self.path}: {_summary(self.variables, self.cells_rerun)}; "
        head += f"{_took(self.seconds, self.predicted_seconds)}, {_weighed(self.bytes, self.predicted_bytes)}"
        notes = kept_lines(self.settings) + self.notes
        first = lost_lines(self.settings) + _differing(self.differences)
        return (_outcomes(head, self.variables, self.outputs, notes, first),)


def _ordered(variables: object) -> tuple[VariableReport, ...]:
    return tuple(sorted(variables, key=lambda v: (_LOSSES_FIRST[v.outcome], -v.bytes, v.name)))  # type: ignore[call-overload]


def _summary(variables: tuple[VariableReport, ...], cells: tuple[RunNumber, ...]) -> str:
    counts = {outcome: sum(v.outcome == outcome for v in variables) for outcome in _LOSSES_FIRST}
    words = {"lost": "LOST", "rerun": "re-run", "stored": "stored", "kept": "kept"}
    running = f" (by cell{'s' * (len(cells) > 1)} {', '.join(map(str, cells))})" if cells else ""
    parts = [
        f"{count} {words[outcome]}{running if outcome == 'rerun' else ''}" for outcome, count in counts.items() if count
    ]
    text = ", ".join(parts) or "no variables"
    return text if counts["rerun"] else text + running


def _took(seconds: float, predicted: float | None) -> str:
    return duration(seconds) if predicted is None else f"{duration(seconds)} (predicted {duration(predicted)})"


def _weighed(size: int, predicted: int | None) -> str:
    return amount(size) if predicted is None else f"{amount(size)} (predicted {amount(predicted)})"


def _differing(differences: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"differs: {difference}" for difference in differences)


def _outcomes(
    head: str,
    variables: tuple[VariableReport, ...],
    outputs: tuple[VariableReport, ...],
    notes: tuple[str, ...],
    first: tuple[str, ...] = (),
) -> Table:
    ordered = _ordered(variables)
    shown = _worth_a_row(ordered)
    if len(shown) < len(ordered):
        notes = (f"{len(ordered) - len(shown)} more kept", *notes)
    lost = tuple(v.line for v in ordered if v.bad)
    lost += tuple(note for note in notes if note.startswith(URGENT))
    rows = tuple(
        (v.name, v.kind, v.outcome, amount(v.bytes), _time(v), "DIFFERENT" if v.bad else v.why)
        for v in shown
        if v.outcome != "lost"
    )
    others = tuple(note for note in notes if not note.startswith(URGENT))
    columns = ("variable", "kind", "outcome", "bytes", "seconds", "why")
    tones: tuple[Tone, ...] = tuple("differs" if v.bad else "" for v in shown if v.outcome != "lost")
    lost += _lost_results(ordered, outputs)
    return Table(head, columns, rows, others, lost + first, tones, spare=("kind", "seconds", "why"))


def _worth_a_row(variables: tuple[VariableReport, ...]) -> tuple[VariableReport, ...]:
    """The variables, but those that stayed as they were if these are many, small, and nothing is notable of them."""
    rest = tuple(v for v in variables if v.outcome != "kept" or v.bytes >= _SMALL or v.why or v.bad)
    return rest if len(variables) - len(rest) >= _FOLDED_FROM else variables


def _time(variable: VariableReport) -> str:
    return "" if variable.outcome == "rerun" and not variable.seconds else duration(variable.seconds)


def _lost_results(variables: tuple[VariableReport, ...], outputs: tuple[VariableReport, ...]) -> tuple[str, ...]:
    """What is lost besides variables, all that is for one reason in one line; no reason is told twice."""
    told = {v.reason: f"with {v.name}" for v in reversed(variables) if v.outcome == "lost"}
    found: dict[str, list[str]] = {}
    for output in outputs:
        if output.outcome == "lost":
            found.setdefault(told.get(output.reason, f"because: {output.reason}"), []).append(output.name)
    return tuple(f"lost besides, {why}: {', '.join(names)}" for why, names in found.items())
