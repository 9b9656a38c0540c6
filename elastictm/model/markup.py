"""Tables as HTML: what was lost in a block at the top, long tables folded, no scripts, and colours of the page's own.

The style speaks of nothing outside the report.  Colours are JupyterLab's, or such as can be read on light and dark
pages alike; text keeps the colour of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from elastictm.model.tables import Table
from elastictm.model.tones import Tone, tone_of, tone_of_change, tone_of_outcome

SHOWN: Final = 24
"""Rows of a table that are seen at once; the others are folded away."""

_COLOURS: Final[dict[Tone, tuple[str, str]]] = {
    "lost": ("--jp-error-color1", "#d93025"),
    "differs": ("--jp-warn-color1", "#b87400"),
    "new": ("--jp-success-color1", "#2e8540"),
    "moved": ("--jp-info-color1", "#0b84a5"),
}

_RULES: Final = (
    ".elastictm{color:var(--jp-content-font-color1,inherit);font-size:var(--jp-content-font-size1,14px);"
    "line-height:1.45;margin:.2em 0;text-align:left}"
    ".elastictm .etm-head{font-weight:600;margin:.35em 0;white-space:pre-line;overflow-wrap:anywhere}"
    ".elastictm ul{list-style:none;margin:.4em 0;padding:0}"
    ".elastictm li{overflow-wrap:anywhere;padding:.1em 0}"
    ".elastictm .etm-first{border-left:3px solid currentColor;padding:.15em .8em}"
    ".elastictm .etm-first.etm-lost{border-color:var(--jp-error-color1,#d93025)}"
    ".elastictm .etm-first.etm-differs{border-color:var(--jp-warn-color1,#b87400)}"
    ".elastictm .etm-first.etm-plain{opacity:.85}"
    ".elastictm .etm-notes{font-size:92%;opacity:.8}"
    ".elastictm .etm-scroll{overflow-x:auto;max-width:100%}"
    ".elastictm table{border:0;border-collapse:collapse;margin:.3em 0;table-layout:auto;font-size:inherit;"
    "color:inherit;font-variant-numeric:tabular-nums}"
    ".elastictm thead{border-bottom:1px solid currentColor}"
    ".elastictm tr{background:none}"
    ".elastictm th,.elastictm td{border:0;padding:.22em .8em .22em 0;text-align:left;vertical-align:top;"
    "white-space:pre;max-width:36em;background:none;color:inherit}"
    ".elastictm th{font-weight:500;font-size:92%}"
    ".elastictm tbody tr+tr{border-top:1px solid rgba(128,128,128,.18)}"
    ".elastictm td.etm-text{white-space:normal;overflow-wrap:anywhere;min-width:12em}"
    ".elastictm th.etm-n,.elastictm td.etm-n{text-align:right;white-space:nowrap}"
    ".elastictm .etm-w{border:1px solid currentColor;border-radius:.7em;font-size:88%;padding:0 .5em;"
    "white-space:nowrap}"
    ".elastictm b.etm-lost,.elastictm b.etm-differs{font-weight:700}"
    ".elastictm pre{background:none;color:inherit;font-size:92%;margin:.2em 0;overflow-x:auto;white-space:pre}"
    ".elastictm summary{cursor:pointer;opacity:.85}"
) + "".join(
    f".elastictm .etm-c-{tone}{{color:var({variable},{colour})}}" for tone, (variable, colour) in _COLOURS.items()
)
_STYLE: Final = _RULES.replace(".elastictm", ".elastictm" * 3)
"""The rules, with more weight than those that notebooks have for all tables and lists."""

_WORD: Final = re.compile(r"\b(LOST|DIFFERENT|MAY DIFFER|lost|different|differs)\b")
_PROSE: Final = 28
"""Characters of the longest text in a column from which on it is prose, and may go on in another line."""


def html_of(tables: Iterable[Table]) -> str:
    """A whole report."""
    return f'<div class="elastictm"><style>{_STYLE}</style>{"".join(map(fragment, tables))}</div>'


def fragment(table: Table) -> str:
    """One table, without the style."""
    head = f'<div class="etm-head">{escape(table.heading)}</div>'
    if table.verbatim:
        return head + _verbatim(table.lines)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    below = f'<ul class="etm-notes">{notes}</ul>' if notes else ""
    return head + "".join(_blocks(table.first)) + _grid(table) + below


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Losses, then what differs, then the rest, each in a block with its own edge."""
    parts: dict[Tone, list[str]] = {}
    for line in lines:
        parts.setdefault(tone_of(line), []).append(line)
    for tone, told in parts.items():
        items = "".join(f"<li>{_told(line, tone)}</li>" for line in told)
        yield f'<ul class="etm-first etm-{tone or "plain"}">{items}</ul>'


def _told(line: str, tone: Tone) -> str:
    """A line whose first telling word has its tone."""
    found = _WORD.search(line) if tone else None
    if found is None:
        return escape(line)
    before, word, after = line[: found.start()], found[0], line[found.end() :]
    return f'{escape(before)}<b class="etm-{tone} etm-c-{tone}">{escape(word)}</b>{escape(after)}'


def _grid(table: Table) -> str:
    if not table.rows:
        return ""
    shown = _rows(table, 0, SHOWN if len(table.rows) > SHOWN + 1 else len(table.rows))
    hidden = len(table.rows) - SHOWN if len(table.rows) > SHOWN + 1 else 0
    if not hidden:
        return shown
    return f"{shown}<details><summary>{hidden} more rows</summary>{_rows(table, SHOWN, len(table.rows))}</details>"


def _rows(table: Table, start: int, stop: int) -> str:
    numbers = table.numbers
    classes = [
        ' class="etm-n"'
        if i in numbers
        else ' class="etm-text"'
        if max(len(row[i]) for row in table.rows) > _PROSE
        else ""
        for i in range(len(table.columns))
    ]
    heads = (' class="etm-n"' if i in numbers else "" for i in range(len(table.columns)))
    head = "".join(f'<th{c} scope="col">{escape(name)}</th>' for name, c in zip(table.columns, heads, strict=True))
    body = "".join(
        f"<tr>{''.join(_cell(cell, c, table.tone(n)) for cell, c in zip(table.rows[n], classes, strict=True))}</tr>"
        for n in range(start, stop)
    )
    return f'<div class="etm-scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: str, attributes: str, row: Tone) -> str:
    tone = tone_of_outcome(cell)
    if tone:
        return f'<td{attributes}><span class="etm-w etm-c-{tone}">{escape(cell)}</span></td>'
    if row in _COLOURS and cell:
        return f'<td{attributes}><span class="etm-c-{row}">{escape(cell)}</span></td>'
    return f"<td{attributes}>{escape(cell)}</td>"


def _verbatim(lines: Iterable[str]) -> str:
    """Lines as they stand, those of a unified diff in colour."""
    body = []
    for line in lines:
        tone = tone_of_change(line)
        text = escape(line)
        body.append(f'<span class="etm-c-{tone}">{text}</span>' if tone else text)
    return f"<pre>{chr(10).join(body)}</pre>"
