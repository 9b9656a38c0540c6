"""A history as one HTML file that needs nothing from elsewhere: the picture, its data, and a script that moves it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import is_variable
from elastictm.model.tables import duration
from elastictm.views import words
from elastictm.views.alive import alive
from elastictm.views.frame import LANE, LANES_FROM, LEAN, LETTER, MOST_LETTERS, ROW, Frame
from elastictm.views.ledger import plain, visible
from elastictm.views.svg import svg

if TYPE_CHECKING:
    from elastictm.model.outlook import Fates, Outlook
    from elastictm.views.drawing import Drawing
    from elastictm.views.scene import Scene

_STEPS: Final = 1000
"""Steps of the slider."""

_LETTERS: Final = {"stored": "s", "rerun": "r", "kept": "k", "lost": "l", None: "-"}

_HELP: Final = """\
<h2>How to look around</h2>
<p>Cell runs go down the page, variables are lanes. A dot is a version, larger for more bytes; a ring is a read, a cross
a deletion; strings tie what shares data. A line is a version's life, strong to its last reader.</p>
<p>Point at anything to see what it is. Click a cell or a version to see all that it comes from and leads to.</p>
<p>Keys, anywhere on the page: <kbd>↑</kbd> <kbd>↓</kbd> cells, or versions of a name · <kbd>→</kbd> <kbd>←</kbd> what
a cell wrote · <kbd>/</kbd> search · <kbd>+</kbd> <kbd>&minus;</kbd> <kbd>0</kbd> zoom.
Then <kbd>Enter</kbd> pin, unfold · <kbd>Esc</kbd> unpin · <kbd>Home</kbd> <kbd>End</kbd> first and last cell.</p>
"""


def page(drawing: Drawing, heading: str) -> str:
    """The file; the picture is coloured by the plan that is shown at first."""
    scene, outlook = drawing.scene, drawing.outlook
    failures = "".join(f'<p class="is-lost"><b>{escape(text)}</b></p>' for text in drawing.errors)
    # In a script element nothing but its end is special to HTML, so no "<" may stand in it.
    data = json.dumps(_data(scene, outlook), separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{_plain(heading)}</title>\n<style>\n{_asset('graph.css')}</style>\n</head>\n<body>",
        f'<header><div><h1>{_plain(heading)}</h1><span class="quiet">{escape(drawing.heading)}</span></div>{failures}',
        f'<div class="tools">{_TOOLS}</div>{_plan_tools(outlook)}</header>',
        f"<main>{_STAGE}{svg(scene, outlook, moving=True)}</div>",
        f'<aside id="detail" aria-label="What is chosen">{_HELP}{_notes(drawing.notes)}</aside></main>',
        '<div id="said" class="sr" aria-live="polite"></div><div id="tip" hidden></div>',
        f'<footer><details id="table"><summary>As tables</summary>{_tables(scene, outlook)}</details></footer>',
        f'<script type="application/json" id="data">{data}</script>',
        f"<script>\n{_asset('graph.js')}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


_STAGE: Final = """\
<div id="stage" tabindex="0" role="application" aria-label="The history: arrow keys move between cells and versions"
aria-describedby="detail">"""

_TOOLS: Final = """\
<input id="search" type="search" placeholder="Search names and source ( / )" aria-label="Search names and source">
<span id="found" role="status"></span>
<span class="group"><button id="farther" aria-label="Zoom out">&minus;</button>
<span id="zoom" class="quiet">100 %</span>
<button id="closer" aria-label="Zoom in">+</button><button id="fit">Fit</button></span>
<button id="unfold" aria-pressed="false">Unfold all</button>
<button id="theme" aria-label="Switch between light and dark">Dark</button>"""


def _plan_tools(outlook: Outlook | None) -> str:
    """The choice of the plan that colours show, and the slider over bandwidths, with a tick where plans change."""
    if outlook is None:
        return ""
    low, high = outlook.stretches[0].low, outlook.stretches[-1].high
    ticks = (math.log(stretch.low / low) / math.log(high / low) for stretch in outlook.stretches[1:])
    marks = "".join(f'<i style="left:calc(8px + (100% - 16px) * {tick:.4f})"></i>' for tick in ticks)
    saved = '<option value="saved">as it was saved</option>' if outlook.saved is not None else ""
    options = f'{saved}<option value="speed">a save at a bandwidth</option><option value="none">none</option>'
    return (
        f'<div class="tools"><label class="group">Plan <select id="layer">{options}</select></label>'
        f'<div class="slide"><input id="speed" type="range" min="0" max="{_STEPS}" step="1" aria-label="Bandwidth">'
        f'{marks}</div><span id="plan-text" role="status"></span></div>'
    )


def _asset(name: str) -> str:
    return files("elastictm.views").joinpath("assets", name).read_text(encoding="utf-8")


def _plain(text: str) -> str:
    return escape(plain(text))


def _source(text: str) -> str:
    return visible(text, "\N{REPLACEMENT CHARACTER}")


def _notes(notes: tuple[str, ...]) -> str:
    items = "".join(f"<li>{_plain(note)}</li>" for note in notes)
    return f"<h2>What is notable</h2><ul>{items}</ul>" if items else ""


def _tables(scene: Scene, outlook: Outlook | None) -> str:
    """The same for who does not see the picture."""
    cells = "".join(
        f"<tr><td>{row.run.n}</td><td>{row.run.status}</td><td>{duration(row.run.seconds)}</td>"
        f"<td>{_plain(words.gist(row.run, 60))}</td><td>{_plain('; '.join(words.of_marks(row)))}</td></tr>"
        for row in scene.rows
    )
    head = "<tr><th>cell</th><th>ended</th><th>time</th><th>source</th><th>notable</th></tr>"
    return f"{alive(scene, outlook).to_html()}<table><thead>{head}</thead><tbody>{cells}</tbody></table>"


def _data(scene: Scene, outlook: Outlook | None) -> dict[str, Any]:
    """What the script knows; versions are numbered as the scene's dots are."""
    frame = Frame(scene)
    number = {dot.record.version: i for i, dot in enumerate(scene.dots)}
    reads: list[list[int]] = [[] for _ in scene.rows]
    writes: list[list[int]] = [[] for _ in scene.rows]
    deletes: list[list[int]] = [[] for _ in scene.rows]
    for ring in scene.rings:
        reads[ring.row].append(number[ring.version])
    for i, dot in enumerate(scene.dots):
        writes[dot.row].append(i)
    for cross in scene.crosses:
        deletes[cross.row].append(cross.lane)
    return {
        "frame": {
            "row": ROW,
            "lane": LANE,
            "lean": LEAN,
            "from": LANES_FROM,
            "letter": LETTER,
            "letters": MOST_LETTERS,
            "tall": frame.tall,
        },
        "rows": [
            {
                "n": row.run.n,
                "status": row.run.status,
                "seconds": row.run.seconds,
                "source": _source(row.run.source),
                "marks": words.of_marks(row),
                "reads": reads[i],
                "writes": writes[i],
                "deletes": deletes[i],
            }
            for i, row in enumerate(scene.rows)
        ],
        "lanes": [{"name": _source(lane.name), "variable": is_variable(lane.name)} for lane in scene.lanes],
        "dots": list(_dots(scene, outlook)),
        "rowFolds": [
            {"first": fold.first, "last": fold.last, "text": words.of_fold(scene, fold)} for fold in scene.row_folds
        ],
        "laneFolds": [
            {"first": fold.first, "last": fold.last, "text": f"{len(fold)} {fold.what}"} for fold in scene.lane_folds
        ],
        "outlook": None if outlook is None else _outlook(scene, outlook),
    }


def _dots(scene: Scene, outlook: Outlook | None) -> Iterator[dict[str, Any]]:
    for dot in scene.dots:
        record = dot.record
        told: dict[str, Any] = {
            "row": dot.row,
            "lane": dot.lane,
            "kind": _source(record.kind),
            "bytes": record.size,
            "live": dot.live,
        }
        if record.refusal is not None:
            told["refusal"] = _source(f"{record.refusal.path}: {record.refusal.reason}")
        elif dot.live:
            told["store"] = [2 * record.seconds, 2 * record.size]
        if outlook is not None and record.version in outlook.remake:
            told["remake"] = outlook.remake[record.version]
        yield told


def _outlook(scene: Scene, outlook: Outlook) -> dict[str, Any]:
    """The plans; an outcome is a letter for each target."""
    targets = [i for i, dot in enumerate(scene.dots) if dot.live]
    number = {dot.record.version: i for i, dot in enumerate(scene.dots)}
    rows = {row.run.n: i for i, row in enumerate(scene.rows)}

    def fates(given: Fates) -> dict[str, Any]:
        return {
            "outcomes": "".join(_LETTERS[given.outcomes.get(scene.dots[i].record.version)] for i in targets),
            "remade": sorted(number[version] for version in given.remade if version in number),
            "cells": [rows[n] for n in given.cells if n in rows],
            "bytes": given.bytes,
        }

    return {
        "targets": targets,
        "bandwidth": outlook.bandwidth,
        "saved": None if outlook.saved is None else fates(outlook.saved),
        "stretches": [
            fates(each.fates) | {"low": each.low, "high": each.high, "fixed": each.fixed, "moved": each.moved}
            for each in outlook.stretches
        ],
    }
