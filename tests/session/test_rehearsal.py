"""Rehearsals: an archive is restored in a fresh process before anybody relies on it, and what fails is planned for."""

from __future__ import annotations

import pytest

import elastictm as tm
from elastictm.session import rehearsal
from elastictm.session.rehearsal import Rehearsal
from elastictm.session.saving import SaveOptions

HONEST = (
    "import numpy as np, collections",
    "class P:\n def __init__(self): self.a = {'x', 'y', 'z'}\np = [P(), {'k': P}]",
    "words = {'one', 'two', 'three', 'four'}\ndef twice(x): return 2 * x",
    "array = np.arange(1000.0)\nview = array[10:20]",
    "counts = collections.Counter('hello')",
    "5 + 5",
)
PLANNED = {"mine": "rerun", "fails": "stored", "forgets": "stored"}
LEARNED = {"mine": "stored", "fails": "rerun", "forgets": "rerun"}


def verdicts(report):
    """The verdict of each variable."""
    return {str(variable.name): variable.verdict for variable in report.variables}


def outcomes(report):
    """The outcome of each variable of a save."""
    return {str(variable.name): variable.outcome for variable in report.variables}


def test_an_honest_session_restores(notebook, tmp_path):
    """Everything is as saved, sets and classes too; nothing else is left behind, and no effect is repeated."""
    notebook.run(*HONEST, "with open('log', 'a') as f: f.write('x')\nwritten = 1")
    report = tm.save(tmp_path / "work.tm", bandwidth="1GB/s", rehearse=True)
    assert set(verdicts(report.rehearsal).values()) == {"same"}
    count = len(report.variables)
    assert report.rehearsal.summary == f"this archive restores: {count} variables as saved"
    assert report.rehearsal.summary in str(report)
    assert report.to_json()["rehearsal"]["restores"] is True
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "work.tm"]
    assert (tmp_path / "log").read_text() == "x"
    assert tm.restore(tmp_path / "work.tm", trust=True).lost == ()


def test_what_a_rehearsal_finds_is_planned_for(notebook, tmp_path):
    """What differs when it is re-run is stored, what does not load is re-run, and the last rehearsal is of the result."""
    notebook.settings.faith_budget = 0.0
    notebook.run(
        "import sys, time\nmine = [sys.argv[:], bytes(1_100_000)]",
        "class Fails:\n def __init__(self): self.a = 1\n def __setstate__(self, s): raise ValueError('no')",
        "class Forgets:\n def __init__(self): self.a = 1\n def __setstate__(self, s): self.a = 0",
        "time.sleep(0.05)\nfails = [Fails()]",
        "time.sleep(0.05)\nforgets = Forgets()",
    )
    planned = notebook.session.plan(SaveOptions(bandwidth=1e5))
    assert {name: outcomes(planned)[name] for name in PLANNED} == PLANNED
    report = tm.save(tmp_path / "first.tm", bandwidth="100kB/s", rehearse=True)
    assert {name: outcomes(report)[name] for name in PLANNED} == LEARNED
    assert report.rehearsal.restores
    why = {str(variable.name): variable.reason for variable in report.variables}
    assert "a rehearsal" in why["fails"]
    assert "`a` as 0, and it was 1" in why["forgets"]
    assert ["mine" in remark.text for remark in notebook.session.history.remarks] == [True]
    assert outcomes(notebook.session.plan(SaveOptions(bandwidth=1e5)))["mine"] == "stored"


def test_what_will_not_restore_is_listed_first(notebook, tmp_path):
    """A loss does not keep the rest from being saved, but the archive is not said to restore."""
    notebook.run("x = [1]", "with open('log', 'a') as f: f.write('x')\nlost = (i for i in x)")
    report = tm.save(tmp_path / "loss.tm", bandwidth="1GB/s", rehearse=True)
    assert not report.rehearsal.restores
    assert report.rehearsal.lines()[0] == "this archive does not restore as it was saved: 1 LOST, 2 as saved"
    assert [variable.name for variable in report.rehearsal.trouble] == ["lost"]
    assert (tmp_path / "loss.tm").exists()


def test_a_setting_that_is_lost_keeps_an_archive_from_being_said_to_restore(notebook, tmp_path):
    """A rehearsal looks at settings too, and names each that does not come back."""
    notebook.run("import numpy as np\nclass Call:\n    def write(self, text): pass\ncall = Call()")
    notebook.run("call.g = (i for i in 'ab')\n_ = np.seterrcall(call)")
    report = tm.save(tmp_path / "loss.tm", bandwidth="1GB/s", rehearse=True).rehearsal
    notebook.run("_ = np.seterrcall(None)")
    assert not report.restores
    assert report.summary.endswith("1 setting LOST")
    assert "error.call was not stored" in report.lines()[-1]
    assert report.lines()[-1] in str(report)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_rehearsal_that_is_cut_short_leaves_what_was_there(notebook, tmp_path, monkeypatch, error):
    """An archive of the same name is as it was, and nothing lies beside it."""
    notebook.run("x = [1]")
    tm.save(tmp_path / "work.tm", bandwidth="1GB/s")
    before = (tmp_path / "work.tm").read_bytes()

    def cut(*_):
        raise error

    monkeypatch.setattr(Rehearsal, "of", cut)
    with pytest.raises(error):
        tm.save(tmp_path / "work.tm", bandwidth="1GB/s", force=True, rehearse=True)
    assert (tmp_path / "work.tm").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["work.tm"]


def test_an_archive_is_compared_with_the_live_session(notebook, tmp_path, capsys):
    """The magic restores it elsewhere, leaves this session as it is, and tells what has changed here since."""
    notebook.run("x = [1]", "y = {'a', 'b'}")
    tm.save(tmp_path / "work.tm", bandwidth="1GB/s")
    notebook.run("x.append(2)")
    notebook.shell.run_line_magic("migrate", f"verify {tmp_path / 'work.tm'} --rehearse")
    shown = capsys.readouterr().out
    assert "this archive restores: 2 variables as saved" in shown
    assert "not in this session as they were saved: x" in shown
    assert notebook.ns["x"] == [1, 2]


def test_a_process_that_dies_is_a_rehearsal_that_failed(notebook, tmp_path):
    """Code that ends the process at the target is told with what it printed."""
    notebook.settings.faith_budget = 0.0
    notebook.run(
        "import os\nclass K:\n def __init__(self): self.a = 1\n def __setstate__(self, s): print('bye', flush=True); os._exit(7)\n"
        "with open('log', 'a') as f: k = K()"
    )
    tm.save(tmp_path / "dies.tm", bandwidth="1GB/s")
    report = notebook.session.rehearse(tmp_path / "dies.tm")
    assert not report.restores
    assert report.summary.startswith("this archive does not restore: the process ended with status 7, saying: bye")


def test_no_process_no_rehearsal(notebook, tmp_path, monkeypatch):
    """Where no process can be started, the report says so and claims nothing."""
    notebook.run("x = [1]")

    def refuse(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr(rehearsal, "run_module", refuse)
    report = tm.save(tmp_path / "work.tm", bandwidth="1GB/s", rehearse=True)
    assert "no more processes" in report.rehearsal.summary
    assert not report.rehearsal.restores
