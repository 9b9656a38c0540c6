"""Cells that run aside, as people see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from elastictm.ids import Name
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, amount, duration
from elastictm.model.texts import counted
from elastictm.model.tones import Tone

FutureStatus = Literal["waiting", "running", "finished", "failed", "cancelled"]
"""How a future stands; the last three are for good."""

_TONES: dict[FutureStatus, Tone] = {"failed": "lost", "cancelled": "faint", "waiting": "faint"}


@dataclass(frozen=True, slots=True)
class FutureLine:
    """One run of a future: ``elapsed`` seconds so far, the ``peak`` of its memory in bytes, 0 where nobody knows.

    ``case`` tells the values that it runs with, empty where there is one run only.
    ``made`` are the variables that can be taken, ``why`` tells what it waits for, or why it failed.
    """

    name: str
    case: str
    status: FutureStatus
    elapsed: float
    peak: int = 0
    made: tuple[Name, ...] = ()
    why: str = ""
    taken: bool = False

    def to_json(self) -> dict[str, object]:
        """The run as a dict of plain values."""
        return {
            "name": self.name,
            "case": self.case,
            "status": self.status,
            "elapsed": self.elapsed,
            "peak": self.peak,
            "made": list(self.made),
            "why": self.why,
            "taken": self.taken,
        }

    @property
    def ended(self) -> bool:
        """Whether it is as it is for good."""
        return self.status in {"finished", "failed", "cancelled"}

    @property
    def told(self) -> str:
        """What can be taken of it, or what it waits for, or why it failed."""
        made = ", ".join(self.made)
        return self.why or (f"{made} (taken)" if self.taken else made)


@dataclass(frozen=True, slots=True, repr=False)
class FutureList(Shown):
    """The futures of a session, in the order in which they began; ``notes`` tell what else is to be known."""

    futures: tuple[FutureLine, ...]
    notes: tuple[str, ...] = ()

    def of(self, name: str) -> FutureList:
        """The runs of one of them."""
        return FutureList(tuple(future for future in self.futures if future.name == name))

    def to_json(self) -> dict[str, object]:
        """The futures as a dict of plain values."""
        return {"futures": [future.to_json() for future in self.futures], "notes": list(self.notes)}

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each run."""
        rows = tuple(
            (f.name, f.case, f.status, duration(f.elapsed), amount(f.peak) if f.peak else "-", f.told)
            for f in self.futures
        )
        columns = ("future", "with", "status", "time", "peak memory", "variables")
        tones = tuple(_TONES.get(f.status, "") for f in self.futures)
        return (Table(self._heading(), columns, rows, self.notes, tones=tones, spare=("peak memory", "with")),)

    def _heading(self) -> str:
        if not self.futures:
            return "no futures: %%future NAME, as the first line of a cell, runs it aside"
        counts = [
            f"{number} {status}"
            for status in ("running", "waiting", "finished", "failed", "cancelled")
            if (number := sum(f.status == status for f in self.futures))
        ]
        return f"{counted(len({f.name for f in self.futures}), 'future')}: {', '.join(counts)}"
