"""The states of a session as HTML: a list with its branches drawn beside it, the same for the panel and without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.tables import age, amount, duration
from elastictm.model.texts import counted

if TYPE_CHECKING:
    from elastictm.model.branches import Lane
    from elastictm.model.timeline import StateLine, Timeline

ASSETS: Final = Path(__file__).parent / "assets"
_COLUMN: Final = 14
_DOT: Final = 15
"""Pixels: how wide a column of the drawing is, and how far below the top of its row a dot is."""
_NAMES: Final = 4
_COLOURS: Final = 6
_HEADS: Final = ("", "state", "cell", "wrote", "took", "added", "going there", "")
_TYPED: Final = (
    "%past N goes to a state, %past undo and %past redo go back and forward, %past diff A B and %past vars N "
)
_TO_TYPE: Final = _TYPED + "look into states, %past tag NAME N names one."


@dataclass(frozen=True, slots=True, repr=False)
class StatesPage:
    """A timeline as it is shown: as text on a terminal, in a notebook as HTML that needs no script.

    ``panel`` is the number of the panel that may come alive in its place; ``made`` says when it was made.
    """

    timeline: Timeline
    made: str = ""
    panel: str = ""

    def __str__(self) -> str:
        return str(self.timeline)

    def to_json(self) -> dict[str, object]:
        """The states as a dict of plain values."""
        return self.timeline.to_json()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.pretty(self.timeline)

    def _repr_html_(self) -> str:
        # A panel's script takes the place of what is in this element; without one it is nothing but a wrapper.
        style = f"<style>{stylesheet()}</style>"
        made = f"As it was on {escape(self.made)}. " if self.made else ""
        foot = f'<p class="etm-foot">{made}{escape(_TO_TYPE)}</p>'
        inner = f'<div class="etm-past">{style}{states_html(self.timeline)}{foot}</div>'
        return f'<elastictm-past data-panel="{escape(self.panel)}">{inner}</elastictm-past>'


def stylesheet() -> str:
    """How states look, in light and dark, with the panel's script or without."""
    return (ASSETS / "panel.css").read_text(encoding="utf-8")


def states_html(timeline: Timeline) -> str:
    """What is known of the states; what cannot be had comes first."""
    return "".join(_parts(timeline))


def _parts(timeline: Timeline) -> Iterator[str]:
    here = next((state.n for state in timeline.states if state.here), None)
    number = len(timeline.states) + timeline.hidden
    about = f"{counted(number, 'state')}, {amount(timeline.bytes)} on disk"
    about += "" if here is None else f", you are at state {here}"
    undo, redo = ("" if n is None else n for n in (timeline.undo, timeline.redo))
    data = f'data-undo="{undo}" data-redo="{redo}" data-hidden="{timeline.hidden}" data-here="{_shown(here)}"'
    yield f'<div class="etm-head" {data}>'
    yield f"<b>The past of {escape(timeline.session or 'this session')}</b> <span>{about}</span></div>"
    yield _listed(timeline.gaps, "etm-lost")
    width = max((state.lane.width for state in timeline.states), default=1)
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    rows = "".join(_row(state, width) for state in timeline.states)
    table = f'<table style="--etm-wide: {width * _COLUMN + 4}px">'
    yield f'<div class="etm-scroll">{table}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    hidden = (f"{timeline.hidden} earlier states: %past --all shows them",) if timeline.hidden else ()
    yield _listed((*hidden, *timeline.notes), "etm-notes")


def _listed(lines: Iterable[str], kind: str) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{kind}">{items}</ul>' if items else ""


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _row(state: StateLine, width: int) -> str:
    lane = state.lane
    going_on = sorted({*lane.passing, *([lane.column] if lane.below else [])})
    data = f'data-n="{state.n}" data-goes-on="{" ".join(map(str, going_on))}"'
    marks = "".join(f' <span class="etm-tag">{escape(tag)}</span>' for tag in state.tags)
    marks += ' <span class="etm-mark">you are here</span>' if state.here else ""
    cells = (
        f'<td class="etm-lines">{_drawn(lane, width, here=state.here)}</td>',
        f'<th scope="row" class="etm-n">{state.n}</th>',
        f'<td class="etm-cell"><code>{escape(state.code)}</code>{marks}</td>',
        f'<td class="etm-wrote" title="{escape(", ".join(state.wrote))}">{escape(_few(state.wrote))}</td>',
        f'<td class="etm-number" title="{age(state.age)} ago">{duration(state.seconds)}</td>',
        f'<td class="etm-number">{amount(state.bytes) if state.bytes else ""}</td>',
        f'<td class="etm-way">{_way(state)}</td>',
        f'<td class="etm-go">{"" if state.here else f"<code>%past {state.n}</code>"}</td>',
    )
    here = ' aria-current="true"' if state.here else ""
    return f'<tr class="etm-state"{here} {data}>{"".join(cells)}</tr>'


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_NAMES]) + (f" and {len(listed) - _NAMES} more" if len(listed) > _NAMES else "")


def _way(state: StateLine) -> str:
    """What going there costs: what it loses first."""
    lost = f'<b class="etm-bad">loses {escape(_few(state.lost))}</b>' if state.lost else ""
    run = "" if state.rerun is None else f'<span class="etm-run">re-runs cells: {duration(state.rerun)}</span>'
    return "<br>".join(filter(None, [lost, run]))


def _drawn(lane: Lane, width: int, *, here: bool) -> str:
    """The lines and the dot of a row; lines that go on reach its lower end, however high it is."""
    drawn = [_line(i, "0", "100%") for i in lane.passing]
    if lane.above:
        drawn.append(_line(lane.column, "0", str(_DOT)))
    if lane.below:
        drawn.append(_line(lane.column, str(_DOT), "100%"))
    if lane.start < lane.column:
        x, end = _x(lane.start), _x(lane.column)
        path = f"M{x} 0C{x} {_DOT} {x + 4} {_DOT} {min(end, x + _COLUMN)} {_DOT}H{end}"
        drawn.append(f'<path class="etm-c{lane.column % _COLOURS}" d="{path}"/>')
    if here:
        drawn.append(f'<circle class="etm-ring" cx="{_x(lane.column)}" cy="{_DOT}" r="6.5"/>')
    drawn.append(f'<circle class="etm-c{lane.column % _COLOURS}" cx="{_x(lane.column)}" cy="{_DOT}" r="4"/>')
    return f'<svg width="{width * _COLUMN + 4}" aria-hidden="true">{"".join(drawn)}</svg>'


def _line(column: int, top: str, bottom: str) -> str:
    x = _x(column)
    return f'<line class="etm-c{column % _COLOURS}" x1="{x}" y1="{top}" x2="{x}" y2="{bottom}"/>'


def _x(column: int) -> int:
    return column * _COLUMN + _COLUMN // 2 + 2
