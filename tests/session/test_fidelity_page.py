"""docs/fidelity.md says what the program does: its cells are run, its advice is what reports print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elastictm.model.remedies import remedy
from elastictm.session.saving import SaveOptions

PAGE = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")


def table(heading):
    """The rows of the table with these first columns, as texts."""
    _, _, rest = PAGE.partition(f"| {heading} |")
    assert rest, heading
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_cells_at_a_glance_end_as_the_page_says(notebook, tmp_path):
    """Each cell of the first table is run and planned, and the variable that it ends with has the outcome there."""
    (tmp_path / "notes.txt").write_text("one\ntwo\n")
    rows = [(code.strip("`"), outcome) for code, outcome, _ in table("cell | outcome | what you get")]
    imports = re.search(r"after `(import [^`]*)`, `(import [^`]*)` and `(from [^`]*)`", PAGE)
    notebook.run(*imports.groups(), *(code for code, _ in rows))
    plan = notebook.session.plan(SaveOptions(policy="store-all"))
    outcomes = {variable.name: variable.outcome for variable in plan.variables}
    names = [re.findall(r"(?:^|; )(?:def )?(\w+)(?: =|\()", code)[-1] for code, _ in rows]
    assert [outcomes[name] for name in names] == [outcome for _, outcome in rows]
    for name in ("book", "link", "db"):
        notebook.ns[name].close()


@pytest.mark.parametrize("moment", ["save", "restore"])
def test_advice_is_that_of_the_program(moment):
    """What the page says to do about a reason is what a report prints."""
    rows = table(f"the report says, at a {moment} | what to do")
    assert rows
    assert [(reason, remedy(reason, moment)) for reason, _ in rows] == [(reason, advice) for reason, advice in rows]


def test_the_line_of_a_loss_is_one_that_is_printed(notebook):
    """The line on the page is the one that its cells lead to."""
    shown = re.search(r"```\n(LOST [^\n]*)\n```", PAGE).group(1)
    notebook.run("x = 1", "y = 2", "with open('log.txt', 'w'): held = {'rows': (c for c in 'x')}")
    line = str(notebook.session.plan(SaveOptions())).splitlines()[1].strip()
    assert re.sub(r"wrote \S*log\.txt", "wrote log.txt", line) == shown
