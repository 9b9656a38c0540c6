"""The history as a static picture: cell runs down the page, variables as lanes, versions as dots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from elastictm.model.tables import amount, duration
from elastictm.views.ledger import MARKS, cut, first_line, marks, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elastictm.ids import Name, RunNumber, Version
    from elastictm.model.history import HistoryView
    from elastictm.model.records import CellRun, VersionRecord
    from elastictm.views.lineage import Lineage

MOST_RUNS: Final = 60
MOST_LANES: Final = 40

# All lengths are in pixels.
_ROW: Final = 22
_LANE: Final = 22
_LABELS: Final = 390
_LETTER: Final = 6.7
_NAME: Final = 22
_BLUE: Final = "#3b82c4"
_GREY: Final = "#8a8f98"
_RED: Final = "#d1495b"


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where rows and lanes lie."""

    rows: Mapping[RunNumber, float]
    lanes: Mapping[Name, float]
    width: float
    height: float


def picture(history: HistoryView, part: Lineage) -> str | None:
    """The history as one inline SVG that needs nothing from elsewhere; None where it would not be legible."""
    runs = [run for run in history.runs if run.n in part.runs and (run.n or _records(run, part))]
    lanes = _lanes(history, runs, part)
    if not runs or not lanes or len(runs) > MOST_RUNS or len(lanes) > MOST_LANES:
        return None
    top = 16 + 0.8 * _LETTER * max(len(cut(name, _NAME)) for name in lanes)
    frame = _Frame(
        rows={run.n: top + _ROW * (i + 0.5) for i, run in enumerate(runs)},
        lanes={name: _LABELS + _LANE * (i + 0.5) for i, name in enumerate(lanes)},
        width=_LABELS + _LANE * len(lanes) + 0.8 * _LETTER * _NAME,
        height=top + _ROW * len(runs) + 6,
    )
    parts = [_name(name, x, top) for name, x in frame.lanes.items()]
    parts += _lives(history, runs, part, frame)
    for run in runs:
        parts += _run(history, run, part, frame)
    size = f'width="{frame.width:.0f}" height="{frame.height:.0f}" viewBox="0 0 {frame.width:.0f} {frame.height:.0f}"'
    style = 'font-family="ui-monospace, monospace" font-size="11" fill="currentColor"'
    body = "\n".join(parts)
    label = f"History of {len(runs)} cell runs and {len(lanes)} variables"
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" {size} {style}>\n{body}\n</svg>'


def _lanes(history: HistoryView, runs: list[CellRun], part: Lineage) -> list[Name]:
    """The names that get a lane, by first version; a displayed result that no cell reads gets none."""
    read = {version for run in history.runs for version in run.reads}
    found: dict[Name, None] = {}
    for run in runs:
        for record in _records(run, part):
            if not record.name.startswith("Out[") or record.version in read:
                found[record.name] = None
    return list(found)


def _records(run: CellRun, part: Lineage) -> list[VersionRecord]:
    return [record for record in run.writes if record.version in part.versions]


def _name(name: Name, x: float, top: float) -> str:
    text = escape(cut(name, _NAME))
    return f'<text transform="translate({x + 3:.1f} {top - 4:.1f}) rotate(-55)">{text}</text>'


def _lives(history: HistoryView, runs: list[CellRun], part: Lineage, frame: _Frame) -> list[str]:
    """A line down the lane for each version, from its birth to its end, and a stronger one to its last reader."""
    parts: list[str] = []
    ends = _ends(history, runs)
    last_read: dict[Version, RunNumber] = {}
    for run in runs:
        last_read.update(dict.fromkeys(run.reads, run.n))
    for run in runs:
        for record in _records(run, part):
            if record.name in frame.lanes:
                x, y = frame.lanes[record.name], frame.rows[run.n]
                end = ends.get(record.version)
                bottom = frame.rows[end] if end is not None else frame.height - 4
                parts.append(_line((x, y), (x, bottom), _GREY, 0.35))
                if record.version in last_read:
                    parts.append(_line((x, y), (x, frame.rows[last_read[record.version]]), _GREY, 1))
    return parts


def _ends(history: HistoryView, runs: list[CellRun]) -> dict[Version, RunNumber]:
    """The shown cell run after which each version was no more."""
    found: dict[Version, RunNumber] = {}
    alive: dict[Name, Version] = {}
    lapsed = {(lapse.n, name) for lapse in history.lapses for name in lapse.names}
    for run in runs:
        gone = [name for name in (*run.deletes, *(record.name for record in run.writes)) if name in alive]
        found.update({alive.pop(name): run.n for name in gone if name in alive})
        alive.update({record.name: record.version for record in run.writes})
        found.update({alive.pop(name): run.n for name in list(alive) if (run.n, name) in lapsed})
    return found


def _run(history: HistoryView, run: CellRun, part: Lineage, frame: _Frame) -> list[str]:
    """One row: label, a line through all that the cell touched, rings where it read, dots where it wrote."""
    y = frame.rows[run.n]
    reads = [version for version in run.reads if version in part.versions and version.name in frame.lanes]
    writes = [record for record in _records(run, part) if record.name in frame.lanes]
    deletes = [name for name in run.deletes if name in frame.lanes]
    touched = [*(v.name for v in reads), *(r.name for r in writes), *deletes]
    colour = _RED if run.status != "ok" else "currentColor"
    parts = [_label(run, y, colour)]
    if touched:
        right = max(frame.lanes[name] for name in touched)
        parts.append(_line((_LABELS - 6, y), (right, y), _GREY, 0.6))
    for version in reads:
        x = frame.lanes[version.name]
        title = escape(f"cell {run.n} reads {version}")
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="none" stroke="{_BLUE}" stroke-width="1.5">'
            f"<title>{title}</title></circle>"
        )
    live = {record.version for record in history.live.values()}
    parts += [_dot(record, frame.lanes[record.name], y, alive=record.version in live) for record in writes]
    for name in deletes:
        x = frame.lanes[name]
        title = escape(f"cell {run.n} deletes {name}")
        path = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
        parts.append(f'<path d="{path}" stroke="{_RED}" stroke-width="1.5"><title>{title}</title></path>')
    return parts


def _label(run: CellRun, y: float, colour: str) -> str:
    notable = marks(run)
    text = f"{f'[{run.n}]':>5} {MARKS[run.status]} {duration(run.seconds):>7}  " if run.n else " " * 17
    text += first_line(run, 34) + (" *" if notable else "")
    title = "\n".join([*(plain(line) for line in run.source.splitlines()[:20]), *(f"* {mark}" for mark in notable)])
    content = f"{escape(text)}<title>{escape(title)}</title>"
    return f'<text x="0" y="{y + 4:.1f}" fill="{colour}" xml:space="preserve">{content}</text>'


def _dot(record: VersionRecord, x: float, y: float, *, alive: bool) -> str:
    radius = 3 + min(math.log10(record.size + 1) / 2.5, 5)
    colour = _RED if record.refusal is not None else _BLUE if alive else _GREY
    words = f"{record.version}: {record.kind}, {amount(record.size)}"
    if record.refusal is not None:
        words += f"; cannot be stored: {record.refusal.path}: {record.refusal.reason}"
    shape = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}"'
    return f"<circle {shape}><title>{escape(plain(words))}</title></circle>"


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, opacity: float) -> str:
    place = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {place} stroke="{colour}" stroke-opacity="{opacity}"/>'
