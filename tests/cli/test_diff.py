"""What differs between two archives is told without running any of their code."""

from __future__ import annotations

import json

import pytest

from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, VersionRecord
from elastictm.model.wire import encode_history
from elastictm.storage.manifest import Entry, Environment, Manifest, Unit
from elastictm.storage.writer import ArchiveWriter


def record(name, n, digest, **more):
    """A version's record."""
    return VersionRecord(name, n, more.pop("kind", "list"), 100, 0.1, digest, **more)


FIRST = (
    CellRun(1, "x = [1]\ny = [2]", 1.5e9, 0.5, writes=(record("x", 1, "X"), record("y", 1, "Y"), record("z", 1, "Z"))),
    CellRun(
        2, "def f():\n    return 1", 1.5e9, 0.1, created=(1,),
        writes=(record("f", 2, "F1", definitions=(1,), defines=1, kind="function"),),
    ),
)  # fmt: skip
SECOND = (
    *FIRST,
    CellRun(3, "x.append(2)\ndel z", 1.5e9, 0.2, reads=(Version("x", 1),), writes=(record("x", 3, "X2"),), deletes=("z",)),
    CellRun(
        4, "def f():\n    return 2\nw = f()", 1.5e9, 0.1, created=(2,),
        writes=(record("f", 4, "F2", definitions=(2,), defines=2, kind="function"), record("w", 4, "W", kind="int")),
    ),
)  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Writes an archive of plain records, whose values no pickle could give."""

    def written(name, runs, *, without=(), astray=(), lost=(), python="3.12.1"):
        history = History()
        for run in runs:
            history.append(run)
        path = tmp_path / name
        with ArchiveWriter(path) as writer:
            entries = tuple(
                Entry(r.name, r.n, r.kind, "lost", "it is a lock", fingerprint=r.fingerprint)
                if r.name in lost
                else Entry(r.name, r.n, r.kind, "stored", unit=0, fingerprint="S" if r.name in astray else r.fingerprint, astray=r.name in astray)
                for r in history.live.values()
                if r.name not in without
            )  # fmt: skip
            manifest = Manifest(
                saved_at=1.5e9,
                environment=Environment(python, "CPython", "Linux-x86_64", "0.1.0", {}, "/home/ada"),
                history=writer.put(encode_history(history)),
                execution_count=9,
                entries=entries,
                units=(Unit(writer.put(b"no pickle at all")),),
                definitions=(),
            )
            writer.commit(manifest)
        return path

    return written


def test_nothing_is_unpickled(write, reads_only):
    """Comparing archives loads no module that could unpickle their values."""
    reads_only("diff", write("a.tm", FIRST), write("b.tm", SECOND))


def test_variables_cells_and_sources_are_compared(cli, write):
    """What a later archive of the session has otherwise is told, the lines of a function too."""
    a, b = write("a.tm", FIRST), write("b.tm", SECOND)
    assert (
        cli("diff", a, b).stdout
        == f"""\
{a} → {b}: 2 changed, 1 created, 1 deleted, 1 the same; 2 cells run
  variable  change   kind      bytes  by cell
  f         changed  function  100 B  2 → 4
  x         changed  list      100 B  1 → 3
  w         created  int       100 B  4
  z         deleted  list      100 B  1

f: changed
  source: 1 line removed, 1 line added
    @@ line 2 @@
    -    return 1
    +    return 2

Cells between
  cell       ended    took  code
     3  run  ok     200 ms  x.append(2)
     4  run  ok     100 ms  def f():
"""
    )


def test_the_way_back_is_told_too(cli, write):
    """With the archives the other way round, cells were undone."""
    told = json.loads(cli("diff", write("b.tm", SECOND), write("a.tm", FIRST), "--json").stdout)
    assert [(v["name"], v["change"]) for v in told["variables"]] == [
        ("f", "changed"), ("x", "changed"), ("z", "created"), ("w", "deleted"),
    ]  # fmt: skip
    assert [(cell["n"], cell["direction"]) for cell in told["cells"]] == [(4, "undone"), (3, "undone")]


def test_an_archive_and_itself_do_not_differ(cli, write):
    """One line says so."""
    a = write("a.tm", FIRST)
    assert cli("diff", a, a).stdout == f"{a} → {a}: no variable differs, 4 the same; no cells between\n"


def test_losses_and_what_was_left_out_are_named(cli, write):
    """A variable that one archive says nothing of was not deleted, and one that it lost is named."""
    told = json.loads(
        cli("diff", write("a.tm", FIRST), write("b.tm", FIRST, without=("x",), lost=("y",)), "--json").stdout
    )
    assert (told["variables"], told["same"]) == ([], 3)
    assert [note.partition("b.tm ")[2] for note in told["notes"]] == [
        "was saved without x",
        "cannot bring back y: it is a lock",
    ]


def test_what_changed_outside_of_cells_is_told(cli, write):
    """The digest at the save counts, not the one of the cell that made the version."""
    told = json.loads(cli("diff", write("a.tm", FIRST), write("b.tm", FIRST, astray=("x",)), "--json").stdout)
    assert [(v["name"], v["change"]) for v in told["variables"]] == [("x", "changed")]


def test_two_sessions_are_told_to_be_two(cli, write):
    """Equal values may be stored otherwise elsewhere, and the report says so."""
    other = [CellRun(run.n, run.source, 1.6e9, 1.0, writes=run.writes, created=run.created) for run in FIRST]
    told = json.loads(cli("diff", write("a.tm", FIRST), write("b.tm", other, python="3.13.0"), "--json").stdout)
    assert [(v["name"], v["change"]) for v in told["variables"]] == [("f", "unclear")]
    assert told["same"] == 3
    assert told["cells"] == []
    assert told["notes"] == [
        "these are two sessions: a value that is stored otherwise counts as changed, even if it is equal",
        "made with Python 3.12.1 and 3.13.0",
    ]


def test_the_documented_keys_are_those_of_the_json(cli, write):
    """The page's table of keys is what the command prints."""
    import re
    from pathlib import Path

    told = json.loads(cli("diff", write("a.tm", FIRST), write("b.tm", SECOND), "--json").stdout)
    page = (
        (Path(__file__).parents[2] / "docs" / "cli.md")
        .read_text()
        .split("### elastictm diff")[1]
        .split("these keys:")[1]
    )
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|(.*)", page.split("\n## ")[0], re.MULTILINE)
    assert {key for row, _ in rows for key in re.findall(r"`(\w+)`", row)} == set(told)
    for key in ("variables", "cells"):
        (text,) = (text for row, text in rows if f"`{key}`" in row)
        assert set(told[key][0]) <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("place", [0, 1])
def test_an_archive_that_cannot_be_used_gives_status_3(cli, write, tmp_path, place):
    """Whichever of both it is, one line on standard error names it."""
    paths = [write("a.tm", FIRST), write("b.tm", SECOND)]
    paths[place].write_bytes(b"not an archive")
    done = cli("diff", *paths)
    assert (done.exit_code, done.stdout) == (3, "")
    assert paths[place].name in done.stderr
    assert done.stderr.count("\n") == 1
