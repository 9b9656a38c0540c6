"""What a session that was killed has when it is recovered, beside its values: its place, and what was learned."""

from __future__ import annotations

import decimal
import json
import shutil
import sys

import pytest

from elastictm.model.records import Remark
from elastictm.session.archivist import Archivist
from elastictm.storage.store import Store


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of the user's data for this test alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def notebook(data, notebook):
    """A notebook that keeps its past in a folder of its own."""
    return notebook


def kill(notebook):
    """The store as a kernel leaves it that is killed now, under another name, so that this one can recover it."""
    past = notebook.session.past
    past.keeper.flush()
    folder = past._store.folder
    target = folder.with_name("killed")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    about = json.loads((target / "session.json").read_bytes())
    (target / "session.json").write_text(json.dumps({**about, "id": "killed"}))
    return target


def recover(notebook, state=None):
    """Kill the kernel, and go on from what it left."""
    kill(notebook)
    return notebook.session.recover("killed", state)


def tree(notebook):
    """The states of a notebook's session."""
    return notebook.session.past.tree


def go(notebook, word):
    """Go to a state."""
    return notebook.session.go(str(word))


def test_a_session_comes_back_where_it_stood(notebook):
    """A kernel that dies after going back is recovered in the state that it had gone to."""
    notebook.run("x = [1]", "x.append(2)", "x.append(3)", "x")
    n = notebook.runs[1].n
    go(notebook, n)
    recover(notebook)
    assert (tree(notebook).at, notebook.ns["x"]) == (n, [1])
    # The cell that only looked is there, too, and redo knows the way.
    assert n + 3 in tree(notebook)
    go(notebook, "redo")
    assert notebook.ns["x"] == [1, 2]


def test_the_first_state_is_a_place(notebook):
    """State 0 is not taken for none."""
    notebook.run("x = [1]", "x.append(2)")
    go(notebook, 0)
    recover(notebook)
    assert (tree(notebook).at, "x" in notebook.ns) == (0, False)


def test_a_cell_after_going_back_is_the_last_place(notebook):
    """What ran after going back counts, on its own branch; merging changes nothing."""
    notebook.run("x = [1]", "x.append(2)")
    n = notebook.runs[1].n
    go(notebook, n)
    notebook.run("x.append('other')")
    keeper, store = notebook.session.past.keeper, notebook.session.past._store
    keeper.flush()
    store.merge([number for number, _ in store.packs()], lambda kept: True)
    recover(notebook)
    assert (tree(notebook).at, tree(notebook)[n + 2].parent, notebook.ns["x"]) == (n + 2, n, [1, "other"])


def test_a_place_outlasts_two_crashes(notebook):
    """A session that was recovered in a chosen state and dies at once is there again."""
    notebook.run("x = [1]", "x.append(2)")
    n = notebook.runs[1].n
    recover(notebook, str(n))
    notebook.session.past.keeper.flush()
    assert tree(notebook).at == n
    folder = notebook.session.past._store.folder
    with Store.open(folder) as store:
        timeline = Archivist(str(folder.parent)).timeline("killed", 0.0, everything=True)
        assert store.about.id == "killed"
    assert [line.n for line in timeline.states if line.here] == [n]


def test_a_merge_keeps_the_place(notebook):
    """Where a session went is known after the packs were put together."""
    notebook.run("x = [1]", "x.append(2)")
    n = notebook.runs[1].n
    go(notebook, n)
    store = notebook.session.past._store
    notebook.session.past.keeper.flush()
    store.merge([number for number, _ in store.packs()], lambda kept: True)
    recover(notebook)
    assert (tree(notebook).at, notebook.ns["x"]) == (n, [1])


def test_what_was_learned_of_cells_is_known_again(notebook):
    """A cell that gave another value when it ran again is not counted on in the recovered session either."""
    notebook.session.dontsave(["token"])
    notebook.run("import uuid", "token = uuid.uuid4().hex", "token = 0")
    n = notebook.runs[2].n
    report = go(notebook, n)
    assert [v.outcome for v in report.variables if v.name == "token"] == ["rerun"]
    learned = tree(notebook).remarks
    assert learned == (Remark(n, "running it again gave another value of token"),)
    recover(notebook)
    assert tree(notebook).remarks == learned
    assert notebook.session.history.remarks == learned


def test_what_a_recovery_lost_is_not_expected_of_later_states(notebook):
    """A variable that did not come back is not there in the states that follow."""
    notebook.run("with open('out.txt', 'w') as f: f.write('x')\ngone = (i for i in range(3)); x = 1", "y = 2")
    report = recover(notebook)
    assert [v.name for v in report.lost] == ["gone"]
    notebook.run("z = 3")
    n = tree(notebook).at
    assert tree(notebook)[n].lapses == ("gone",)
    go(notebook, "undo")
    report = go(notebook, n)
    assert list(report.lost) == []
    assert notebook.ns["z"] == 3


def test_parts_of_packages_come_back(notebook):
    """A part of a package that a cell imported is an attribute of the package again."""
    notebook.run("import xml", "import xml.sax.saxutils; x = 1")
    found = Archivist(str(notebook.session.past._store.folder.parent))
    kill(notebook)
    with found._opened("killed") as (name, reader, shelves, states):
        from elastictm.session.states import StateReader

        n = notebook.runs[1].n
        assert StateReader(reader, shelves, states, n, name).manifest.imported == ()
        assert StateReader(reader, shelves, states, n + 1, name).manifest.imported == ("xml.sax.saxutils",)


def test_settings_that_no_cell_changed_have_a_state(notebook):
    """What was set outside of cells before leaving is there again after coming back, in a recovered session too."""
    notebook.run("import decimal; x = 1", "x = 2")
    notebook.shell.run_cell("decimal.getcontext().prec = 9", store_history=False)
    try:
        go(notebook, "undo")
        n = tree(notebook).latest
        assert tree(notebook)[n].run.settings
        assert decimal.getcontext().prec == 28
        recover(notebook)
        go(notebook, n)
        assert (decimal.getcontext().prec, notebook.ns["x"]) == (9, 2)
    finally:
        decimal.setcontext(decimal.Context())


def own_module(tmp_path, text):
    """Write the module of the user's own."""
    (tmp_path / "mine.py").write_text(text)
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)


RELOAD = "import importlib; importlib.reload(mine)"


def test_each_state_has_the_source_of_its_modules(notebook, tmp_path, monkeypatch):
    """An archive of a state holds the user's modules as they were then, on every branch."""
    own_module(tmp_path, "def f():\n    return 'first'\n")
    notebook.run("import mine")
    one = notebook.runs[-1].n
    own_module(tmp_path, "def f():\n    return 'second'\n")
    notebook.run(RELOAD)
    two = notebook.runs[-1].n
    go(notebook, one)
    notebook.run("x = 1")
    three = notebook.runs[-1].n
    store = notebook.session.past._store
    notebook.session.past.keeper.flush()
    for merged in (False, True):
        if merged:
            store.merge([number for number, _ in store.packs()], lambda kept: True)
        kill(notebook)
        with Archivist(str(store.folder.parent))._opened("killed") as (name, reader, shelves, states):
            from elastictm.session.states import StateReader

            texts = {}
            for n in (one, two, three):
                state = StateReader(reader, shelves, states, n, name)
                (module,) = state.manifest.modules
                texts[n] = bytes(state.read(module.files[0].blob)).decode().split("'")[1]
        assert texts == {one: "first", two: "second", three: "second"}


def test_going_tells_of_modules_that_stay(notebook, tmp_path):
    """Own modules are not imported again on the way to a state; where that makes a difference, it is told."""
    own_module(tmp_path, "total = 0\ndef f():\n    return 'first'\ndef add(n):\n    global total; total += n\n")
    notebook.run("import mine", "x = 1")
    one = notebook.runs[-1].n
    assert [note for note in go(notebook, one - 1).notes if "MAY DIFFER" in note] == []
    notebook.run("mine.add(3)")
    two = notebook.runs[-1].n
    (note,) = [note for note in go(notebook, one).notes if "MAY DIFFER" in note]
    assert "inside the own module mine (total)" in note
    (note,) = [note for note in go(notebook, two).notes if "MAY DIFFER" in note]
    assert "inside the own module mine (total)" in note
    assert notebook.ns["mine"].total == 3
    own_module(tmp_path, "total = 0\ndef f():\n    return 'second, and longer'\n")
    notebook.run(RELOAD)
    notes = [note for note in go(notebook, one).notes if "MAY DIFFER" in note]
    assert any("the own module mine stays as it was imported last" in note for note in notes)


def test_what_was_changed_inside_modules_is_told(notebook, tmp_path):
    """A recovered session imports own modules anew, and names what is lost thereby, in the states that it concerns."""
    own_module(tmp_path, "total = 0\ndef add(n):\n    global total; total += n\n")
    notebook.run("import mine", "mine.add(3)", "y = 2", "x = 1")
    n = notebook.runs[2].n
    kill(notebook)
    del sys.modules["mine"]
    report = notebook.session.recover("killed", None)
    assert notebook.ns["mine"].total == 0
    assert report.notes[0].startswith(f"LOST: what the session changed inside the module mine (total) by cell {n}")
    with Archivist(str(notebook.session.past._store.folder.parent))._opened("killed") as (
        name,
        reader,
        shelves,
        states,
    ):
        from elastictm.session.states import StateReader

        assert StateReader(reader, shelves, states, n - 1, name).manifest.altered == ()
        (altered,) = StateReader(reader, shelves, states, n + 1, name).manifest.altered
        assert (altered.name, altered.changed, altered.cells) == ("mine", ("total",), (n,))


def test_damage_is_told_and_numbers_are_not_used_again(notebook):
    """Where a pack is damaged, what came before it comes back; new cells do not take the numbers of what is lost."""
    notebook.run("x = [1]", "y = [x]", "x.append(2)", "z = 3")
    n = notebook.runs[1].n
    folder = kill(notebook)
    packs = notebook.session.past._store.packs()
    (torn,) = (number for number, pack in packs if [state.n for state in pack.states] == [n + 1])
    path = folder / f"{torn:08}.tm"
    path.write_bytes(path.read_bytes()[:-20])
    timeline = Archivist(str(folder.parent)).timeline("killed", 0.0, everything=True)
    assert max(state.n for state in timeline.states) == n
    assert any(path.name in line for line in timeline.gaps)
    report = notebook.session.recover("killed", None)
    assert report.notes[0].startswith("LOST 3 states of the past, ")
    assert any(path.name in line for line in report.notes)
    assert notebook.ns["x"] == [1]
    notebook.run("y = 5")
    assert tree(notebook).at > n + 3
    assert tree(notebook)[tree(notebook).at].parent == n
