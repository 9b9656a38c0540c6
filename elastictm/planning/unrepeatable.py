"""The cells of a session that are not repeatable, each with why, for the reader of a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.marks import mark_of
from elastictm.model.records import STILL_RUNNING, CellRun
from elastictm.model.reports import Unrepeatable
from elastictm.model.set_order import holds_under
from elastictm.planning.plan import Rerun
from elastictm.planning.repeats import deeds

_LONGEST_CODE = 48


def unrepeatable_cells(
    history: HistoryView,
    *,
    allow_effects: bool,
    gone: Collection[str],
    hash_seed: str | None = None,
    runnable: Callable[[CellRun], str | None] | None = None,
) -> tuple[Unrepeatable, ...]:
    """The cell runs that have reasons of their own not to be repeated, in order.

    Those that only read what such a cell made are not among them, nor those that left nothing behind anywhere, nor the
    one that asks.

    Args:
        history: The session's history.
        allow_effects: Whether effects outside the session may be repeated.
        gone: The files that are not as a cell read them.
        hash_seed: The hash seed that cells will run under, None where it is drawn anew.
        runnable: Says why a cell run cannot run at the target; None where it can.
    """
    used = {version for run in history.runs for version in run.reads}
    used |= {record.version for record in history.live.values()}
    learned = {remark.n: remark.text for remark in history.remarks}
    found: list[Unrepeatable] = []
    for run in history.runs:
        if (
            not run.n
            or STILL_RUNNING in run.unrepeatable
            or (used.isdisjoint(record.version for record in run.writes) and not deeds(run))
        ):
            continue
        reasons = list(_reasons(run, gone, hash_seed, allow_effects=allow_effects))
        if learned.get(run.n):
            reasons.append(learned[run.n])
        if runnable is not None and (obstacle := runnable(run)):
            reasons.append(obstacle)
        if reasons:
            found.append(Unrepeatable(run.n, _first_line(run.source), "; ".join(dict.fromkeys(reasons))))
    return tuple(found)


def doubtful(
    history: HistoryView, reruns: Iterable[Rerun], cells: Collection[RunNumber]
) -> Iterator[tuple[Rerun, RunNumber]]:
    """The re-runs of some cells that are not repeatable, and of those that read what they make anew, each with which.

    Args:
        history: The session's history.
        reruns: The cells that run again, in order.
        cells: The cell runs that are not repeatable.
    """
    causes: dict[Version, RunNumber] = {}
    for step in reruns:
        read = (causes[version] for version in history.run(step.n).reads if version in causes)
        cause = step.n if step.n in cells else next(read, None)
        if cause is not None:
            causes.update(dict.fromkeys(step.writes, cause))
            yield step, cause


def _reasons(run: CellRun, gone: Collection[str], hash_seed: str | None, *, allow_effects: bool) -> Iterator[str]:
    mark = mark_of(run.source)
    if mark == "not-repeatable":
        yield "is marked # tm: not-repeatable"
    if run.status == "unparsed":
        yield "is not valid code"
    if run.status == "interrupted":
        yield "was interrupted"
    if not (allow_effects or mark == "repeatable"):
        yield from deeds(run)
    yield from (f"read {file.path}, which is gone or has changed since" for file in run.files if file.path in gone)
    own = [reason for reason in run.unrepeatable if holds_under(reason, hash_seed) and reason != "interrupted"]
    if calls := [reason for reason in own if reason.endswith("()")]:
        yield f"{', '.join(calls)} {'give' if len(calls) > 1 else 'gives'} another value each time"
    yield from (reason for reason in own if reason not in calls)


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    line = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")
    return line if len(line) <= _LONGEST_CODE else f"{line[: _LONGEST_CODE - 1]}…"
