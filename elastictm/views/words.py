"""What a picture says of its shapes in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from elastictm.ids import is_variable
from elastictm.model.tables import amount, duration
from elastictm.views.ledger import cut, marks, plain

if TYPE_CHECKING:
    from elastictm.model.outlook import Fates, Outlook
    from elastictm.model.records import CellRun, VersionRecord
    from elastictm.model.reports import Outcome
    from elastictm.views.folding import Fold
    from elastictm.views.scene import Row, Scene

OUTCOMES: Final[dict[Outcome, str]] = {"stored": "stored", "rerun": "re-run", "kept": "kept", "lost": "lost"}
"""What becomes of a version, for people."""

_LINES: Final = 20
_MARK: Final = 200


def gist(run: CellRun, width: int) -> str:
    """The line of a cell's source that says most in few characters: the first that is neither comment nor magic."""
    if not run.source.strip():
        return "(before recording)" if not run.n else "(outside of cells)"
    lines = [line.strip() for line in run.source.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith(("#", "%%"))] or lines
    text = plain(code[0])
    more = " …" if len(code) > 1 and len(text) + 2 <= width else ""
    return cut(text, width - len(more)) + more


def of_row(row: Row) -> str:
    """A cell run: its source, and what is notable about it."""
    run = row.run
    if not run.n:
        return "what there was before recording began"
    head = f"cell {run.n}: {run.status}, {duration(run.seconds)}"
    lines = run.source.splitlines()
    source = ["".join(c if c.isprintable() else " " for c in line) for line in lines[:_LINES]]
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join([head, *source, *more, *(f"* {mark}" for mark in of_marks(row))])


def of_marks(row: Row) -> tuple[str, ...]:
    """What is notable about a cell run, a line each."""
    return tuple(cut(mark, _MARK) for mark in (*marks(row.run), *row.learned))


def of_version(record: VersionRecord, live: bool, outlook: Outlook | None = None) -> str:  # noqa: FBT001 - a fact
    """A version: what it is, what it takes, and what becomes of it."""
    words = f"{record.version}: {record.kind}, {amount(record.size)}"
    words += "" if live else ", of the past"
    fate = None if outlook is None else outlook.shown.of(record.version)
    if fate is not None:
        words += f"; {OUTCOMES[fate]}"
    if outlook is not None and record.version in outlook.remake:
        seconds = outlook.remake[record.version]
        words += "; cannot be made again" if seconds is None else f"; {duration(seconds)} to make again"
    if record.refusal is not None:
        words += f"; cannot be stored: {record.refusal.path}: {record.refusal.reason}"
    return plain(words)


def of_fold(scene: Scene, fold: Fold) -> str:
    """Cells that are folded."""
    runs = [row.run for row in scene.rows[fold.first : fold.last + 1]]
    return f"{len(fold)} {fold.what}, {runs[0].n} to {runs[-1].n}, {duration(sum(run.seconds for run in runs))}"


def of_plan(outlook: Outlook) -> str:
    """The plan that a picture shows, in a line."""
    fates = outlook.shown
    if outlook.saved is not None:
        return f"As saved: {of_fates(fates)}"
    seconds = duration(outlook.at(outlook.bandwidth).seconds(outlook.bandwidth))
    return f"A save at {amount(outlook.bandwidth)}/s: {of_fates(fates)}, about {seconds}"


def of_fates(fates: Fates) -> str:
    """How many variables have which outcome, losses first, and the bytes that travel."""
    counts = Counter(outcome for version, outcome in fates.outcomes.items() if is_variable(version.name))
    parts = [f"{counts[key]} {OUTCOMES[key]}" for key in ("lost", "rerun", "stored", "kept") if counts[key]]
    return ", ".join([*parts, amount(fates.bytes)])
