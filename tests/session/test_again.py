"""Cells that run again find the files that they read, and own modules as an import makes them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from elastictm.testing.places import Console

READING = [
    "%run script.py\nscripted = (x for x in made)",
    "import sqlite3\nbase = sqlite3.connect('x.db')\nrow = base.execute('select a from t')",
    "import os\nwhole = (line for line in open(os.path.abspath(''.join(['whole', '.txt']))).read().split())",
    "listed = (line for line in open('d.txt').read().split())",
]
SHOWN = "[list(scripted), row.fetchall(), list(whole), list(listed)]"


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A session that read files in several ways, saved: its folder, with an archive, and the report."""
    folder = tmp_path_factory.mktemp("reading")
    (folder / "work").mkdir()
    (folder / "work" / "script.py").write_text("made = [1]\n")
    (folder / "work" / "d.txt").write_text("a b")
    (folder / "work" / "whole.txt").write_text("c d")
    with closing(sqlite3.connect(folder / "work" / "x.db")) as base:
        base.executescript("create table t(a); insert into t values(5)")
    with closing(Console(folder / "work", folder / "home")) as place:
        for cell in READING:
            assert place.run(cell).error is None
        report = place.save(folder / "a.tm")
    return folder, report


def test_scripts_and_databases_travel(reading):
    """A script that %run ran, and a database, are files that a cell read: they travel with it."""
    folder, report = reading
    note = next(note for note in report["notes"] if note.startswith("files that travel: "))
    assert all(str(folder / "work" / name) in note for name in ("script.py", "x.db", "d.txt"))


def test_a_changed_file_takes_no_other_away(reading, tmp_path):
    """Where one file is another now, cells run again with that as it was, and with all others that they read."""
    folder, _ = reading
    (folder / "work" / "d.txt").write_text("other")
    with closing(Console(folder / "work", tmp_path / "home")) as place:
        report = place.restore(folder / "a.tm")
        assert "lost" not in {entry["outcome"] for entry in report["variables"]}
        assert place.ask(SHOWN) == [[1], [[5]], ["c", "d"], ["a", "b"]]


def test_a_missing_script_is_named(reading, tmp_path):
    """Where a script did not travel and is not there, it is what keeps its cell from running again."""
    folder, _ = reading
    with closing(Console(folder / "work", folder / "home")) as place:
        place.run(READING[0])
        place.save(tmp_path / "b.tm", ship_limit=0)
    (folder / "work" / "script.py").rename(tmp_path / "script.py")
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        report = place.restore(tmp_path / "b.tm")
    entry = next(entry for entry in report["variables"] if entry["name"] == "scripted")
    assert (entry["outcome"], "script.py is gone" in entry["reason"]) == ("lost", True)


COUNTS = "n = 0\ndef tick():\n    global n\n    n += 1\n    return n\n"


def test_another_attempt_imports_anew(tmp_path):
    """What a first attempt did to an own module is not there in the next one."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "counts.py").write_text(COUNTS)
    (tmp_path / "work" / "mark").write_text("")
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        place.run("import counts, os\ndef given(x):\n    yield x")
        place.run("tick = given(counts.tick())")
        place.run("stamped = given(os.stat(''.join(['ma', 'rk'])).st_size)")
        place.save(tmp_path / "a.tm")
    (tmp_path / "work" / "mark").unlink()
    with closing(Console(tmp_path / "other", tmp_path / "home")) as place:
        report = place.restore(tmp_path / "a.tm")
        outcomes = {entry["name"]: entry["outcome"] for entry in report["variables"]}
        assert (outcomes["tick"], outcomes["stamped"]) == ("rerun", "lost")
        assert place.ask("[list(tick), counts.n]") == [[1], 1]
