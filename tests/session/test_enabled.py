"""Recording that a profile begins: with the first cell, and all of that cell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from elastictm.enabled import begin
from elastictm.extension import find

from .conftest import wrote


@pytest.mark.parametrize("cell", ["x = [1]", "%load_ext elastictm\nx = [1]"])
def test_the_first_cell_is_recorded(unloaded, cell):
    """It is cell 1, with what it wrote and nothing else, also where it loads elastictm itself."""
    begin(unloaded.shell)
    begin(unloaded.shell)
    assert wrote(unloaded.run(cell)) == {"x"}
    assert [(run.n, run.source) for run in unloaded.runs] == [(0, ""), (1, cell)]
    assert not any("may touch" in note for note in unloaded.runs[-1].notes)
    assert wrote(unloaded.run("y = x")) == {"y"}
    assert unloaded.errors == []


def test_what_is_no_cell_does_not_begin_it(unloaded):
    """Code without a number, as scripts and front ends run it, is not recorded; the next cell is."""
    begin(unloaded.shell)
    unloaded.shell.run_cell("a = 1")
    assert find(unloaded.shell) is None
    unloaded.run("b = a")
    assert {str(version.name) for version in unloaded.runs[-1].reads} == {"a"}


def test_unloading_ends_it(unloaded):
    """Recording that began by itself ends like any other, and does not begin again."""
    before = {event: list(found) for event, found in unloaded.shell.events.callbacks.items()}
    begin(unloaded.shell)
    for cell in ("x = 1", "%unload_ext elastictm", "y = 1"):
        unloaded.shell.run_cell(cell, store_history=True)
    assert find(unloaded.shell) is None
    assert {event: list(found) for event, found in unloaded.shell.events.callbacks.items()} == before


def test_an_explicit_load_comes_first(unloaded, capsys):
    """A session that is recorded already stays the one that it is."""
    begin(unloaded.shell)
    unloaded.shell.run_line_magic("load_ext", "elastictm")
    session = find(unloaded.shell).session
    unloaded.run("x = 1")
    assert find(unloaded.shell).session is session
    assert len(unloaded.runs) == 2


@pytest.mark.parametrize("attended", [True, False])
def test_programs_that_run_notebooks_are_told_nothing(notebook, monkeypatch, capsys, attended):
    """Loading tells what an earlier session left where somebody can be asked something, and nowhere else."""
    notebook.run("x = 1")
    notebook.session.past.close()
    kernel = SimpleNamespace(_allow_stdin=attended)
    monkeypatch.setattr(notebook.shell, "kernel", kernel, raising=False)
    capsys.readouterr()
    notebook.shell.run_cell("%reload_ext elastictm")
    assert ("%past recover" in capsys.readouterr().out) == attended
    assert find(notebook.shell) is not None
