"""States as HTML that needs no script."""

from __future__ import annotations

import re

from elastictm.model.branches import Lane
from elastictm.model.timeline import StateLine, Timeline
from elastictm.views.states import StatesPage, states_html


def line(n, **given):
    """A state."""
    usual = {"lane": Lane(above=n > 0, below=True), "code": f"x = {n}", "age": 1.0, "seconds": 0.5, "wrote": ("x",)}
    return StateLine(n=n, **(usual | {"bytes": 0, "tags": (), "here": False} | given))


SHOWN = Timeline(
    "s",
    (
        line(0),
        line(2, lane=Lane(column=1, start=0, passing=(0,), below=True), code="if a < b: print('<script>')"),
        line(5, lane=Lane(above=True), here=True, tags=("a & b",), bytes=2_000_000),
        line(6, lost=("gone", "too"), rerun=3.0),
    ),
    hidden=7,
    gaps=("LOST 1 state",),
    undo=2,
)


def test_what_people_need_to_know_is_there():
    """What each state is, where one is, what going there costs with losses first, and the words to type."""
    page = StatesPage(SHOWN, "2026-01-02 at 03:04:05", "panel-1")._repr_html_()
    for text in (
        "a &amp; b",
        "you are here",
        "2.0 MB",
        "500 ms",
        "<code>%past 2</code>",
        "7 earlier states",
        "03:04:05",
    ):
        assert text in page, text
    assert "<code>%past 5</code>" not in page
    assert page.index("LOST 1 state") < page.index("<table")
    assert page.index("loses gone, too") < page.index("re-runs cells: 3.0 s")
    assert 'data-panel="panel-1"' in page


def test_nothing_in_it_runs_or_is_fetched():
    """Code of cells is text, and there are no scripts, handlers or addresses."""
    page = StatesPage(SHOWN)._repr_html_()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert not re.search(r"\son\w+=|https?:|url\(|@import", page)


def test_lines_are_drawn_beside_each_row():
    """A row has a dot in its column, the lines that pass it, and the curve by which a branch leaves."""
    rows = re.findall(r'<tr class="etm-state".*?</tr>', states_html(SHOWN))
    assert [row.count("<circle") for row in rows] == [1, 1, 2, 1]
    assert [row.count("<line") for row in rows] == [1, 2, 1, 2]
    assert [row.count("<path") for row in rows] == [0, 1, 0, 0]
    assert 'data-goes-on="0 1"' in rows[1]


def test_text_and_plain_values_are_those_of_the_timeline():
    """Terminals and programs have what they had."""
    page = StatesPage(SHOWN, "now", "panel-1")
    assert str(page) == str(SHOWN)
    assert page.to_json() == SHOWN.to_json()


def test_a_thousand_states_are_soon_written():
    """A row takes a few hundred bytes, and so do not many rows take long to show."""
    many = Timeline("s", tuple(line(n) for n in range(1000)))
    assert len(states_html(many)) < 1_000_000
