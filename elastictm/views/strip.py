"""A scene in a terminal: a row for each cell run, lanes of characters beside it, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.tables import duration
from elastictm.views import words
from elastictm.views.alive import fate
from elastictm.views.console import in_colours, shows_colours
from elastictm.views.folding import places
from elastictm.views.ledger import MARKS, cut

if TYPE_CHECKING:
    from elastictm.model.outlook import Outlook
    from elastictm.model.reports import Outcome
    from elastictm.views.scene import Cross, Dot, Ring, Row, Scene

Span = tuple[str, str]
"""A piece of text and its style, as rich names it."""

STYLES: Final[dict[Outcome | None, str]] = {
    "stored": "blue",
    "rerun": "yellow",
    "kept": "green",
    "lost": "bold red",
    None: "",
}

_MOST_LANES: Final = 24
_BEFORE: Final = 16
"""Columns of a row's number, mark and time."""

DELETED: Final = "\N{MULTIPLICATION SIGN}"

_TEXT: Final = 44
"""Columns that source and names want at least."""

_FEW: Final = 3


def strip(scene: Scene, outlook: Outlook | None, width: int) -> list[list[Span]]:
    """The drawing in lines of at most ``width`` characters."""
    rows = places(len(scene.rows), scene.row_folds)
    slots = _slots(scene, rows.of, max(0, min(_MOST_LANES, (width - _BEFORE - _TEXT) // 2)))
    grid = _grid(scene, rows.of, rows.count, slots, outlook)
    lanes = 1 + max(slots.values(), default=-1)
    room = max(width - _BEFORE - 2 * lanes, 8)
    lines: list[list[Span]] = []
    folds = dict(zip(rows.folds, scene.row_folds, strict=True))
    plain = {place: i for i, place in enumerate(rows.of) if place not in folds}
    for at in range(rows.count):
        drawn = [grid[at].get(lane, (" ", "")) for lane in range(lanes)]
        cells = [span for glyph, style in drawn for span in ((glyph, style), (" ", ""))]
        if at in folds:
            text: list[Span] = [(cut(words.of_fold(scene, folds[at]), room), "dim italic")]
            lines.append([("   ⋮".ljust(_BEFORE), "dim"), *cells, *text])
        else:
            row = scene.rows[plain[at]]
            lines.append([*_head(row), *cells, *_tail(scene, plain[at], outlook, room)])
    return lines


def coloured(lines: Sequence[Sequence[Span]], console: Any) -> str:
    """Lines as a console shows them; plain where it shows no colours, and ``NO_COLOR`` is heard."""
    if not shows_colours(console):
        return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)
    return in_colours(lines, console)


def _slots(scene: Scene, place: Sequence[int], most: int) -> dict[int, int]:
    """The column of each lane that gets one: the largest first, and a column is used again when it is free."""
    spans: dict[int, tuple[int, int]] = {}
    sizes: dict[int, int] = {}
    marks: tuple[Dot | Ring | Cross, ...] = (*scene.dots, *scene.rings, *scene.crosses)
    events = [(mark.row, mark.lane) for mark in marks]
    for row, lane in events:
        first, last = spans.get(lane, (place[row], place[row]))
        spans[lane] = (min(first, place[row]), max(last, place[row]))
    for dot in scene.dots:
        sizes[dot.lane] = max(sizes.get(dot.lane, 0), dot.record.size)
    taken: list[list[tuple[int, int]]] = []
    found: dict[int, int] = {}
    wanted = [lane for lane in spans if scene.lanes[lane].kind == "variable"]
    for lane in sorted(wanted, key=lambda lane: -sizes.get(lane, 0)):
        first, last = spans[lane]
        free = (i for i, used in enumerate(taken) if all(last < a or b < first for a, b in used))
        slot = next(free, len(taken))
        if slot < most:
            taken += [[]] if slot == len(taken) else []
            taken[slot].append((first, last))
            found[lane] = slot
    return found


def _grid(
    scene: Scene, place: Sequence[int], count: int, slots: dict[int, int], outlook: Outlook | None
) -> list[dict[int, Span]]:
    """The characters of the lanes: what is written stands before what is read, and both before a life."""
    grid: list[dict[int, Span]] = [{} for _ in range(count)]
    for life in scene.lives:
        if life.lane in slots:
            end = place[max(life.used, life.top if life.bottom is None else life.bottom)]
            style = STYLES[fate(scene.dots[life.dot], outlook)]
            for at in range(place[life.top], end + 1):
                grid[at].setdefault(slots[life.lane], ("│", style or "dim"))
    for glyph, marks in (("○", scene.rings), (DELETED, scene.crosses)):
        for mark in marks:
            if mark.lane in slots:
                grid[place[mark.row]][slots[mark.lane]] = (glyph, "")
    for dot in scene.dots:
        if dot.lane in slots:
            grid[place[dot.row]][slots[dot.lane]] = ("●", STYLES[fate(dot, outlook)])
    return grid


def _head(row: Row) -> Iterator[Span]:
    run = row.run
    style = "red" if row.failed else ""
    yield (f"{run.n:>4} " if run.n else "     "), style or "dim"
    yield (MARKS[run.status] if run.n else " "), style or "green"
    yield f"{duration(run.seconds) if run.n else '':>8}  ", style


def _tail(scene: Scene, at: int, outlook: Outlook | None, room: int) -> Iterator[Span]:
    """A cell's source, and the names that it wrote."""
    row = scene.rows[at]
    signs = "≠" * bool(row.run.unrepeatable or row.learned) + "↗" * bool(row.run.effects)
    names = list(_names(scene, at, outlook))
    length = sum(len(text) for text, _ in names)
    source = cut(words.gist(row.run, 200), max(room - min(length, room // 2) - len(signs) - (3 if names else 0), 4))
    yield source, "red" if row.failed else ""
    if signs:
        yield f" {signs}", "magenta"
    left = room - len(source) - len(signs) - 4
    if names:
        yield " → ", "dim"
    for text, style in names:
        if left < len(text):
            yield cut(text, max(left, 1)) if text.strip(", ") else "…", style
            return
        yield text, style
        left -= len(text)


def _names(scene: Scene, at: int, outlook: Outlook | None) -> Iterator[Span]:
    """The names that a row wrote and deleted; many imports are counted, and displayed results left out."""
    found: list[Span] = []
    dots = [dot for dot in scene.dots if dot.row == at]
    imports = [dot for dot in dots if scene.lanes[dot.lane].kind == "import"]
    if len(imports) > _FEW:
        found.append((f"{len(imports)} imports", "dim"))
    for dot in sorted(dots, key=lambda dot: -dot.record.size):
        kind = scene.lanes[dot.lane].kind
        if kind != "result" and (kind != "import" or len(imports) <= _FEW):
            found.append((dot.record.name, STYLES[fate(dot, outlook)]))
    found += [(f"del {scene.lanes[cross.lane].name}", "dim") for cross in scene.crosses if cross.row == at]
    for i, span in enumerate(found):
        if i:
            yield ", ", "dim"
        yield span
