"""What attempts to restore a session here have taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from elastictm.ids import Name, RunNumber
from elastictm.model.records import Refusal
from elastictm.storage import manifest as m


@dataclass(slots=True)
class Lessons:
    """What failed, and why: units that do not load, cells that do not run again.

    ``done`` is what cells did outside the session when they ran again; nothing of it is done twice.
    """

    units: dict[int, Refusal] = field(default_factory=dict)
    cells: dict[RunNumber, str] = field(default_factory=dict)
    done: dict[RunNumber, tuple[str, ...]] = field(default_factory=dict)

    def spare_what_was_done(self) -> None:
        """Before another attempt: what touched the world outside once does not run again."""
        for n, done in self.done.items():
            self.cells.setdefault(n, f"it ran once already, and {'; '.join(done)}")

    def refusals(self, entries: Mapping[Name, m.Entry]) -> dict[Name, Refusal]:
        """Why variables have no bytes here: they do not load, or could not be stored."""
        found: dict[Name, Refusal] = {}
        for name, entry in entries.items():
            if entry.unit is not None and entry.unit in self.units:
                found[name] = self.units[entry.unit]
            elif entry.unit is None and entry.path:
                found[name] = Refusal(entry.path, entry.reason)
        return found
