"""The cell that loads elastictm is recorded where loading it is the first thing that it does."""

from __future__ import annotations

import pytest

from .conftest import wrote


def first(shell_notebook, cell):
    """Run a cell in a shell that does not record yet."""
    shell_notebook.shell.run_cell("%unload_ext elastictm", store_history=True)
    shell_notebook.shell.run_cell(cell, store_history=True)
    return shell_notebook.runs


def test_what_follows_is_recorded(notebook):
    """The rest of the cell is a cell run like any other, with what it read and wrote."""
    runs = first(notebook, "%load_ext elastictm\nx = [1]\ng = (n for n in x)")
    assert runs[0].n == 0
    assert wrote(runs[-1]) == {"x", "g"}
    assert not runs[-1].unrepeatable
    notebook.run("y = next(g)")
    assert notebook.errors == []


@pytest.mark.parametrize(
    "cell",
    [
        "x = [1]\n%load_ext elastictm\ny = [2]",
        "%load_ext elastictm",
        "%load_ext autoreload\n%load_ext elastictm\ny = 1",
    ],
)
def test_a_cell_of_which_something_was_missed_is_not(notebook, cell):
    """Otherwise recording begins with the next cell, and what was there then is a version of no cell."""
    first(notebook, cell)
    run = notebook.run("z = 1")
    assert [run.n for run in notebook.runs] == [0, run.n]


def test_a_cell_in_silence_is_not(notebook):
    """Cells without a number are no cell runs, the loading one included."""
    notebook.shell.run_cell("%unload_ext elastictm", store_history=True)
    notebook.shell.run_cell("%load_ext elastictm\nx = [1]", store_history=False)
    run = notebook.run("z = 1")
    assert [run.n for run in notebook.runs] == [0, run.n]


def test_settings_in_that_cell_hold_from_the_start(notebook, tmp_path):
    """A folder for the past that the cell sets is the one in which its states are kept."""
    folder = tmp_path / "elsewhere"
    first(notebook, f"%load_ext elastictm\n%config ElasticTM.store = {str(folder)!r}\nx = [1]")
    notebook.run("x.append(2)")
    assert [path.parent for path in folder.iterdir()] == [folder]
    assert notebook.session.past.tree.at == notebook.runs[-1].n
