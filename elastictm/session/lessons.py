"""What attempts to restore a session here have taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from elastictm.ids import Name, RunNumber
from elastictm.model.records import Refusal
from elastictm.model.remedies import CANNOT_RERUN
from elastictm.session.fit import Fit
from elastictm.storage import manifest as m


@dataclass(slots=True)
class Lessons:
    """What failed, and why: units that do not load, cells that do not run again.

    ``done`` is what cells did outside the session when they ran again; nothing of it is done twice.
    ``foreseen`` is what was known before the first attempt.
    """

    foreseen: Fit = field(default_factory=Fit)
    units: dict[int, Refusal] = field(default_factory=dict)
    cells: dict[RunNumber, str] = field(default_factory=dict)
    done: dict[RunNumber, tuple[str, ...]] = field(default_factory=dict)

    def spare_what_was_done(self) -> None:
        """Before another attempt: what touched the world outside once does not run again."""
        for n, done in self.done.items():
            self.cells.setdefault(n, f"it ran once already, and {'; '.join(done)}")

    def unloadable(self) -> dict[int, Refusal]:
        """The units that do not load, and why."""
        return {**self.foreseen.units, **self.units}

    def obstacle(self, n: RunNumber) -> str | None:
        """Why a cell does not run again; None where it may."""
        return self.foreseen.cells.get(n) or self.cells.get(n)

    def refusals(self, entries: Mapping[Name, m.Entry]) -> dict[Name, Refusal]:
        """Why variables have no bytes here: they do not load, or could not be stored."""
        found: dict[Name, Refusal] = {}
        unloadable = self.unloadable()
        for name, entry in entries.items():
            if entry.unit is not None and entry.unit in unloadable:
                found[name] = _of_one(unloadable[entry.unit], entry)
            elif entry.unit is None and entry.path:
                # What kept its cells from running there is no matter here.
                found[name] = Refusal(entry.path, entry.reason.partition(CANNOT_RERUN)[0])
        return found


def _of_one(refusal: Refusal, entry: m.Entry) -> Refusal:
    """Why one of the variables in a unit has no bytes: where the whole unit does not load, its own name is the path."""
    return Refusal(entry.name, refusal.reason) if ", " in refusal.path else refusal
