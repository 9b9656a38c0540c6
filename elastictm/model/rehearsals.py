"""What a rehearsal tells: whether an archive restores, and each variable that would not come back as it was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from elastictm.ids import Name
from elastictm.model.reports import Outcome
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, duration
from elastictm.model.texts import counted

if TYPE_CHECKING:
    from collections.abc import Collection

Verdict = Literal["lost", "different", "unknown", "same"]
"""How a variable that was restored compares with the one that was saved; unknown where nothing can be compared."""

_WORDS: dict[Verdict, str] = {"lost": "LOST", "different": "DIFFERENT"}
_WORST_FIRST: dict[Verdict, int] = {"lost": 0, "different": 1, "unknown": 2, "same": 3}


@dataclass(frozen=True, slots=True)
class RehearsedVariable:
    """One variable: what became of it in the rehearsal, and how it compares with what was saved."""

    name: Name
    verdict: Verdict
    outcome: Outcome
    kind: str = ""
    reason: str = ""
    path: str = ""

    @property
    def why(self) -> str:
        """The reason, after the path."""
        return ": ".join(filter(None, (self.path, self.reason)))

    def to_json(self) -> dict[str, object]:
        """The variable as a dict of plain values."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "outcome": self.outcome,
            "kind": self.kind,
            "reason": self.reason,
            "path": self.path,
        }


@dataclass(frozen=True, slots=True, repr=False)
class RehearsalReport(Shown):
    """A restore in a fresh process, compared with what was saved; ``failure`` tells why there was none.

    ``unloaded`` are the values that did not load there, and why, whatever became of their variables; ``settings`` has a
    sentence for each setting that did not come back.
    """

    path: str
    variables: tuple[RehearsedVariable, ...]
    seconds: float
    failure: str = ""
    notes: tuple[str, ...] = ()
    unloaded: tuple[tuple[str, str], ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def restores(self) -> bool:
        """Whether everything came back, and nothing is known to be different."""
        return not (self.failure or self.trouble or self.settings)

    @property
    def trouble(self) -> tuple[RehearsedVariable, ...]:
        """The variables that are lost or different, losses first."""
        found = (variable for variable in self.variables if variable.verdict in {"lost", "different"})
        return tuple(sorted(found, key=_weight))

    @property
    def summary(self) -> str:
        """One line: whether the archive restores, and how many variables came back how."""
        if self.failure:
            return f"this archive does not restore: {self.failure}"
        counts = {verdict: sum(v.verdict == verdict for v in self.variables) for verdict in _WORST_FIRST}
        words: dict[Verdict, str] = {"lost": "LOST", "different": "different", "same": "as saved"}
        told = [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]
        if counts["unknown"]:
            told.append(f"{counts['unknown']} restored that cannot be compared")
        if self.settings:
            told.append(f"{counted(len(self.settings), 'setting')} LOST")
        if self.restores:
            noun = "variable" if len(self.variables) == 1 else "variables"
            told[:1] = [f"{counts['same']} {noun} as saved"] if counts["same"] else told[:1]
            return f"this archive restores: {', '.join(told) or 'there are no variables'}"
        return f"this archive does not restore as it was saved: {', '.join(told)}"

    def lines(self, told: Collection[Name] = ()) -> tuple[str, ...]:
        """The summary, and what is lost or different, a line each, but for variables that were ``told`` as losses."""
        found = [
            f"{v.name} ({v.kind}) {v.verdict}: {v.why}"
            for v in self.trouble
            if v.verdict != "lost" or v.name not in told
        ]
        return (self.summary, *found, *self.settings)

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "path": self.path,
            "restores": self.restores,
            "failure": self.failure,
            "variables": [variable.to_json() for variable in sorted(self.variables, key=_weight)],
            "settings": list(self.settings),
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    def tables(self) -> tuple[Table, ...]:
        """What is lost or different as lines, what cannot be compared as rows; what is as it was is only counted."""
        lines = tuple(f"{_WORDS[v.verdict]} {v.name} ({v.kind}): {v.why}" for v in self.trouble)
        unknown = (v for v in self.variables if v.verdict == "unknown")
        rows = tuple((v.name, v.kind, v.verdict, v.outcome, v.why) for v in unknown)
        columns = ("variable", "kind", "verdict", "outcome", "why")
        head = f"{self.path}: {self.summary}; {duration(self.seconds)}"
        lines += self.settings
        return (Table(head, columns, rows, self.notes, lines, spare=("kind", "outcome", "why")),)


def _weight(variable: RehearsedVariable) -> tuple[int, str]:
    return _WORST_FIRST[variable.verdict], variable.name
