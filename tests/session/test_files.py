"""Files that cells read and write: what travels, what must be there, and that nothing outside is done twice."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from elastictm.errors import UsageError
from elastictm.model.quantities import parse_size
from elastictm.session.saving import SaveOptions
from elastictm.testing.places import Console


def outcomes(report):
    """The outcome of each variable."""
    return {entry["name"]: entry["outcome"] for entry in report["variables"]}


def reason(report, name):
    """Why a variable is as it is."""
    return next(entry["reason"] for entry in report["variables"] if entry["name"] == name)


def said(report, begin):
    """The notes of a report that begin so."""
    return [note for note in report["notes"] if note.startswith(begin)]


READS = "from pathlib import Path\nrows = (row for row in Path('data.csv').read_text().split())"
"""A cell that reads a file for a value that cannot be stored."""


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """Archives of a session that read a small file: one with the file, one without, and their reports."""
    folder = tmp_path_factory.mktemp("reading")
    (folder / "work").mkdir()
    (folder / "work" / "data.csv").write_text("a b c")
    with closing(Console(folder / "work", folder / "home")) as place:
        assert place.run(READS).error is None
        with_file = place.save(folder / "with.tm")
        without = place.save(folder / "without.tm", ship_limit=0)
        (folder / "work" / "data.csv").write_text("a b d")
        changed = place.save(folder / "changed.tm")
    (folder / "work" / "data.csv").unlink()
    return folder, with_file, without, changed


def test_a_save_says_which_files_travel(reading):
    """Files that re-runs need are listed with their bytes, or as needed there; a changed one cannot be had."""
    folder, with_file, without, changed = reading
    path = folder / "work" / "data.csv"
    assert said(with_file, "files that travel") == [f"files that travel: {path} (5 B)"]
    assert said(without, "files that travel") == []
    assert said(without, "cells run again only where") == [f"cells run again only where these files are too: {path}"]
    assert [outcomes(report)["rows"] for report in (with_file, without, changed)] == ["rerun", "rerun", "lost"]
    assert "data.csv" in reason(changed, "rows")


def test_a_cell_runs_again_with_the_file_that_it_read(reading, tmp_path):
    """It is re-run where the archive brings the file, or where the same one is; otherwise its variables are lost."""
    folder, *_ = reading
    (tmp_path / "work").mkdir()
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        assert outcomes(place.restore(folder / "with.tm"))["rows"] == "rerun"
        assert place.ask("list(rows)") == ["a", "b", "c"]
        report = place.restore(folder / "without.tm")
        assert outcomes(report)["rows"] == "lost"
        assert "data.csv" in reason(report, "rows")
        (tmp_path / "work" / "data.csv").write_text("a b d")
        assert outcomes(place.restore(folder / "without.tm"))["rows"] == "lost"
        (tmp_path / "work" / "data.csv").write_text("a b c")
        assert outcomes(place.restore(folder / "without.tm"))["rows"] == "rerun"
        assert place.ask("list(rows)") == ["a", "b", "c"]
        assert place.ask("__import__('os').getcwd()") == str(tmp_path / "work")


APPENDS = """\
with open({log!r}, 'a') as log:
    log.write('x')
handle = (i for i in range(3))
"""


def acting(tmp_path: Path, *cells: str) -> Console:
    (tmp_path / "work").mkdir()
    place = Console(tmp_path / "work", tmp_path / "home")
    for cell in cells:
        assert place.run(cell).error is None
    return place


def test_effects_need_to_be_allowed(tmp_path):
    """A cell that appended to a file runs again only if that is allowed at the save and at the restore, then once."""
    log = tmp_path / "log"
    with closing(acting(tmp_path, APPENDS.format(log=str(log)))) as place:
        report = place.save(tmp_path / "never.tm")
        assert outcomes(report)["handle"] == "lost"
        assert f"cell 1 wrote {log}" in reason(report, "handle")
        assert said(report, "cells that are not run again") == [f"cells that are not run again: cell 1 wrote {log}"]
        report = place.save(tmp_path / "allowed.tm", allow_effects=True)
        assert outcomes(report)["handle"] == "rerun"
        assert said(report, "cells that are not run again") == []
        assert said(report, "restoring runs cell 1 again") == [
            f"restoring runs cell 1 again, which wrote {log}: it takes --allow-effects there"
        ]
        assert log.read_text() == "x"
        report = place.restore(tmp_path / "allowed.tm")
        assert outcomes(report)["handle"] == "lost"
        assert f"cell 1 wrote {log}" in reason(report, "handle")
        assert log.read_text() == "x"
        report = place.restore(tmp_path / "allowed.tm", allow_effects=True)
        assert outcomes(report)["handle"] == "rerun"
        assert said(report, "cell 1 ran again") == [f"cell 1 ran again; the first time it wrote {log}"]
    assert log.read_text() == "xx"


def test_nothing_outside_is_done_twice(tmp_path):
    """Where a later cell fails at the target and another plan is tried, a cell with effects does not run once more."""
    log, flag = tmp_path / "log", tmp_path / "flag"
    fails = f"import os\nassert not os.path.exists({str(flag)!r})\nnext(handle)\nother = (i for i in range(2))"
    with closing(acting(tmp_path, APPENDS.format(log=str(log)), fails)) as place:
        report = place.save(tmp_path / "a.tm", allow_effects=True)
        assert outcomes(report) == {"os": "stored", "handle": "rerun", "other": "rerun"} | outcomes(report)
        flag.touch()
        report = place.restore(tmp_path / "a.tm", allow_effects=True)
        assert outcomes(report)["handle"] == outcomes(report)["other"] == "lost"
    assert log.read_text() == "xx"


@pytest.mark.parametrize(
    ("comment", "allowed", "outcome"),
    [
        ("# tm: repeatable", False, "rerun"),
        ("# tm: not-repeatable", True, "lost"),
        ("x = '# tm: repeatable'", False, "lost"),
    ],
)
def test_the_user_has_the_last_word(notebook, tmp_path, comment, allowed, outcome):
    """A comment in a cell says whether it may run again; a text that looks like one says nothing."""
    log = tmp_path / "log"
    notebook.run(f"{comment}\n" + APPENDS.format(log=str(log)))
    options = SaveOptions(bandwidth=1e9, allow_effects=allowed)
    report = notebook.session.save(tmp_path / "a.tm", options)
    assert outcomes(report.to_json())["handle"] == outcome
    restored = notebook.session.restore(tmp_path / "a.tm", trust=True, allow_effects=allowed)
    assert outcomes(restored.to_json())["handle"] == outcome
    assert log.read_text() == ("xx" if outcome == "rerun" else "x")


def test_marked_cells_may_use_the_clock(notebook):
    """What the user calls repeatable has no reasons not to be, in its code; other cells keep theirs."""
    assert notebook.run("import time\nt = time.time()").unrepeatable == ("time.time()",)
    assert notebook.run("# tm: repeatable\nt = time.time()").unrepeatable == ()
    assert notebook.run("%%time\n# tm: repeatable\nt = time.time()").unrepeatable == ()


def test_the_order_of_sets_is_followed_into_functions_and_variables(notebook):
    """A cell is not repeatable that shows the order of a set of texts, by itself, through a variable or a function."""
    notebook.run("tags, numbers, words = set('abc'), {1, 2, 3}, list('abc')")
    notebook.run(
        "def inside(x):\n    return list(set(x))\ndef about():\n    return [t for t in tags]\ndef first(x):\n    return x[0]"
    )
    reasons = {
        "a = list(tags)": ("set order: list(tags)",),
        "%time a = list(tags)": ("set order: list(tags)",),
        "a = inside(words)": ("set order: list(set(x))",),
        "a = about()": ("set order: tags, in a function",),
        "a = [first(words), sorted(tags), list(numbers), 'a' in tags]": (),
        "tags = sorted(tags)": (),
        "a = list(tags), about()": (),
    }
    assert {cell: notebook.run(cell).unrepeatable for cell in reasons} == reasons


def test_files_written_in_passing_are_kept(tmp_path):
    """What a cell writes beside the files that travelled for it comes to the working directory, unless it would replace."""
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "data.csv").write_text("a b")
    cell = READS + "\nPath('out.txt').write_text('made')\nPath('kept.txt').write_text('made')"
    with closing(Console(tmp_path / "start", tmp_path / "home")) as place:
        assert place.run(cell).error is None
        place.save(tmp_path / "a.tm", allow_effects=True)
    (tmp_path / "start" / "data.csv").unlink()
    (tmp_path / "end").mkdir()
    (tmp_path / "end" / "kept.txt").write_text("mine")
    with closing(Console(tmp_path / "end", tmp_path / "home 2")) as place:
        report = place.restore(tmp_path / "a.tm", allow_effects=True)
    assert (tmp_path / "end" / "out.txt").read_text() == "made"
    assert (tmp_path / "end" / "kept.txt").read_text() == "mine"
    assert len(said(report, "a cell that ran again wrote")) == 2
    assert not (tmp_path / "end" / "data.csv").exists()


def test_sets_under_a_fixed_seed(tmp_path, monkeypatch):
    """The order of a set counts as repeatable under one hash seed alone, and only if the process really has it."""
    cells = ["words = list('hgfedcba')", "first = list(set(words))\nrest = (w for w in set(words))"]
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    with closing(acting(tmp_path, *cells)) as place:
        seeded = place.save(tmp_path / "a.tm", policy="rerun-all")
        first = place.ask("first")
        assert outcomes(seeded)["first"] == "rerun"
        again = place.restore(tmp_path / "a.tm")
        assert (outcomes(again)["first"], reason(again, "first")) == ("rerun", "")
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    with closing(Console(tmp_path / "work", tmp_path / "home 2")) as place:
        assert place.run(cells[0]).error is None
        place.run("import os\nos.environ['PYTHONHASHSEED'] = '5'")
        place.run(cells[1])
        assert outcomes(place.save(tmp_path / "b.tm", policy="rerun-all"))["first"] == "stored"
        other = place.restore(tmp_path / "a.tm")
        assert place.ask("first") == first or "not repeatable" in reason(other, "first")


def test_options_of_the_magics(notebook):
    """The limit of files that travel, and effects at a restore, are options of the magics too."""
    Path("data.csv").write_text("a b c")
    notebook.run(READS, "%migrate plan --ship-limit 0 --bandwidth 1GB/s\nshown = 1")
    assert notebook.ns["shown"] == 1
    notebook.run("shown = 2\n%migrate plan --ship-limit much\nshown = 3")
    assert notebook.ns["shown"] == 2
    notebook.run("%migrate save a.tm --ship-limit 1kB --bandwidth 1GB/s")
    notebook.run("%migrate restore a.tm --plan --allow-effects\nshown = 4")
    assert notebook.ns["shown"] == 4


def test_no_seed_fixes_addresses(notebook, monkeypatch):
    """The order of a set of objects is not repeatable under a fixed seed either; that of a set of texts is."""
    monkeypatch.setattr("elastictm.session.repeating.hash_seed", lambda: "5")
    notebook.run("texts, objects = {'a', 'b'}, {object(), object()}")
    assert notebook.run("x = list(texts)").unrepeatable == ("set order: list(texts) (PYTHONHASHSEED=5)",)
    assert notebook.run("y = list(objects)").unrepeatable == ("set order: list(objects)",)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("5", 5), ("1.5kB", 1500), ("2 MiB", 2 * 2**20), ("100MB", 10**8), ("1K", 1000)]
)
def test_sizes(text, size):
    """Sizes are typed with units."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1 bit/s", "5MB/s"])
def test_what_is_no_size(text):
    """What is no size is said with what was expected."""
    with pytest.raises(UsageError, match="is no size"):
        parse_size(text)


def test_the_command_line_starts_under_the_seed(tmp_path, monkeypatch):
    """Python is started again under the seed of an archive, once, and only where it has another."""
    pytest.importorskip("elastictm_cli")
    from elastictm_cli import seeds

    monkeypatch.setenv("PYTHONHASHSEED", "5")
    with closing(acting(tmp_path, "x = 1")) as place:
        place.save(tmp_path / "a.tm")
    started = []
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    monkeypatch.delenv("PYTHONHASHSEED")
    seeds.start_again_under_seed(str(tmp_path / "a.tm"))
    assert [environment["PYTHONHASHSEED"] for _, _, environment in started] == ["5"]
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    seeds.start_again_under_seed(str(tmp_path / "a.tm"))
    assert len(started) == 1


def test_files_travel_from_every_folder_that_the_session_worked_in(tmp_path):
    """Cells run again where their relative paths lead to what they read, wherever the session was and is."""
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "work" / "one.txt").write_text("1 2 3")
    (tmp_path / "other" / "two.txt").write_text("4 5 6")
    cells = [
        "import os\none = (n for n in open('one.txt').read().split())",
        f"os.chdir({str(tmp_path / 'other')!r})",
        "two = (n for n in open('two.txt').read().split())",
        "up = (n for n in open('../work/one.txt').read().split())",
        "os.chdir('../work/sub')",
    ]
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        for cell in cells:
            assert place.run(cell).error is None
        report = place.save(tmp_path / "a.tm")
        assert place.ask("[*one, *two, *up]") == list("123456123")
    assert {name: outcomes(report)[name] for name in ("one", "two", "up")} == dict.fromkeys(
        ("one", "two", "up"), "rerun"
    )
    (tmp_path / "work" / "one.txt").unlink()
    (tmp_path / "other" / "two.txt").unlink()
    with closing(Console(tmp_path / "here", tmp_path / "home")) as place:
        restored = place.restore(tmp_path / "a.tm")
        assert [line for library in restored["settings"] for line in library["lost"]] == []
        assert place.ask("[*one, *two, *up]") == list("123456123")
        assert place.ask("os.getcwd()") == str(tmp_path / "work" / "sub")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_is_known_by_its_path_when_it_was_opened(tmp_path):
    """An open file comes back though the session went elsewhere since: from its folder, or from the one here."""
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "work" / "one.txt").write_text("1\n2\n3\n")
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        for cell in ("import os\nbook = open('one.txt')\nfirst = book.readline()", "os.chdir('sub')"):
            assert place.run(cell).error is None
        report = place.save(tmp_path / "a.tm", policy="store-all")
        assert outcomes(report)["book"] == "stored", report
    for now in ("work", "here"):
        (tmp_path / "here").mkdir(exist_ok=True)
        (tmp_path / "work" / "one.txt").replace(tmp_path / now / "one.txt")
        with closing(Console(tmp_path / "here", tmp_path / "home")) as place:
            assert outcomes(place.restore(tmp_path / "a.tm"))["book"] == "stored"
            assert place.ask("(book.readline(), book.name)") == ["2\n", "one.txt"]


def test_what_a_cell_writes_by_a_relative_path_lands_in_the_folder_here(tmp_path):
    """The folder that the session worked in is left as it is, though it is there and what was read lies in it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data").write_text("ab")
    cells = [
        "text = open('data').read()\nwith open('log', 'a') as log: _ = log.write(text)\nlate = (c for c in text)",
        "with open('data', 'r+') as data: later = (c for c in data.read())",
    ]
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        for cell in cells:
            assert place.run(cell).error is None
        place.save(tmp_path / "a.tm", allow_effects=True)
        changed = (tmp_path / "work" / "data").stat().st_mtime_ns
    with closing(Console(tmp_path / "here", tmp_path / "home")) as place:
        report = place.restore(tmp_path / "a.tm", allow_effects=True)
        assert place.ask("[*late]") == ["a", "b"]
        assert place.ask("[*later]") == ["a", "b"]
    assert (tmp_path / "work" / "data").stat().st_mtime_ns == changed
    assert (tmp_path / "work" / "log").read_text() == (tmp_path / "here" / "log").read_text() == "ab"
    log, data = tmp_path / "work" / "log", tmp_path / "work" / "data"
    assert said(report, "cell ") == [
        f"cell 1 ran again; the first time it wrote {log}",
        f"cell 2 ran again; the first time it wrote {data}",
    ]
    assert said(report, "a cell that ran") == [f"a cell that ran again wrote {tmp_path / 'here' / 'log'}"]


def test_a_save_names_what_needs_its_file_where_it_is_restored(tmp_path):
    """Files that are open, databases on file and mapped memory do not travel, and each variable that has one is told."""
    cell = (
        "import sqlite3, mmap, io\nopen('one.txt', 'w').write('1234')\nbooks, word = [open('one.txt')], 'raw_file'\n"
        "db, memory = sqlite3.connect('d.db'), sqlite3.connect(':memory:')\n_ = db.execute('create table t(x)')\n"
        "db.commit()\nwith open('one.txt') as f: m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)\n"
        "import numpy as np\nmapped = np.memmap('one.txt', mode='r')"
    )
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        assert place.run(cell).error is None
        report = place.save(tmp_path / "a.tm", policy="store-all")
        assert place.run("for x in (db, *books): x.close()\ndel m, mapped, db").error is None
        after = place.save(tmp_path / "b.tm", policy="store-all")
    begin = "load only where the files that they have open are too"
    assert said(report, begin) == [f"{begin}, as they are now: books, db, m, mapped"]
    assert said(after, begin) == []
