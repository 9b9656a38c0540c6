"""Going back with what was kept of earlier states than the one that is wanted."""

from __future__ import annotations

SLOW = "import time; time.sleep(0.2); a = [1, 2, 3]; b = a"


def test_a_cell_runs_again_on_what_an_earlier_state_had(notebook):
    """An input that is dead in the wanted state is loaded, and the slow cell that made it does not run again."""
    notebook.run(SLOW, "g = (x for x in a); a = None; b = 0", "g = None; c = 1")
    report = notebook.session.go("3")
    assert report.cells_rerun == (3,)
    assert list(notebook.ns["g"]) == [1, 2, 3]
    assert notebook.ns["a"] is None
    assert notebook.ns["b"] == 0


def test_what_shared_data_earlier_shares_it_in_the_cell(notebook):
    """Dead versions that shared data do so again when a cell works with both."""
    notebook.run(SLOW, "a.append(4); g = (x for x in b); a = b = None", "g = None")
    report = notebook.session.go("3")
    assert report.cells_rerun == (3,)
    assert list(notebook.ns["g"]) == [1, 2, 3, 4]


def test_an_archive_has_what_is_alive(notebook):
    """Earlier versions stay in the store: an archive has entries of live variables alone."""
    notebook.run("a = [1]", "a = [2]")
    past = notebook.session.past
    with past.room().opened() as stored:
        state = past.room().state(stored, 3)
        assert [(e.name, e.n) for e in state.manifest.entries] == [("a", 3)]
        assert [(v.name, v.n) for v in state.earlier] == [("a", 2)]
        entry = next(iter(state.earlier.values()))
        assert len(state.manifest.units) == 1
        assert state.unit(entry.unit).names == ("a",)
