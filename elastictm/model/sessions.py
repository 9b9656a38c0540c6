"""Earlier sessions and what a state holds, as people see them."""

from __future__ import annotations

from dataclasses import dataclass

from elastictm.model.reports import VariableReport
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, age, amount, duration
from elastictm.model.texts import counted


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session that keeps a past; ``age`` is in seconds, ``bytes`` are on disk, ``alive`` tells that it goes on.

    ``gaps`` tell what of it cannot be read, or was not kept.
    """

    id: str
    age: float
    directory: str
    notebook: str | None
    python: str
    bytes: int
    alive: bool
    gaps: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The session as a dict of plain values."""
        return {
            "id": self.id,
            "age": self.age,
            "directory": self.directory,
            "notebook": self.notebook,
            "python": self.python,
            "bytes": self.bytes,
            "alive": self.alive,
            "gaps": list(self.gaps),
        }


@dataclass(frozen=True, slots=True, repr=False)
class SessionList(Shown):
    """The sessions below one folder, the latest first."""

    folder: str
    sessions: tuple[SessionLine, ...]

    def to_json(self) -> dict[str, object]:
        """The sessions as a dict of plain values."""
        return {"folder": self.folder, "sessions": [session.to_json() for session in self.sessions]}

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each session."""
        rows = tuple(
            (s.id, age(s.age), s.notebook or s.directory, s.python, amount(s.bytes), "running" if s.alive else "ended")
            for s in self.sessions
        )
        columns = ("session", "began", "of", "Python", "on disk", "")
        notes = ("%past --session ID brings the last state of a session here, %past --session ID N another",)
        gaps = tuple(f"{s.id}: {gap}" for s in self.sessions for gap in s.gaps)
        head = f"{counted(len(rows), 'session')} in {self.folder}"
        return (Table(head, columns, rows, notes if rows else (), gaps, spare=("Python", "of")),)


@dataclass(frozen=True, slots=True, repr=False)
class StateContents(Shown):
    """The variables of one state; those that were kept can be looked at without going there."""

    name: str
    variables: tuple[VariableReport, ...]

    def to_json(self) -> dict[str, object]:
        """The contents as a dict of plain values."""
        return {"state": self.name, "variables": [variable.to_json() for variable in self.variables]}

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each variable."""
        rows = tuple((v.name, v.kind, amount(v.bytes), duration(v.seconds), v.why) for v in self.variables)
        columns = ("variable", "kind", "bytes", "freezing", "why not kept")
        return (Table(f"{self.name}: {counted(len(rows), 'variable')}", columns, rows, spare=("freezing", "kind")),)
