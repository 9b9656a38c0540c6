"""What is told of states, in as few words as it takes, and what is cleared."""

from __future__ import annotations

import pytest

from elastictm.errors import UsageError
from elastictm.model.reports import RestoreReport, VariableReport
from elastictm.session.archivist import Archivist
from elastictm.session.keeping import NO_TIME


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of all pasts, for this test alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "elastictm" / "past"


@pytest.fixture
def notebook(root, notebook):
    """A notebook that keeps its past there."""
    return notebook


def test_tags_go_with_the_states_that_are_cleared(notebook):
    """A cleared state cannot be gone to by its tag either: not here, not from disk, not after a recovery."""
    notebook.run("a = [1]", "%past tag t1", "a.append(2)", "%past tag t2", "b = 3")
    past = notebook.session.past
    first = notebook.runs[1].n
    assert past.tree.tags["t1"] == first
    past.clear((first, first))
    past.keeper.flush()
    with pytest.raises(UsageError, match="no state 't1'"):
        notebook.session.go("t1")
    with pytest.raises(UsageError, match="has no state 't1'"):
        Archivist().contents(past.name, "t1")
    assert Archivist().contents(past.name, "t2").variables
    past.close()
    notebook.session.past = notebook.session._new_past()
    notebook.session.recover(past.name, None)
    assert set(notebook.session.past.tree.tags) == {"t2"}


def test_a_recovered_state_is_one_of_the_list(notebook):
    """Cells that changed nothing are no states in the list, so none of them is what was brought back."""
    notebook.run("a = [1]", "a", "1 + 1;", "%past tag here")
    past = notebook.session.past
    name = past.name
    past.close()
    notebook.session.past = notebook.session._new_past()
    report = notebook.session.recover(name, None)
    listed = {state.n for state in notebook.session.past.timeline().states}
    assert int(report.path.split()[1]) in listed


@pytest.mark.parametrize(
    ("word", "told"),
    [("1", "cell 1 ran before recording began; near it are 0 and 2"), ("900", "states have the numbers of cells")],
)
def test_numbers_without_a_state(notebook, word, told):
    """Who names a cell that has no state is told why, and which are near."""
    notebook.run("a = 1", "b = 2")
    with pytest.raises(UsageError, match=told):
        notebook.session.go(word)


def test_a_range_from_its_end(notebook, capsys):
    """States are cleared from the first to the last; the other way round is a mistake and clears nothing."""
    notebook.run("a = 1", "b = 2", "c = 3")
    count = len(notebook.session.past.timeline().states)
    notebook.run("%past clear 9-3")
    said = capsys.readouterr()
    assert "from its first state to its last: 3-9, not 9-3" in said.out + said.err
    assert len(notebook.session.past.timeline().states) == count
    notebook.run("%past clear 2-2")
    assert "1 state forgotten" in capsys.readouterr().out


def test_long_ways(notebook):
    """Of many cells on the way to a state the first few are named, and the others counted."""
    notebook.run(*(f"x = {i}" for i in range(12)))
    report = notebook.session.go(str(notebook.runs[-12].n))
    (undone,) = (note for note in report.notes if note.startswith("undone: "))
    assert undone.count("(x = ") == 6
    assert undone.endswith(" and 5 more")


def test_own_settings_are_no_state(notebook):
    """How this program is set is told of no state, and stays as it is wherever the session goes."""
    notebook.run("x = 1", "%config ElasticTM.recording_share = 0.125", "x = 2")
    report = notebook.session.go("undo")
    notebook.session.go("undo")
    assert not any("ElasticTM" in str(settings) for settings in report.settings)
    assert notebook.settings.recording_share == 0.125


def report_of(*variables):
    """A report of these variables."""
    return RestoreReport("state 5 of it", variables, (), 0.1, 10)


def test_what_stayed_is_counted():
    """Many small variables that stayed as they were get one line; what is large or has a reason keeps its own."""
    small = [VariableReport(f"f{i}", "kept", "function", bytes=60) for i in range(60)]
    large = VariableReport("large", "kept", "list", bytes=5_000_000)
    odd = VariableReport("odd", "kept", "list", "not looked at", bytes=5)
    report = report_of(*small, large, odd, VariableReport("x", "stored", "int", bytes=5))
    text = str(report)
    assert "60 more kept" in text
    assert all(name in text for name in ("large", "odd"))
    assert "f17" not in text
    assert len(report.to_json()["variables"]) == 63
    assert "f3" in str(report_of(*small[:5]))


def test_long_reasons():
    """A reason with very many names in it is cut in a line, and whole for programs."""
    reason = "cannot be re-run: cell 47: running it again did not make " + ", ".join(f"name{i}" for i in range(90))
    report = report_of(VariableReport("gen", "lost", "generator", reason))
    (line,) = (line for line in str(report).splitlines() if "LOST gen" in line)
    assert len(line) < 400
    assert line.endswith("… (to_json() has it all)")
    assert report.to_json()["variables"][0]["reason"] == reason


def test_times_that_nobody_took():
    """A variable that was made again without a time of its own has none."""
    text = str(report_of(VariableReport("x", "rerun", "int", bytes=5)))
    assert "0 µs" not in text


def test_what_was_assumed(notebook):
    """The list of states tells where there was no time to see what cells wrote, and small values are kept all the same."""
    notebook.run("small = [1]", "big = [[i] for i in range(100_000)]")
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    notebook.run("big.append(1); small.append(2)")
    past = notebook.session.past
    (told,) = (note for note in past.timeline().notes if note.startswith("no time to look"))
    assert told == f"no time to look, so taken for written: big (by cells {notebook.runs[-1].n})"
    kept = {v["name"]: v for v in past.room().contents(past.here()).to_json()["variables"]}
    assert NO_TIME not in str(kept["small"])
