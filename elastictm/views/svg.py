"""A scene as SVG that needs nothing from elsewhere: no script, no style sheet, no identifiers.

Colours stand out on white and on black alike, and all else has the colour of the text around, so that the picture looks
right in light and dark notebooks.  Every shape has a title, and says which row and lane it belongs to, so that a page
can move it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from elastictm.model.tables import duration
from elastictm.model.texts import counted
from elastictm.views import words
from elastictm.views.colours import COLOURS, TIE, WEIGHT
from elastictm.views.frame import LANES_FROM, LEAN, LETTER, MOST_LETTERS, ROW, Frame, folded
from elastictm.views.ledger import cut, visible

if TYPE_CHECKING:
    from elastictm.model.outlook import Outlook
    from elastictm.model.reports import Outcome
    from elastictm.views.scene import Cross, Dot, Ring, Row, Scene, Tie

# All lengths are in pixels; those of the label of a row are from the left.
_NUMBER, _SOURCE, _SIGNS, _TIME, _BAR = 36, 46, 307, 400, 406
_LINE: Final = 34
_BAR_WIDTH: Final = 56
_LONGEST: Final = 3600.0
_SHORTEST: Final = 1e-3
"""Seconds between which bars grow."""


def svg(scene: Scene, outlook: Outlook | None = None, *, moving: bool = False) -> str:
    """A scene as one SVG element, coloured by what a plan does where there is one.

    One that is ``moving`` is for a page, whose script tells what the shapes are, and has all that folds hide as well.
    """
    frame = Frame(scene)
    pen = _Pen(scene, frame, outlook, moving=moving)
    label = f"History of {counted(len(scene.rows), 'cell run')} and {counted(len(scene.lanes), 'name')}"
    size = f'viewBox="0 0 {frame.width} {frame.height}" width="{frame.width}" height="{frame.height}"'
    font = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="12"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="etm" role="img" aria-label="{label}" {size} {font}'
    parts = [*pen.lives(), *pen.rows(), *pen.names(), pen.legend()]
    return "\n".join([f'{start} fill="currentColor">', *parts, "</svg>"])


_VEIL: Final = f'<rect class="etm-veil" y="-{ROW // 2}" width="{LANES_FROM - 8}" height="{ROW}" fill="none"/>'
"""What hides shapes behind a label, where a page keeps labels in sight."""


def clean(text: str) -> str:
    """A text for XML: escaped, without characters that it cannot hold."""
    return escape(visible(text))


def _shape(tag: str, attributes: str, inside: str) -> str:
    return f"<{tag} {attributes}>{inside}</{tag}>" if inside else f"<{tag} {attributes}/>"


def radius(size: int) -> float:
    """A dot's, larger for more bytes: 2.6 for one, 6.5 for a million."""
    return 2.4 + min(0.68 * math.log10(size + 1), 6.0)


class _Pen:
    """Draws the parts of a scene."""

    def __init__(self, scene: Scene, frame: Frame, outlook: Outlook | None, *, moving: bool) -> None:
        self._scene = scene
        self._frame = frame
        self._outlook = outlook
        self._moving = moving

    def _title(self, text: str) -> str:
        """The title of a shape, which browsers show beside the pointer."""
        return "" if self._moving else f"<title>{clean(text)}</title>"

    def names(self) -> Iterator[str]:
        """The names of the lanes, above, and below where the picture is tall."""
        scene, frame = self._scene, self._frame
        ends = [(frame.top - 5, "start")] + ([(frame.bottom + 9, "end")] if frame.tall else [])
        for k, (y, anchor) in enumerate(ends):
            yield f'<g class="etm-names" data-end="{k}" text-anchor="{anchor}" font-size="11.5">'
            if not k:
                yield f'<rect class="etm-veil" width="{frame.width}" height="{frame.top}" fill="none"/>'
            for i, lane in enumerate(scene.lanes):
                hidden = self._hidden(i in frame.folded)
                if hidden is None:
                    continue
                place = f'data-lane="{i}" transform="translate({frame.x(i) + 4} {y}) rotate(-{LEAN})"{hidden}'
                text = f"{clean(cut(lane.name, MOST_LETTERS))}{self._title(lane.name)}"
                yield f'<text class="etm-name" {place}>{text}</text>'
            for j, fold in enumerate(scene.lane_folds):
                spot = f"translate({frame.fold_x(j) + 4} {y}) rotate(-{LEAN})"
                told = ", ".join(lane.name for lane in scene.lanes[fold.first : fold.last + 1][:40])
                text = f"{folded(fold.what, len(fold))}{self._title(told)}"
                look = f'class="etm-name etm-fold" fill-opacity="0.7" data-lane-fold="{j}" transform="{spot}"'
                yield f"<text {look}>{text}</text>"
            yield "</g>"

    def lives(self) -> Iterator[str]:
        """A line down the lane for each version: faint to its end, strong to its last reader."""
        scene, frame = self._scene, self._frame
        yield '<g class="etm-lives" fill="none">'
        for j, _ in enumerate(scene.lane_folds):
            place = f'data-lane-fold="{j}" d="M{frame.fold_x(j)} {frame.top}V{frame.bottom}"'
            yield f'<path class="etm-fold-line" {place} stroke="currentColor" stroke-opacity="0.25"/>'
        for life in scene.lives:
            dot = scene.dots[life.dot]
            hidden = self._hidden(life.lane in frame.folded)
            if hidden is None:
                continue
            rows = f'data-dot="{life.dot}" data-lane="{life.lane}" data-top="{life.top}" data-used="{life.used}"'
            rows += "" if life.bottom is None else f' data-bottom="{life.bottom}"'
            rows += hidden
            x, top = frame.x(life.lane), frame.y(life.top)
            end = frame.bottom if life.bottom is None else frame.y(life.bottom)
            faint = f'<path d="M{x} {top}V{end}" stroke-opacity="0.38"/>'
            used = f'<path d="M{x} {top}V{frame.y(life.used)}" stroke-width="2.2" stroke-opacity="0.75"/>'
            told = self._title(f"{dot.record.version}")
            yield f'<g class="etm-life" stroke="{COLOURS[self._fate(dot)]}" {rows}>{faint}{used}{told}</g>'
        yield "</g>"

    def rows(self) -> Iterator[str]:
        """One group for each row, and one for each fold of rows."""
        scene, frame = self._scene, self._frame
        cells = frozenset[int]() if self._outlook is None else frozenset(self._outlook.shown.cells)
        shapes: list[list[str]] = [[] for _ in scene.rows]
        touched: list[list[int]] = [[] for _ in scene.rows]
        for tie in scene.ties:
            shapes[tie.row].append(self._tie(tie))
        rings: list[list[str]] = [[] for _ in scene.rows]
        taken: set[tuple[int, int]] = set()
        for ring in scene.rings:
            touched[ring.row].append(ring.lane)
            spot = (frame.y(ring.row), frame.x(ring.lane))
            if self._moving or spot not in taken:
                taken.add(spot)
                rings[ring.row].append(self._ring(ring))
        for cross in scene.crosses:
            touched[cross.row].append(cross.lane)
            shapes[cross.row].append(self._cross(cross))
        for dot in scene.dots:
            touched[dot.row].append(dot.lane)
        for i, below in self._seen():
            shapes[scene.dots[i].row].append(self._dot(i, scene.dots[i], below))
        hit = f'y="-{ROW // 2}" width="{frame.width}" height="{ROW}"'
        hit = f'<rect class="etm-hit" {hit} fill="none" pointer-events="all"/>'
        for k, fold in enumerate(scene.row_folds):
            told = words.of_fold(scene, fold)
            text = f'<text x="{_SOURCE}" y="4" fill-opacity="0.65" font-style="italic">▸ {clean(told)}</text>'
            label = f'<g class="etm-label">{_VEIL}{text}</g>'
            place = f'data-row-fold="{k}" transform="translate(0 {frame.fold_y(k)})"'
            yield f'<g class="etm-row etm-fold" {place}>{hit}{label}{self._title(told)}</g>'
        inside = {i for fold in scene.row_folds for i in range(fold.first, fold.last + 1)}
        for i, row in enumerate(scene.rows):
            at = f'data-row="{i}" transform="translate(0 {frame.y(i)})"'
            hidden = self._hidden(i in inside)
            label = back = ""
            if hidden is not None:
                label = f'<g class="etm-label"{hidden}>{_VEIL}{self._label(row, again=row.run.n in cells)}</g>'
                back = f'<g class="etm-back"{hidden}>{hit}{self._guide(touched[i])}</g>'
            read = f'<g fill="none" stroke="currentColor" stroke-width="1.3">{"".join(rings[i])}</g>'
            yield f'<g class="etm-row" {at}>{back}{read}{"".join(shapes[i])}{label}</g>'

    def _hidden(self, is_so: bool) -> str | None:  # noqa: FBT001 - a fact
        """The attribute of what a fold hides; None where it is left out, since nothing will show it."""
        return "" if not is_so else ' display="none"' if self._moving else None

    def legend(self) -> str:
        """What the shapes and colours mean."""
        shapes = [
            (f'<circle r="5" fill="{COLOURS[None]}"/>', "a version, larger for more bytes"),
            ('<circle r="3.6" fill="none" stroke="currentColor" stroke-width="1.3"/>', "a read"),
            ('<path d="M-4 -4l8 8m0 -8l-8 8" stroke="currentColor" stroke-width="1.6"/>', "deleted"),
            (f'<path d="M-7 -3q7 13 14 0" fill="none" stroke="{TIE}" stroke-width="1.6"/>', "share data"),
        ]
        if self._outlook is not None:
            found = set(self._outlook.shown.outcomes.values())
            keys = (key for key in ("stored", "rerun", "kept", "lost") if key in found)
            shapes += [(f'<circle r="5" fill="{COLOURS[key]}"/>', words.OUTCOMES[key]) for key in keys]
        parts: list[str] = []
        x = _SOURCE + 0.0
        for shape, text in shapes:
            told = f'<text x="13" y="4" fill-opacity="0.8">{text}</text>'
            parts.append(f'<g transform="translate({x + 6:.0f} 0)">{shape}{told}</g>')
            x += 30 + LETTER * len(text)
        place = f'transform="translate(0 {self._frame.foot + 4})" font-size="11.5"'
        return f'<g class="etm-legend" {place}>{"".join(parts)}{self._title("what the shapes mean")}</g>'

    def _guide(self, touched: list[int]) -> str:
        """A thin line from a row's label to the last lane that it touches; what is folded is touched by most rows."""
        lanes = [lane for lane in touched if lane not in self._frame.folded]
        if not lanes:
            return ""
        right = max(self._frame.x(lane) for lane in lanes)
        path = f'd="M{LANES_FROM - 4} 0H{right}" data-lanes="{" ".join(map(str, sorted(set(touched))))}"'
        return f'<path class="etm-guide" {path} stroke="currentColor" stroke-opacity="0.2"/>'

    def _label(self, row: Row, *, again: bool) -> str:
        """A cell run's number, source, signs and time."""
        run = row.run
        colour = f' fill="{COLOURS["lost"]}"' if row.failed else ""
        parts = [self._title(words.of_row(row))]
        if run.n:
            parts.append(f'<text x="{_NUMBER}" y="4" text-anchor="end" fill-opacity="0.6"{colour}>{run.n}</text>')
        parts.append(f'<text x="{_SOURCE}" y="4"{colour}>{clean(words.gist(run, _LINE))}</text>')
        parts += self._signs(row)
        if run.n:
            place = f'x="{_TIME}" y="4" text-anchor="end" font-size="11"'
            parts.append(f"<text {place}{colour}>{duration(run.seconds)}</text>")
            share = math.log(max(run.seconds, _SHORTEST) / _SHORTEST) / math.log(_LONGEST / _SHORTEST)
            fill = COLOURS["lost" if row.failed else "rerun" if again else None]
            kind = "etm-bar etm-failed" if row.failed else "etm-bar"
            bar = f'x="{_BAR}" y="-5" width="{max(1.0, _BAR_WIDTH * min(share, 1.0)):.1f}" height="10" rx="2"'
            parts.append(f'<rect class="{kind}" {bar} fill="{fill}" fill-opacity="0.8"/>')
        return "".join(parts)

    def _signs(self, row: Row) -> Iterator[str]:
        """Small signs for what is notable: failed, not repeatable, effects outside, files read."""
        run = row.run
        doubts = "; ".join((*run.unrepeatable, *row.learned))
        deeds = "; ".join(f"{effect.kind} {effect.detail}".strip() for effect in run.effects)
        files = ", ".join(file.path for file in run.files)
        signs = (
            (row.failed, "M-3.5 -3.5l7 7m0 -7l-7 7", COLOURS["lost"], run.error or run.status),
            (bool(doubts), "M-4 -2.2h8m-8 4.4h8M2.5 -5l-5 10", COLOURS["rerun"], f"not repeatable: {doubts}"),
            (bool(deeds), "M-3.5 3.5l7 -7m-5 0h5v5", TIE, f"outside: {deeds}"),
            (bool(files), "M-3 -4.5h4l2.5 2.5v6.5h-6.5zM1 -4.5v2.5h2.5", "currentColor", f"reads {files}"),
        )
        at = _SIGNS
        for is_so, path, colour, told in signs:
            if is_so:
                look = f'd="{path}" fill="none" stroke="{colour}" stroke-width="1.5"'
                told_ = self._title(cut(told, 300))
                yield f'<path class="etm-sign" transform="translate({at} 0)" {look}>{told_}</path>'
                at += 12

    def _ring(self, ring: Ring) -> str:
        told = self._title(f"cell {self._scene.rows[ring.row].run.n} reads {ring.version}")
        quiet = ' stroke-opacity="0.45"' if ring.lane in self._frame.folded else ""
        place = f'class="etm-ring" data-lane="{ring.lane}" cx="{self._frame.x(ring.lane)}" r="3.6"{quiet}'
        return _shape("circle", place, told)

    def _cross(self, cross: Cross) -> str:
        name = self._scene.lanes[cross.lane].name
        told = self._title(f"cell {self._scene.rows[cross.row].run.n} deletes {name}")
        place = f'data-lane="{cross.lane}" transform="translate({self._frame.x(cross.lane)} 0)"'
        look = 'd="M-4 -4l8 8m0 -8l-8 8" stroke="currentColor" stroke-width="1.6"'
        return f'<path class="etm-cross" {place} {look}>{told}</path>'

    def _seen(self) -> Iterator[tuple[int, int]]:
        """The dots that are seen, and how many others lie below each where rows and lanes are folded for good."""
        dots = self._scene.dots
        if self._moving:
            yield from ((i, 0) for i in range(len(dots)))
            return
        spots: dict[tuple[int, int], list[int]] = {}
        for i, dot in enumerate(dots):
            spots.setdefault((self._frame.y(dot.row), self._frame.x(dot.lane)), []).append(i)
        for spot in spots.values():
            yield max(spot, key=lambda i: (WEIGHT[self._fate(dots[i])], dots[i].record.size)), len(spot) - 1

    def _dot(self, i: int, dot: Dot, hidden: int) -> str:
        record, fate = dot.record, self._fate(dot)
        kind = f"etm-dot etm-{fate}" if fate else "etm-dot"
        place = f'data-dot="{i}" data-lane="{dot.lane}" cx="{self._frame.x(dot.lane)}"'
        if record.refusal is None:
            look = f'class="{kind}" fill="{COLOURS[fate]}" r="{radius(record.size):.1f}"'
        else:
            # It has no bytes that could travel.
            look = f'class="{kind} etm-refused" fill="none" stroke="{COLOURS[fate]}" stroke-width="2.4" r="4.5"'
            look += ' stroke-dasharray="3 1.6"'
        told = words.of_version(record, dot.live, self._outlook) + (f"\nand {hidden} more here" if hidden else "")
        return _shape("circle", f"{place} {look}", self._title(told))

    def _tie(self, tie: Tie) -> str:
        """Strings that hang from lane to lane of those that share data, where these are seen."""
        names = ", ".join(self._scene.lanes[lane].name for lane in tie.lanes)
        seen = [self._frame.x(lane) for lane in tie.lanes if lane not in self._frame.folded]
        path = "".join(f"M{a} 0q{(b - a) // 2} 13 {b - a} 0" for a, b in pairwise(seen))
        place = f'data-lanes="{" ".join(map(str, tie.lanes))}" d="{path or "M0 0"}"'
        told = self._title(f"these share data: {cut(names, 300)}")
        return f'<path class="etm-tie" {place} fill="none" stroke="{TIE}" stroke-width="1.6">{told}</path>'

    def _fate(self, dot: Dot) -> Outcome | None:
        return None if self._outlook is None else self._outlook.shown.of(dot.record.version)
