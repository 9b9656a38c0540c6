"""Arrays that come back own their memory where nothing shares it, and views stay as open as they were."""

from __future__ import annotations

import pytest

from elastictm.session.saving import SaveOptions

MADE = """\
import numpy as np  # tm: not-repeatable
a = np.arange(4.0)
f = np.asfortranarray(np.arange(6).reshape(2, 3)); f = f.copy('F')
base = np.arange(5); view = base[1:]
early = np.frombuffer(np.arange(4).data, int); late = np.frombuffer(early.data, int)
w = np.zeros(4); part = w[1:]; w.flags.writeable = False
o = np.array([None] * 3); inner = o[1:]; o.flags.writeable = False
grid = np.zeros((2, 3), order='F'); rows = grid[:1]; grid.flags.writeable = False
shut = np.zeros(3); shut.flags.writeable = False
"""


def come_back(notebook, way, folder):
    """Have all of the cell's variables made anew from their bytes."""
    if way == "past":
        notebook.run("del a, f, base, view, early, late, w, part, o, inner, grid, rows, shut")
        report = notebook.session.go("undo")
    else:
        notebook.session.save(folder / "a.tm", SaveOptions())
        report = notebook.session.restore(folder / "a.tm")
    assert {v.outcome for v in report.variables} <= {"stored", "kept"}


@pytest.mark.parametrize("way", ["past", "archive"])
def test_arrays_can_be_resized_after_they_were_loaded(notebook, tmp_path, way):
    """Arrays of up to a megabyte own their memory unless others lie in it, and those that share it still do."""
    notebook.run(MADE)
    come_back(notebook, way, tmp_path)
    ns = notebook.ns
    ns["a"].resize(9, refcheck=False)
    assert ns["a"].tolist() == [0, 1, 2, 3, 0, 0, 0, 0, 0]
    assert ns["f"].flags.owndata
    assert ns["f"].flags.f_contiguous
    assert ns["view"].base is ns["base"]
    ns["base"][1] = 9
    assert ns["view"][0] == 9
    ns["early"][0] = 8
    assert ns["late"][0] == 8
    assert not ns["shut"].flags.writeable


@pytest.mark.parametrize("way", ["past", "archive"])
def test_views_stay_open_when_their_base_was_closed_later(notebook, tmp_path, way):
    """A view that was made before its base was made read-only can be written to, and the base cannot."""
    notebook.run(MADE)
    come_back(notebook, way, tmp_path)
    for base, view in (("w", "part"), ("o", "inner"), ("grid", "rows")):
        assert not notebook.ns[base].flags.writeable
        assert notebook.ns[view].flags.writeable
        assert notebook.ns[view].base is notebook.ns[base]
        notebook.ns[view][0] = 7
        assert 7 in notebook.ns[base]
