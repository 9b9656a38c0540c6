"""What a user reads: losses first and one line each, what to do about them, and which cells are not repeated."""

from __future__ import annotations

import string

import pytest

from elastictm.session.saving import SaveOptions

GENERATOR = "cannot store a generator: it is paused in the midst of its code"


@pytest.fixture
def saved(notebook, tmp_path):
    """Saves the session of some cells, and restores it in their place: both reports."""

    def hop(*cells, between="", **options):
        notebook.run(*cells)
        told = notebook.session.save("w.tm", SaveOptions(**options), force=True)
        notebook.run(between)
        return told, notebook.session.restore(tmp_path / "w.tm", trust=True)

    return hop


def lines(report):
    """The lines of a report between its heading and its table, without their margin."""
    rows = [line.strip() for line in str(report).splitlines()[1:]]
    return rows[: next(i for i, row in enumerate(rows) if row.startswith("variable "))]


def test_a_cell_that_saves_is_not_run_again(notebook, tmp_path):
    """A cell that was still running at its save never runs again: a restore would write the archive anew."""
    notebook.run("def f(): yield 1", "g = f()\n%migrate save w.tm")
    before = (tmp_path / "w.tm").read_bytes()
    report = notebook.session.restore(tmp_path / "w.tm", trust=True)
    assert (tmp_path / "w.tm").read_bytes() == before
    reason = f"{GENERATOR}; cannot be re-run: cell 3 was still running, and may have changed it"
    assert [(v.name, v.reason) for v in report.lost] == [("g", reason)]


def test_losses_come_first(saved):
    """Saves and restores show losses before their tables, one line each: name, kind, path, reason, what to do."""
    there, here = saved("open('log', 'w').close()\nheld = {'g': (i for i in 'ab')}\nfree = [1]")
    told = f"LOST held (dict): held['g']: {GENERATOR}; cannot be re-run: cell 2 wrote "
    for report, advice in ((there, "keep its items in a list"), (here, "restore with --allow-effects")):
        assert len(lines(report)) == 1
        assert lines(report)[0].startswith(told)
        assert f"What to do: {advice}" in lines(report)[0]
        assert f"What to do: {advice}" in report._repr_html_()
        assert [v["remedy"][: len(advice)] for v in report.to_json()["variables"] if v["remedy"]] == [advice]
        assert not any(line.startswith("  held ") for line in str(report).splitlines())


def test_a_plan_tells_which_cells_are_not_repeatable(notebook, tmp_path):
    """Each such cell is named once with why; one that left nothing, or that reads what such a cell made, is not."""
    (tmp_path / "in.txt").write_text("a")
    notebook.run(
        "import time, uuid",
        "now = time.time(), uuid.uuid4()",
        "later = now[0] + 1",
        "print(time.time())",
        "with open('out.txt', 'w') as f: f.write('a')",
        "# first\nwith open('in.txt') as f: text = f.read()",
        "again = [1]  # tm: not-repeatable",
        "once = list({'a', 'b'})",
    )
    (tmp_path / "in.txt").write_text("bc")
    plan = notebook.session.plan(SaveOptions())
    assert [(cell["n"], cell["code"], cell["reason"]) for cell in plan.to_json()["unrepeatable"]] == [
        (3, "now = time.time(), uuid.uuid4()", "time.time(), uuid.uuid4() give another value each time"),
        (6, "with open('out.txt', 'w') as f: f.write('a')", f"wrote {tmp_path}/out.txt"),
        (7, "with open('in.txt') as f: text = f.read()", f"read {tmp_path}/in.txt, which is gone or has changed since"),
        (8, "again = [1]  # tm: not-repeatable", "is marked # tm: not-repeatable"),
        (9, "once = list({'a', 'b'})", "set order: list({'a', 'b'})"),
    ]
    table = str(plan).split("\n\n")[1].splitlines()
    assert table[0] == "Cells that are not repeatable"
    assert [row.split()[0] for row in table[1:]] == ["cell", "3", "6", "7", "8", "9"]


def test_what_comes_back_otherwise_is_told_at_once(saved):
    """A value that only a cell can make which is not repeatable is foretold at the save, and first in the restore."""
    there, here = saved("import time\nnow = [time.time()]\nit = (x for x in now)")
    assert [note for note in there.notes if note.startswith("MAY DIFFER")] == [
        "MAY DIFFER it, now: cell 2 must run again, and time.time() gives another value each time"
    ]
    told = (
        "DIFFERENT now (list): not repeatable: running cell 2 again gave another value than the one saved (time.time())"
    )
    assert [line for line in lines(here) if line.startswith(told)]


def test_what_comes_out_otherwise_is_loaded_after_all(saved, notebook):
    """A value of which there are bytes is loaded, though its cell runs again, if that makes another one."""
    cell = "import string\nseen = [getattr(string, 'flag', 'none'), bytes(900_000)]\nit = (x for x in 'ab')"
    there, here = saved(cell, "next(it)", between="import string\nstring.flag = 'more'")
    assert [v.outcome for v in there.variables if v.name == "seen"] == ["rerun"]
    outcomes = {v.name: v.outcome for v in here.variables}
    assert (outcomes["seen"], outcomes["it"]) == ("stored", "rerun")
    del string.flag
    assert notebook.shell.user_ns["seen"][0] == "none"
    assert next(notebook.shell.user_ns["it"]) == "b"
    assert [remark.text for remark in notebook.session.recorder.settled().remarks] == [
        "running it again gave another value of seen"
    ]


def test_a_unit_that_does_not_load_is_told_once(saved):
    """Of variables that share data and do not load here, each has a line if it is lost; none is repeated as a note."""
    cell = "# tm: not-repeatable\nclass C:\n def __setstate__(self, s): {}[GONE]\nc = C()\nc.a = [1]\nd = [c.a]"
    _, here = saved(cell)
    assert here.lost
    assert len(lines(here)) == len(here.lost)
    assert not any("did not load" in note for note in here.notes)
    assert all(v.path in {"c", "d", ""} or v.path.startswith("c") for v in here.lost)


def test_what_ran_again_for_want_of_bytes_is_told_once(notebook, tmp_path, monkeypatch):
    """Variables that do not load here and were re-run instead are named in one note for each reason."""
    notebook.run(
        "import os, time",
        "class C:\n def __reduce__(self): return made, ()",
        "def made(): return C() if 'TM_GONE' not in os.environ else {}['gone']",
        "a = C()\nb = [C()]\ntime.sleep(0.2)",
    )
    notebook.session.save("w.tm", SaveOptions())
    monkeypatch.setenv("TM_GONE", "1")
    report = notebook.session.restore(tmp_path / "w.tm", trust=True)
    assert report.lost == ()
    assert 5 in report.cells_rerun
    assert [note for note in report.notes if "load" in note] == [
        "did not load here, so cells ran again: a, b: KeyError: 'gone'"
    ]


def test_displayed_results_that_are_lost_take_one_line(saved):
    """A displayed result that is lost with a variable does not repeat its reason."""
    there, _ = saved("open('log', 'w').close()\ng = (i for i in 'ab')\ng")
    assert [note for note in there.notes if "Out[" in note] == []
    assert len([line for line in str(there).splitlines() if line.endswith(" with g: Out[2]")]) == 1
