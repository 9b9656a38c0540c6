"""Attributes that cells set on libraries are set back by going to another state, and told where they stay behind."""

from __future__ import annotations

import colorsys
import json
import sys
from contextlib import closing

import numpy as np
import pytest

from elastictm.session.saving import SaveOptions
from elastictm.testing.places import Console

WAYS = {
    "assigned": ("np.of_session = 3", "getattr(np, 'of_session', None)"),
    "setattr": ("setattr(json, 'of_session', 3)", "getattr(json, 'of_session', None)"),
    "in a loop": (
        "for key, value in {'of_session': 3}.items():\n    setattr(json, key, value)",
        "hasattr(json, 'of_session')",
    ),
    "over a function": ("def mine(*_): return 'mine'\njson.dump = mine", "json.dump.__module__"),
    "deleted": ("del json.load", "hasattr(json, 'load')"),
    "on a class": (
        "np.generic_of_session = 0\njson.JSONDecoder.of_session = 1",
        "hasattr(json.JSONDecoder, 'of_session')",
    ),
    "in a function": ("def set_it():\n    np.linalg.of_session = 5\nset_it()", "hasattr(np.linalg, 'of_session')"),
    "under a magic": ("%%time\nnp.of_session = 3", "hasattr(np, 'of_session')"),
}


@pytest.fixture(autouse=True)
def unpatched():
    """The libraries as they were, whatever a test leaves."""
    holders = (np, np.linalg, json, json.JSONDecoder, colorsys)
    before = [dict(vars(holder)) for holder in holders]
    yield
    for holder, first in zip(holders, before, strict=True):
        for name in vars(holder).keys() - first.keys():
            delattr(holder, name)
        for name, value in first.items():
            if vars(holder).get(name) is not value:
                setattr(holder, name, value)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_attributes_of_libraries_go_and_come_with_states(notebook, way):
    """However a cell set an attribute of a library, undo takes that back, and redo does it again."""
    cell, shown = way
    notebook.run("import numpy as np, json")
    before = eval(shown, notebook.ns)
    notebook.run(cell)
    changed = eval(shown, notebook.ns)
    assert changed != before
    report = notebook.session.go("undo")
    assert eval(shown, notebook.ns) == before
    assert not [note for note in report.notes if "DIFFER" in note]
    notebook.session.go("redo")
    assert eval(shown, notebook.ns) == changed


def test_what_cannot_be_set_back_is_told(notebook):
    """An attribute that was never seen otherwise stays, and one with something that can change inside may differ."""
    sys.modules.pop("colorsys")
    try:
        notebook.run("import numpy as np", "import colorsys; colorsys.ONE_SIXTH = 7", "np.of_session = []")
        notebook.run("np.of_session = 1", "np.of_session = 1")
        notes = "\n".join(notebook.session.go("4").notes)
        assert "MAY DIFFER: numpy.of_session is the very object again that it was, as cell 4 left it" in notes
        notes = "\n".join(notebook.session.go("2").notes)
        assert "MAY DIFFER: colorsys.ONE_SIXTH cannot be as it was before any cell changed it" in notes
        assert not hasattr(np, "of_session")
    finally:
        sys.modules["colorsys"] = colorsys


def test_what_libraries_do_themselves_is_no_change(notebook):
    """Parts that come when they are asked for, settings and mere mentions are not told as changed by a cell."""
    notebook.run(
        "import json, xml, sys, warnings\nimport numpy as np", "import xml.dom.pulldom; print(xml.dom.pulldom)"
    )
    notebook.run("sys.path = [*sys.path, 'more']; warnings.filters; np.zeros(3).sum(); 1/0", "vars(xml); np.testing")
    assert notebook.session.recorder.modules.patches.altered({run.n for run in notebook.runs}) == {}


def test_a_save_tells_what_stays_behind(tmp_path):
    """A save and its restore name the attributes that no import brings, and the cells that set them."""
    archive = tmp_path / "s.tm"
    with closing(Console(tmp_path / "there", tmp_path / "home")) as there:
        assert there.run("import json\nx = 1").error is None
        assert there.run("json.of_session = 3").error is None
        assert there.run("y = 2").error is None
        saved = there.save(archive)
    with closing(Console(tmp_path / "here", tmp_path / "home")) as here:
        restored = here.restore(archive)
    for report in (saved, restored):
        (lost,) = [note for note in report["notes"] if note.startswith("LOST")]
        assert lost.startswith("LOST: what the session changed inside the module json (of_session) by cell ")


def test_a_recovered_session_tells_what_another_process_had_set(notebook):
    """Going to a state whose attributes were set elsewhere says that they are not here."""
    notebook.run("import json", "json.of_session = 3", "x = 1")
    past = notebook.session.past
    with past.room().opened() as stored:
        told = past.room().state(stored, past.here()).manifest.altered
    patches = type(notebook.session.recorder.modules.patches)()
    (line,) = patches.go({run.n for run in notebook.runs}, told)
    assert line.startswith("MAY DIFFER: what cell 3 set inside the module json (of_session)")


def test_an_object_of_a_library_in_two_variables_is_one_after_going_back(notebook):
    """Variables that got one object out of a library share it, see it change by either way, and keep sharing it."""
    notebook.run("import calendar", "a = calendar.mdays", "b = calendar.mdays", "x = 1")
    try:
        assert notebook.tied("a", "b")
        assert {r.name for r in notebook.run("a[0] = 5").writes} == {"a", "b"}
        assert {r.name for r in notebook.run("calendar.mdays[0] = 6").writes} == {"a", "b"}
        for n, expected in (("5", 0), ("2", None), ("4", 0), ("6", 5), ("7", 6)):
            report = notebook.session.go(n)
            if expected is not None:
                assert notebook.ns["a"] is notebook.ns["b"]
                assert notebook.ns["a"][0] == expected
                told = [note for note in report.notes if note.startswith("MAY DIFFER: a was the very object")]
                assert len(told) == (notebook.ns["a"] is not notebook.ns["calendar"].mdays)
    finally:
        sys.modules["calendar"].mdays[0] = 0


def test_an_object_of_a_library_in_two_variables_is_one_after_a_restore(notebook, tmp_path):
    """An archive has such an object once, be it as the library made it or changed."""
    notebook.run(
        "import calendar",
        "a = calendar.mdays",
        "b = calendar.mdays; c = calendar.month_name",
        "d = calendar.month_name",
    )
    try:
        for n in range(2):
            notebook.session.save(tmp_path / f"{n}.tm", SaveOptions())
            notebook.session.restore(tmp_path / f"{n}.tm")
            assert notebook.ns["a"] is notebook.ns["b"]
            assert notebook.ns["c"] is notebook.ns["d"]
            assert notebook.ns["a"][0] == (7 if n else 0)
            notebook.run("a[0] = 7")
    finally:
        sys.modules["calendar"].mdays[0] = 0
