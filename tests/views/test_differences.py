"""Differences are shown in colour where colours are seen, and nowhere else."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from elastictm.ids import Name, RunNumber
from elastictm.model.difference import CellBetween, DifferenceReport, VariableDifference
from elastictm.views.differences import ColouredDifference, coloured

GREEN, RED, YELLOW = "\x1b[32m", "\x1b[31m", "\x1b[33m"


@pytest.fixture
def report():
    """A report with one variable of each change, and a unified diff."""
    lines = ("source: 1 line removed, 1 line added", "  @@ line 1 @@", "  -old <a>", "  +new", "- is no diff")
    changes = ("changed", "created", "deleted", "renamed", "unclear")
    variables = tuple(
        VariableDifference(Name(change[:3]), change, "list", "list", 1, 2, lines=lines if change == "changed" else ())
        for change in changes
    )
    cells = (CellBetween(RunNumber(3), "x = 1", "run"),)
    return DifferenceReport("A", "B", cells, variables, settings=("settings of pandas: - x",), notes=("- note",))


def terminal(**options):
    """A console that takes itself for a terminal."""
    return Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=20, **options)


def test_colours_follow_the_change(report):
    """Green for what came, red for what went, yellow for what changed; the text is the same as without them."""
    shown = coloured(report, terminal())
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == str(report)
    lines = shown.splitlines()
    assert [line[:5] for line in lines if "list" in line] == [YELLOW, GREEN, RED, "\x1b[36m", YELLOW]
    assert next(line for line in lines if "-old" in line).startswith(RED)
    assert next(line for line in lines if "+new" in line).startswith(GREEN)
    for plain in ("- is no diff", "- note", "pandas: - x", "x = 1"):
        assert "\x1b[3" not in next(line for line in lines if plain in line)


@pytest.mark.parametrize("console", [
    lambda: Console(file=io.StringIO()), lambda: terminal(no_color=True), lambda: Console(file=io.StringIO(), force_jupyter=True),
])  # fmt: skip
def test_no_colours_where_none_are_seen(report, console):
    """A file, a pipe, a notebook's text, and who does not want colours, get plain text."""
    assert coloured(report, console()) == str(report)


def test_no_color_is_heard(report, monkeypatch):
    """The environment variable of that name takes colours away."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured(report, terminal()) == str(report)


def test_a_notebook_gets_colours_without_scripts(report):
    """Rows have a faint background, lines of a diff a colour, and all text is escaped."""
    html = ColouredDifference(report)._repr_html_()
    assert html.count('<tr style="background') == 5
    assert html.count("<span") == 3
    assert "-old &lt;a&gt;" in html
    assert "<a>" not in html
    assert "<script" not in html


def test_the_wrapper_is_the_report_for_programs(report):
    """Text and JSON are those of the report."""
    wrapped = ColouredDifference(report)
    assert (str(wrapped), wrapped.to_json()) == (str(report), report.to_json())
