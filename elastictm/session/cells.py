"""Cell runs on their way into the history: how one ended, and two accounts of one run made into one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from elastictm.model.records import STILL_RUNNING

if TYPE_CHECKING:
    from elastictm.ids import RunNumber
    from elastictm.model.records import CellRun, Status


@dataclass(frozen=True, slots=True)
class FinishedCell:
    """How a cell run ended, as the shell tells it; ``error`` is what it raised."""

    n: RunNumber
    source: str
    code: str | None
    error: BaseException | None
    parsed: bool


def described(error: BaseException) -> str:
    """An error in one line, whatever its own text does."""
    try:
        text = str(error)
    except Exception as problem:  # noqa: BLE001 - a user's exception may raise anything; its type is what can be told
        text = f"its text raises {type(problem).__name__}"
    return f"{type(error).__name__}: {text}"[:1000]


def merged(provisional: CellRun | None, run: CellRun) -> CellRun:
    """A cell run, with what was found of it while it was still running."""
    if provisional is None:
        return run
    reads = {*provisional.reads, *(version for version in run.reads if version.n != run.n)}
    writes = {record.name: record for record in (*provisional.writes, *run.writes)}
    deletes = [name for name in (*provisional.deletes, *run.deletes) if name not in writes or name in run.deletes]
    settings = {version.library: version for version in (*provisional.settings, *run.settings)}
    reasons = [reason for reason in provisional.unrepeatable if reason != STILL_RUNNING]
    return replace(
        run,
        reads=tuple(sorted(reads)),
        writes=tuple(record for name, record in writes.items() if name not in run.deletes),
        deletes=tuple(dict.fromkeys(deletes)),
        groups=(*provisional.groups, *run.groups),
        created=(*provisional.created, *run.created),
        settings=tuple(settings.values()),
        unrepeatable=tuple(dict.fromkeys((*reasons, *run.unrepeatable))),
        notes=tuple(dict.fromkeys((*provisional.notes, *run.notes))),
    )


def status_of(cell: FinishedCell) -> Status:
    """How a cell run ended, in a word."""
    if not cell.parsed:
        return "unparsed"
    if cell.error is None:
        return "ok"
    return "interrupted" if isinstance(cell.error, KeyboardInterrupt) else "error"
