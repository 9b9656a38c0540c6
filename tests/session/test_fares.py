"""What going to a state takes is told before one goes there."""

from __future__ import annotations

from itertools import count

import pytest

from elastictm.session import fares


def told(notebook):
    """What the listing says of each state that is not brought back by bytes alone."""
    states = notebook.session.timeline().states
    return {state.n: (state.rerun, state.lost) for state in states if state.rerun is not None or state.lost}


def test_cells_that_run_again_are_known_before(notebook):
    """A state that holds what cannot be stored says how long its cells take, and going there runs just these."""
    notebook.run("a = 1", "import time; time.sleep(0.05); g = (i for i in range(3))", "b = 2", "del g", "c = 3")
    found = told(notebook)
    assert set(found) == {3, 4}
    assert found[3][0] == pytest.approx(notebook.session.past.tree[3].run.seconds)
    assert found[4] == found[3]
    report = notebook.session.go("4")
    assert report.cells_rerun == (3,)


def test_what_is_at_hand_costs_nothing(notebook):
    """What cannot be stored and is still there need not be made again."""
    notebook.run("g = (i for i in range(3))", "a = 1", "b = 2")
    assert told(notebook) == {}


def test_what_no_cell_can_make_is_named(notebook):
    """A value that cannot be stored, from a cell that must not run again, is lost and said to be."""
    notebook.run("import subprocess", "subprocess.run(['true']); g = (i for i in range(3))", "a = 1", "del g")
    assert {n: lost for n, (_, lost) in told(notebook).items()} == {3: ("g",), 4: ("g",)}
    assert "loses g" in str(notebook.session.timeline())


def test_a_listing_takes_its_time_into_account(notebook, monkeypatch):
    """Where plans would take too long, what is told is a guess, and is said to be one."""
    notebook.run("g = (i for i in range(3))", "a = 1", "del g")
    monkeypatch.setattr(notebook.session.past, "_clock", clock := type("Clock", (), {})())
    ticks = count()
    clock.now, clock.elapsed = lambda: 0.0, lambda: next(ticks) * fares.PATIENCE
    timeline = notebook.session.timeline()
    assert [state.n for state in timeline.states if state.rerun is not None] == [2, 3]
    assert "what going to states up to 3 takes is a guess" in timeline.notes
