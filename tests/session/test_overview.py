"""``%elastictm``: how recording stands, and one screen of all words."""

from __future__ import annotations

import re

import pytest

from elastictm import extension
from elastictm.magics.overview import OVERVIEW
from elastictm.model.overview import Standing


def test_it_tells_how_recording_stands(notebook, capsys):
    """Cells, states, bytes and the store are those of the session, and what an earlier one left is named."""
    notebook.run("x = 1", "x", "y = [x]")
    notebook.session.past.keeper.flush()
    told = notebook.session.standing()
    assert (told.cells, told.states, told.errors, told.left) == (3, 4, (), "")
    assert told.to_json()["store"] == told.store == str(notebook.session.past._store.folder)
    assert 0 < told.bytes == notebook.session.past.bytes
    notebook.run("%past saving off", "%elastictm")
    shown = capsys.readouterr().out
    assert "saving is off since cell 5" in shown
    assert "kept in" in shown


def test_what_is_not_there_is_said():
    """Without a file on disk and with errors of recording, both are told, the errors first."""
    lines = str(Standing("1.0", 90.0, 0, 0, 0, "", "saving is on", errors=("ValueError: x",))).splitlines()
    assert lines[:2] == ["elastictm 1.0 records this session, since 2 min", "  went wrong: ValueError: x"]
    assert any("no file yet" in line for line in lines)


def test_a_session_that_ended_is_told_of(notebook):
    """What an earlier session of the folder left is in the status as in the announcement."""
    notebook.run("x = 1")
    notebook.session.past.close()
    notebook.shell.run_cell("%reload_ext elastictm")
    assert "%past recover" in notebook.session.standing().left


def test_all_words_fit_on_one_screen(notebook, capsys):
    """The overview names every magic that is registered, and each of its lines is one of a usual terminal."""
    lines = OVERVIEW.splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 115
    live = {name for kind in extension.magics_classes() for names in kind.magics.values() for name in names}
    assert set(re.findall(r"%(\w+)", OVERVIEW)) >= live
    notebook.run("%elastictm nonsense")
    assert "%elastictm takes nothing, not 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["budget = '2XB'", "bandwidth = 'fast'"])
def test_a_setting_that_means_nothing_is_refused(notebook, line):
    """It stays what it was, and recording goes on."""
    notebook.run(f"%config ElasticTM.{line}", "x = 1")
    assert notebook.settings.budget == notebook.settings.bandwidth == ""
    assert "x" in notebook.ns
    assert notebook.session.past.trouble == ""
