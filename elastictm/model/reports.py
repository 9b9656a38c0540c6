"""What a plan, a save or a restore tells its user: one outcome for each variable, losses first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from elastictm.ids import Name, RunNumber
from elastictm.model.tables import Table, amount, duration

if TYPE_CHECKING:
    from elastictm.model.rehearsals import RehearsalReport

Outcome = Literal["stored", "rerun", "kept", "lost"]
"""What becomes of a variable."""

Policy = Literal["optimal", "store-all", "rerun-all"]
"""How a replication plan is chosen."""

_LOSSES_FIRST: dict[Outcome, int] = {"lost": 0, "rerun": 1, "stored": 2, "kept": 3}


@dataclass(frozen=True, slots=True)
class VariableReport:
    """One variable's outcome; sizes in bytes, times in seconds.

    ``path`` names the inner object that refused to be stored, such as ``model.callbacks[2]._lock``.
    """

    name: Name
    outcome: Outcome
    kind: str = ""
    reason: str = ""
    path: str = ""
    bytes: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "kind": self.kind,
            "reason": self.reason,
            "path": self.path,
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

    def to_json(self) -> dict[str, object]:
        """The choice as a dict of plain values."""
        return self.report.to_json() | {
            "n": self.n,
            "store_seconds": self.store_seconds,
            "rerun_seconds": self.rerun_seconds,
            "rerun_cells": list(self.rerun_cells),
            "why": self.why,
        }


class _Shown:
    """Text and HTML forms that every report has, both made from its tables."""

    __slots__ = ()

    def _tables(self) -> tuple[Table, ...]:
        raise AssertionError(type(self))

    def __str__(self) -> str:
        return "\n\n".join(table.to_text() for table in self._tables())

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self._tables())


@dataclass(frozen=True, slots=True, repr=False)
class PlanReport(_Shown):
    """A replication plan and its reasons; ``bandwidth`` in bytes per second."""

    choices: tuple[Choice, ...]
    cells_rerun: tuple[RunNumber, ...]
    seconds: float
    bytes: int
    policy: Policy
    bandwidth: float
    notes: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[VariableReport, ...]:
        """The outcome of each variable, losses first."""
        return _ordered(choice.report for choice in self.choices)

    def to_json(self) -> dict[str, object]:
        """The plan as a dict of plain values."""
        return {
            "variables": [choice.to_json() for choice in self.choices],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "policy": self.policy,
            "bandwidth": self.bandwidth,
            "notes": list(self.notes),
        }

    def _tables(self) -> tuple[Table, ...]:
        by_loss = sorted(self.choices, key=lambda c: (_LOSSES_FIRST[c.report.outcome], -c.report.bytes, c.report.name))
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
        )
        head = f"Plan ({self.policy}): {_summary(self.variables, self.cells_rerun)}; "
        head += f"predicted {duration(self.seconds)}, {amount(self.bytes)} at {amount(self.bandwidth)}/s"
        columns = ("variable", "cell", "kind", "outcome", "bytes", "store+load", "re-run", "by cells", "why")
        return (Table(head, columns, rows, self.notes),)


@dataclass(frozen=True, slots=True, repr=False)
class SaveReport(_Shown):
    """What a save wrote; predicted beside actual."""

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

    @property
    def lost(self) -> tuple[VariableReport, ...]:
        """The variables that the archive cannot bring back."""
        return tuple(v for v in self.variables if v.outcome == "lost")

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "path": self.path,
            "variables": [v.to_json() for v in self.variables],
            "outputs": [v.to_json() for v in self.outputs],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "predicted_seconds": self.predicted_seconds,
            "predicted_bytes": self.predicted_bytes,
            "notes": list(self.notes),
        } | ({} if self.rehearsal is None else {"rehearsal": self.rehearsal.to_json()})

    def _tables(self) -> tuple[Table, ...]:
        head = f"Saved {self.path}: {_summary(self.variables, self.cells_rerun)}; "
        head += f"{duration(self.seconds)} (predicted {duration(self.predicted_seconds)}), "
        head += f"{amount(self.bytes)} (predicted {amount(self.predicted_bytes)})"
        rehearsed = () if self.rehearsal is None else self.rehearsal.lines()
        return (_outcomes(head, self.variables, self.outputs, rehearsed + self.notes),)


@dataclass(frozen=True, slots=True, repr=False)
class RestoreReport(_Shown):
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

    @property
    def lost(self) -> tuple[VariableReport, ...]:
        """The variables that did not come back."""
        return tuple(v for v in self.variables if v.outcome == "lost")

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "path": self.path,
            "variables": [v.to_json() for v in self.variables],
            "outputs": [v.to_json() for v in self.outputs],
            "cells_rerun": list(self.cells_rerun),
            "seconds": self.seconds,
            "bytes": self.bytes,
            "differences": list(self.differences),
            "notes": list(self.notes),
        }

    def _tables(self) -> tuple[Table, ...]:
        head = f"Restored {self.path}: {_summary(self.variables, self.cells_rerun)}; "
        head += f"{duration(self.seconds)}, {amount(self.bytes)}"
        return (_outcomes(head, self.variables, self.outputs, self.differences + self.notes),)


def _ordered(variables: object) -> tuple[VariableReport, ...]:
    return tuple(sorted(variables, key=lambda v: (_LOSSES_FIRST[v.outcome], -v.bytes, v.name)))  # type: ignore[call-overload]


def _summary(variables: tuple[VariableReport, ...], cells: tuple[RunNumber, ...]) -> str:
    counts = {outcome: sum(v.outcome == outcome for v in variables) for outcome in _LOSSES_FIRST}
    words = {"lost": "LOST", "rerun": "re-run", "stored": "stored", "kept": "kept"}
    parts = [f"{count} {words[outcome]}" for outcome, count in counts.items() if count]
    text = ", ".join(parts) or "no variables"
    if cells:
        text += f" (cells {', '.join(map(str, cells))})"
    return text


def _outcomes(
    head: str, variables: tuple[VariableReport, ...], outputs: tuple[VariableReport, ...], notes: tuple[str, ...]
) -> Table:
    rows = tuple(
        (v.name, v.kind, v.outcome, amount(v.bytes), duration(v.seconds), ": ".join(filter(None, (v.path, v.reason))))
        for v in _ordered(variables)
    )
    lost_outputs = tuple(f"{o.name} was lost: {o.reason}" for o in outputs if o.outcome == "lost")
    return Table(head, ("variable", "kind", "outcome", "bytes", "seconds", "why"), rows, lost_outputs + notes)
