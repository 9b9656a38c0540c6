"""What differs between two states or archives, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from elastictm.ids import Name, RunNumber
from elastictm.model.divergence import Divergence
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun, SettingsVersion, Status, VersionRecord
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, amount, duration
from elastictm.model.texts import counted
from elastictm.model.tones import Tone

Change = Literal["created", "deleted", "renamed", "changed", "unclear"]
"""What became of a variable on the way; ``unclear`` where nobody could look whether it is the same."""

Direction = Literal["undone", "run"]
"""Whether a cell run lies on the way back or on the way forward."""

MOST_ROWS: Final = 60
"""Rows of a table in its text form, and in HTML."""

_CODE: Final = 60
_ORDER: Final[dict[Change, int]] = {"changed": 0, "unclear": 1, "renamed": 2, "created": 3, "deleted": 4}
_TONES: Final[dict[Change, Tone]] = {
    "created": "new",
    "deleted": "lost",
    "changed": "differs",
    "unclear": "differs",
    "renamed": "moved",
}
_WORDS: Final[dict[Change, str]] = {"unclear": "perhaps changed"}
_UNSEEN: Final = "no difference can be seen; it is stored otherwise, or shares other data"


@dataclass(frozen=True, slots=True)
class VariableDifference:
    """What became of one variable; sizes in bytes.

    ``cell_before`` and ``cell_after`` are the cell runs that wrote it; ``former`` is its name before it was renamed.
    ``lines`` tell what changed in it; one that begins with two spaces continues the line above.
    """

    name: Name
    change: Change
    kind_before: str = ""
    kind_after: str = ""
    bytes_before: int | None = None
    bytes_after: int | None = None
    cell_before: RunNumber | None = None
    cell_after: RunNumber | None = None
    lines: tuple[str, ...] = ()
    former: str = ""

    @property
    def word(self) -> str:
        """The change in a word or two."""
        return _WORDS.get(self.change, self.change)

    @property
    def kind(self) -> str:
        """The type, or both where it changed."""
        return _both(self.kind_before, self.kind_after)

    @property
    def size(self) -> str:
        """The size, or both where it changed."""
        sizes = ("" if size is None else amount(size) for size in (self.bytes_before, self.bytes_after))
        return _both(*sizes)

    @property
    def cells(self) -> str:
        """The cell run that wrote it, or both where there are two."""
        return _both(*("" if n is None else str(n) for n in (self.cell_before, self.cell_after)))

    def to_json(self) -> dict[str, object]:
        """The difference as a dict of plain values."""
        return {
            "name": self.name,
            "change": self.change,
            "former": self.former,
            "kind_before": self.kind_before,
            "kind_after": self.kind_after,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "cell_before": self.cell_before,
            "cell_after": self.cell_after,
            "lines": list(self.lines),
        }


@dataclass(frozen=True, slots=True)
class CellBetween:
    """A cell run between two states; ``code`` is its first line."""

    n: RunNumber
    code: str
    direction: Direction
    status: Status = "ok"
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """The cell as a dict of plain values."""
        return {
            "n": self.n,
            "code": self.code,
            "direction": self.direction,
            "status": self.status,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True, repr=False)
class DifferenceReport(Shown):
    """What differs between two states, from the first to the second.

    ``same`` is the number of variables that hold the same in both, ``settings`` a line for each setting that differs.
    """

    from_: str
    to: str
    cells: tuple[CellBetween, ...]
    variables: tuple[VariableDifference, ...]
    same: int = 0
    settings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """Both states, and how much differs, in one line."""
        counts = {change: sum(v.change == change for v in self.variables) for change in _ORDER}
        parts = [f"{number} {_WORDS.get(change, change)}" for change, number in counts.items() if number]
        parts = parts or ["no variable differs"]
        parts += [f"{self.same} the same"] if self.same else []
        cells = {way: sum(cell.direction == way for cell in self.cells) for way in ("undone", "run")}
        told = ", ".join(f"{counted(number, 'cell')} {way}" for way, number in cells.items() if number)
        return f"{self.from_} → {self.to}: {', '.join(parts)}; {told or 'no cells between'}"

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "from": self.from_,
            "to": self.to,
            "cells": [cell.to_json() for cell in self.cells],
            "variables": [variable.to_json() for variable in self.variables],
            "same": self.same,
            "settings": list(self.settings),
            "notes": list(self.notes),
        }

    def tables(self) -> tuple[Table, ...]:
        """The report as tables: variables first, then what changed in each, then the cells."""
        shown, hidden = self.variables[:MOST_ROWS], len(self.variables) - MOST_ROWS
        rows = tuple((f"{v.former} → {v.name}" if v.former else v.name, v.word, v.kind, v.size, v.cells) for v in shown)
        more = (f"and {hidden} more variables",) if hidden > 0 else ()
        columns = ("variable", "change", "kind", "bytes", "by cell")
        tones = tuple(_TONES[v.change] for v in shown)
        spare = ("by cell", "kind")
        tables = [Table(self.heading, columns, rows, (*more, *self.notes), self.settings, tones, spare)]
        tables += [Table(f"{v.name}: {v.word}", (), (), lines=v.lines, verbatim=True) for v in shown if v.lines]
        if self.cells:
            tables.append(self._cells())
        return tuple(tables)

    def _cells(self) -> Table:
        rows = tuple(
            (str(cell.n), cell.direction, cell.status, duration(cell.seconds), cell.code)
            for cell in self.cells[:MOST_ROWS]
        )
        hidden = len(self.cells) - MOST_ROWS
        notes = (f"and {hidden} more cells",) if hidden > 0 else ()
        return Table("Cells between", ("cell", "", "ended", "took", "code"), rows, notes, spare=("took", "ended"))


def difference_report(  # noqa: PLR0913 - the states, what is between them, and what is known of the values
    from_: str,
    to: str,
    before: HistoryView,
    after: HistoryView,
    divergence: Divergence,
    *,
    details: Mapping[Name, tuple[str, ...]] | None = None,
    notes: Iterable[str] = (),
) -> DifferenceReport:
    """The report on two states.

    Args:
        from_: What the first state is called.
        to: What the second is called.
        before: The history of the first.
        after: The history of the second.
        divergence: How they part.
        details: For each variable that was looked at, the lines that tell what differs; none where nothing could be
            seen. A variable that is missing here was not looked at.
        notes: What else is to be said.
    """
    looked = details or {}
    variables: list[VariableDifference] = []
    same = len(divergence.same)
    for old, new in divergence.changed:
        lines = looked.get(old.name)
        variables.append(_variable(old, new, "changed", (_UNSEEN,) if lines == () else lines or ()))
    for old, new in divergence.suspects:
        lines = looked.get(old.name)
        if lines == ():
            same += 1
        else:
            variables.append(_variable(old, new, "unclear" if lines is None else "changed", lines or ()))
    variables += [_variable(old, new, "renamed") for old, new in divergence.renamed]
    variables += [_variable(None, new, "created") for new in divergence.created]
    variables += [_variable(old, None, "deleted") for old in divergence.deleted]
    cells = [_cell(run, "undone") for run in reversed(divergence.undone)]
    cells += [_cell(run, "run") for run in divergence.run]
    told = [
        f"{', '.join(sorted(group))} share data in {from_ if first else to} only" for group, first in divergence.sharing
    ]
    return DifferenceReport(
        from_,
        to,
        tuple(cells),
        tuple(sorted(variables, key=lambda v: (_ORDER[v.change], v.name))),
        same,
        tuple(settings_between(before.settings, after.settings)),
        (*told, *notes),
    )


def settings_between(before: Mapping[str, SettingsVersion], after: Mapping[str, SettingsVersion]) -> Iterable[str]:
    """A line for each setting that differs, library by library."""
    for library in sorted({*before, *after}):
        old, new = (dict(each[library].shown) if library in each else {} for each in (before, after))
        for key in sorted({*old, *new}):
            was, now = (each.get(key, "as in a fresh process") for each in (old, new))
            if was != now:
                yield f"settings of {library}: {key}: {was} → {now}"
        if old == new and library in before and library in after and before[library].stream != after[library].stream:
            yield f"settings of {library} differ"


def _variable(
    old: VersionRecord | None, new: VersionRecord | None, change: Change, lines: tuple[str, ...] = ()
) -> VariableDifference:
    latest = new or old
    if latest is None:
        raise AssertionError("a variable that is in neither state")
    return VariableDifference(
        name=latest.name,
        change=change,
        kind_before=old.kind if old else "",
        kind_after=new.kind if new else "",
        bytes_before=old.size if old else None,
        bytes_after=new.size if new else None,
        cell_before=old.n if old else None,
        cell_after=new.n if new else None,
        lines=lines,
        former=old.name if old is not None and change == "renamed" else "",
    )


def _cell(run: CellRun, direction: Direction) -> CellBetween:
    line = next((line.strip() for line in run.source.splitlines() if line.strip()), "")
    code = line if len(line) <= _CODE else line[: _CODE - 1] + "…"
    return CellBetween(run.n, code, direction, run.status, run.seconds)


def _both(before: str, after: str) -> str:
    return f"{before} → {after}" if before and after and before != after else after or before
