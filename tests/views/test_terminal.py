"""Reports are shown in colour where colours are seen, and nowhere else."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from elastictm.ids import Name, RunNumber
from elastictm.model.difference import CellBetween, DifferenceReport, VariableDifference
from elastictm.model.reports import RestoreReport, VariableReport
from elastictm.views.terminal import coloured

GREEN, RED, YELLOW, CYAN = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[36m"


@pytest.fixture
def difference():
    """A report with one variable of each change, and a unified diff."""
    lines = ("source: 1 line removed, 1 line added", "  @@ line 1 @@", "  -old <a>", "  +new", "- is no diff")
    changes = ("changed", "created", "deleted", "renamed", "unclear")
    variables = tuple(
        VariableDifference(Name(change[:3]), change, "list", "list", 1, 2, lines=lines if change == "changed" else ())
        for change in changes
    )
    cells = (CellBetween(RunNumber(3), "x = 1", "run"),)
    return DifferenceReport("A", "B", cells, variables, settings=("settings of pandas: - x",), notes=("- note",))


@pytest.fixture
def restored():
    """A restore that lost something, and brought something back as another value."""
    variables = (
        VariableReport(Name("fine"), "stored", "list", bytes=10),
        VariableReport(Name("other"), "rerun", "int", "not repeatable: running cell 2 again gave another value"),
        VariableReport(Name("gone"), "lost", "socket", "a socket cannot be stored"),
    )
    return RestoreReport("a.tm", variables, (RunNumber(2),), 0.5, 10, notes=("MAY DIFFER maybe: cell 2 ran again",))


def terminal(width=100, **options):
    """A console that takes itself for a terminal."""
    return Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=width, **options)


def plain(text):
    """A text without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_colours_follow_the_change(difference):
    """Green for what came, red for what went, yellow for what changed; the text is the same as without them."""
    shown = coloured(difference, terminal())
    assert plain(shown) == str(difference)
    rows = [line for line in shown.splitlines() if "list" in line]
    expected = (YELLOW, GREEN, RED, CYAN, YELLOW)
    assert all(colour in row for colour, row in zip(expected, rows, strict=True))
    assert RED in next(line for line in shown.splitlines() if "-old" in line)
    assert GREEN in next(line for line in shown.splitlines() if "+new" in line)
    for word in ("- is no diff", "- note", "pandas: - x", "x = 1"):
        assert "\x1b[3" not in next(line for line in shown.splitlines() if word in line)


def test_losses_are_red_and_first(restored):
    """A loss comes first and is red, then what is different, in yellow, then the table."""
    lines = coloured(restored, terminal()).splitlines()
    assert (plain(lines[1])[:11], RED in lines[1]) == ("  LOST gone", True)
    assert (plain(lines[2])[:17], YELLOW in lines[2]) == ("  DIFFERENT other", True)
    assert (plain(lines[3])[:18], YELLOW in lines[3]) == ("  MAY DIFFER maybe", True)
    assert plain(lines[4]).split()[0] == "variable"


def test_a_narrow_terminal_keeps_losses(restored):
    """Lines go on below rather than end, and no line is wider than the terminal."""
    shown = coloured(restored, terminal(width=30))
    assert max(map(len, plain(shown).splitlines())) <= 30
    assert "a socket cannot be stored" in " ".join(plain(shown).split())


@pytest.mark.parametrize("console", [
    lambda: Console(file=io.StringIO()), lambda: Console(file=io.StringIO(), force_jupyter=True), lambda: terminal(no_color=True),
])  # fmt: skip
def test_no_colours_where_none_are_seen(difference, console):
    """A file, a pipe, a notebook's text, and who does not want colours, get plain text."""
    assert coloured(difference, console()) == str(difference)


def test_no_color_is_heard(difference, monkeypatch):
    """The environment variable of that name takes colours away."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured(difference, terminal()) == str(difference)


def test_a_pipe_is_not_fitted(restored):
    """What a program reads has all of its text, however long its lines are."""
    assert coloured(restored, Console(file=io.StringIO(), width=20)) == str(restored)
