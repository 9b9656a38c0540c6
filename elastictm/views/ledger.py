"""The history as a table: one row for each cell run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from elastictm.model.tables import Table, amount, duration
from elastictm.model.texts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elastictm.model.history import HistoryView
    from elastictm.model.records import CellRun, Status
    from elastictm.views.lineage import Lineage

MARKS: Final[dict[Status, str]] = {"ok": "✓", "error": "✗", "interrupted": "⊘", "unparsed": "?"}
"""What stands for the way in which a cell run ended."""

COLUMNS: Final = ("cell", "", "seconds", "source", "reads → writes", "bytes", "marks")

_SOURCE: Final = 48
_MARK: Final = 60
_NAMES: Final = 6


def ledger(history: HistoryView, part: Lineage, errors: Sequence[str] = ()) -> Table:
    """One row for each cell run of a part of the history; errors of the recorder come first."""
    runs = [run for run in history.runs if run.n in part.runs]
    heading = "\n".join([*map(plain, errors), summary(history, part)])
    rows = tuple(_row(run, part) for run in runs if run.n or _writes(run, part))
    notes = [f"cell {remark.n}: {remark.text}" for remark in history.remarks if remark.n in part.runs]
    return Table(heading, COLUMNS, rows, (*notes, *lapses(history, part)))


def summary(history: HistoryView, part: Lineage) -> str:
    """How many cells and variables a part of the history has, and what they take."""
    runs = [run for run in history.runs if run.n in part.runs]
    live = [record for record in history.live.values() if record.version in part.versions]
    counts = f"{counted(sum(run.n > 0 for run in runs), 'cell run')}, {counted(len(live), 'variable')} alive"
    sums = f"{duration(sum(run.seconds for run in runs))}, {amount(sum(record.size for record in live))}"
    return f"History: {counts}, {sums}"


def lapses(history: HistoryView, part: Lineage) -> tuple[str, ...]:
    """What did not come back in restores."""
    names = {version.name for version in part.versions}
    found = ((lapse.n, [name for name in lapse.names if name in names]) for lapse in history.lapses)
    return tuple(f"after cell {n}, these did not come back: {', '.join(gone)}" for n, gone in found if gone)


def first_line(run: CellRun, width: int = _SOURCE) -> str:
    """The first line of a cell's source that is not blank, cut to a width in characters."""
    lines = [line for line in run.source.splitlines() if line.strip()]
    if not lines:
        return "(before recording)" if not run.n else "(outside of cells)"
    more = " …" if len(lines) > 1 else ""
    return cut(lines[0].strip(), width - len(more)) + more


def marks(run: CellRun) -> tuple[str, ...]:
    """What is notable about a cell run: its error, what it did outside, what was assumed of it."""
    found = [run.error] if run.error else []
    found += [f"not repeatable: {reason}" for reason in run.unrepeatable]
    found += [f"{effect.kind} {effect.detail}".rstrip() for effect in run.effects]
    found += [f"reads file {file.path}" for file in run.files]
    found += [f"settings of {version.library}" for version in run.settings]
    assumed = [record.name for record in run.writes if record.assumed]
    if assumed:
        found.append(f"assumed written: {', '.join(assumed)}")
    refused = [f"{record.name} cannot be stored: {record.refusal.reason}" for record in run.writes if record.refusal]
    return tuple(plain(text) for text in (*found, *refused, *run.notes))


def visible(text: str, instead: str = " ") -> str:
    """A text without characters that are not seen, that XML cannot hold, or that turn the direction of text."""
    return "".join(c if c.isprintable() or c in "\n\t" else instead for c in text)


def plain(text: str) -> str:
    """A text in one line, without characters that a terminal or XML would act on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def cut(text: str, width: int) -> str:
    """A text of at most ``width`` characters, on one line."""
    text = plain(text)
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _row(run: CellRun, part: Lineage) -> tuple[str, ...]:
    reads = _names(version.name for version in run.reads if version in part.versions)
    size = sum(record.size for record in run.writes if record.version in part.versions)
    start = (str(run.n), MARKS[run.status], duration(run.seconds)) if run.n else ("", "", "")
    flow = " ".join(filter(None, (reads, "→" if reads or _writes(run, part) else "", _writes(run, part))))
    shown = "; ".join(cut(mark, _MARK) for mark in marks(run))
    return (*start, first_line(run), flow, amount(size) if size else "", shown)


def _writes(run: CellRun, part: Lineage) -> str:
    names = {version.name for version in part.versions}
    deleted = [f"del {name}" for name in run.deletes if name in names]
    return _names([*(record.name for record in run.writes if record.version in part.versions), *deleted])


def _names(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    return ", ".join(found[:_NAMES]) + more
