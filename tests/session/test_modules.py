"""The user's own modules travel with a session, as source, and nothing that is at the target gives way to them."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from elastictm.errors import RestoreFailed
from elastictm.session.baggage import pack
from elastictm.session.editions import Editions
from elastictm.session.saving import SaveOptions
from elastictm.session.unpacking import unpack
from elastictm.storage import manifest as m
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter
from elastictm.testing.places import Console

FILES = {
    "helper.py": """\
import deepone
LIMIT = 3
CACHE = {}
class Thing:
    def __init__(self, x):
        self.x = x
    def twice(self):
        return deepone.double(self.x)
def add(x):
    return x + LIMIT
def later():
    import lazy
    return lazy.L
""",
    "deepone.py": "def double(x):\n    return 2 * x\n",
    "lazy.py": "L = 'lazy'\n",
    "mypkg/__init__.py": "from .core import g\n",
    "mypkg/core.py": """\
from pathlib import Path
from .sub.leaf import K
from . import unused as _
def g():
    return K, (Path(__file__).parent / "words.txt").read_text()
""",
    "mypkg/unused.py": "",
    "mypkg/sub/leaf.py": "K = 7\n",
    "mypkg/words.txt": "hello",
    "mypkg/big.bin": "not named in the code",
    "ns/part.py": "P = 5\n",
    "ns/other.py": "imported by nobody",
}
CELLS = [
    "import helper, mypkg\nimport ns.part\nfrom helper import Thing",
    "things = [Thing(4)]\ng = mypkg.g\nadd = helper.add",
    "helper.LIMIT = 10\nhelper.CACHE['a'] = 1",
    "y = helper.add(1)",
]
SHOWN = "(things[0].twice(), isinstance(things[0], Thing), g(), y, ns.part.P, helper.later(), helper.LIMIT)"
LOST = "LOST: what the session changed inside the module helper (CACHE, LIMIT) by cell 3"


def lay_out(folder: Path, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A session that used modules of its own, saved: the archive, and the report."""
    folder = tmp_path_factory.mktemp("saved")
    with closing(Console(lay_out(folder / "work"), folder / "home")) as place:
        for cell in CELLS:
            assert place.run(cell).error is None
        report = place.save(folder / "0.tm")
        assert place.recorder_errors() == []
    return folder / "0.tm", report


def one_note(report, begin):
    found = [note for note in report["notes"] if note.startswith(begin)]
    assert len(found) == 1, report["notes"]
    return found[0]


def test_a_save_says_what_travels_and_what_does_not(saved):
    """The report names the modules, the indirect ones too, and what the session changed inside them as a loss."""
    archive, report = saved
    travels = one_note(report, "own modules that travel: ")
    assert "deepone, helper, lazy, mypkg (5 files), ns.part, from " in travels
    assert one_note(report, "LOST").startswith(LOST)
    with ArchiveReader(archive) as reader:
        files = {file.path for module in reader.manifest.modules for file in module.files}
    assert files == set(FILES) - {"mypkg/big.bin", "ns/other.py"}


def test_hops(saved, tmp_path):
    """From an empty folder to another, functions, classes and instances of own modules come back, and go on."""
    archive, _ = saved
    for hop in (1, 2):
        with closing(Console(tmp_path / f"{hop}", tmp_path / f"home {hop}")) as place:
            report = place.restore(archive)
            assert {entry["outcome"] for entry in report["variables"]} == {"stored"}
            assert one_note(report, "modules that travelled: ").startswith("modules that travelled: deepone, helper, ")
            assert one_note(report, "LOST").startswith("LOST: what the session changed inside the module helper")
            assert place.ask(SHOWN) == [8, True, [7, "hello"], 11, 5, "lazy", 3]
            kept = Path(place.ask("helper.__file__")).parent
            assert kept.is_relative_to(tmp_path / f"home {hop}")
            assert kept.stat().st_mode & 0o777 == 0o700
            assert place.ask("__import__('sys').path[-1]") == str(kept)
            assert place.ask("__import__('inspect').getsource(helper.add)") == "def add(x):\n    return x + LIMIT\n"
            assert place.run("z = add(ns.part.P)").error is None
            archive = tmp_path / f"{hop}.tm"
            report = place.save(archive)
            assert "deepone, helper, lazy, mypkg (5 files), ns.part, from " in one_note(report, "own modules that")


def test_what_the_target_has_is_used(saved, tmp_path):
    """A module that is there already stays in use; where its source differs from the one saved, it is named."""
    archive, _ = saved
    files = {"deepone.py": FILES["deepone.py"], "helper.py": FILES["helper.py"].replace("LIMIT = 3", "LIMIT = 4")}
    with closing(Console(lay_out(tmp_path / "work", files), tmp_path / "home")) as place:
        report = place.restore(archive)
        assert place.ask("[helper.LIMIT, helper.add(1)]") == [4, 5]
        assert one_note(report, "modules that travelled: ").startswith("modules that travelled: lazy, mypkg (5 files)")
        note = one_note(report, "the module helper ")
        assert "its source is not the one that was saved: helper.py" in note
        assert not any("deepone" in note for note in report["notes"])


def test_changes_come_back_where_their_cells_run_again(tmp_path):
    """With all cells run again a module is as the session left it, and nothing is called lost."""
    with closing(Console(lay_out(tmp_path / "work"), tmp_path / "home")) as place:
        for cell in CELLS:
            place.run(cell)
        report = place.save(tmp_path / "0.tm", policy="rerun-all")
        assert not any(note.startswith("LOST") for note in report["notes"])


def test_what_is_made_from_a_changed_module_is_not_made_again(saved):
    """A value that depends on what the session changed inside a module is stored: a re-run would not see it."""
    _, report = saved
    assert {entry["name"]: entry["outcome"] for entry in report["variables"]}["y"] == "stored"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of own modules on the import path; what is imported from it goes when the test ends."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "own"), *sys.path])
    known = set(sys.modules)
    (tmp_path / "own").mkdir()
    yield tmp_path / "own"
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def names(baggage):
    return [piece.name for piece in baggage.pieces]


def test_what_is_packed(own):
    """Imports of cells count though nothing is loaded; libraries and what is not found do not travel."""
    lay_out(own)
    cells = ["import os, json, numpy\nimport no_such_module", "def f():\n    from ns import part as p, nothing"]
    assert names(pack((), cells)) == ["ns.part"]
    assert names(pack((), ["from mypkg.sub.leaf import K"])) == ["mypkg"]
    assert names(pack(["helper"], ())) == ["deepone", "helper", "lazy"]
    assert "helper" not in sys.modules


def test_what_cannot_be_packed_is_said(own):
    """A compiled module, and one whose file is gone, do not travel, and the report says so."""
    (own / "fast.so").write_bytes(b"")
    sys.modules["fast"] = type(sys)("fast")
    sys.modules["fast"].__file__ = str(own / "fast.so")
    (own / "brief.py").write_text("x = 1")
    __import__("brief")
    (own / "brief.py").unlink()
    baggage = pack(["fast", "brief"], ())
    assert baggage.pieces == ()
    assert baggage.told() == (
        f"the own module fast does not travel: {own / 'fast.so'} is not Python source",
        f"the own module brief does not travel: its file {own / 'brief.py'} is gone",
    )


def editions(notebook):
    return Editions.of(notebook.runs, notebook.session.recorder.modules)


def test_edits_since_the_import_are_said(own, notebook):
    """A module whose file is not what was imported is named, and what was imported travels."""
    then = "X = 1\ndef f():\n    return 1\n"
    (own / "edits.py").write_text(then)
    notebook.run("import edits")
    assert editions(notebook) == Editions({}, ())
    for text, which in (("X = 2\ndef f():\n    return 1\n", ""), ("X = 1\ndef f():\n    return 2\n", " (f)")):
        (own / "edits.py").write_text(text)
        found = editions(notebook)
        assert found.texts == {str(own / "edits.py"): then.encode()}
        assert found.notes == (
            f"the own module edits was edited since it was imported{which}: it travels as it was then",
        )
    notebook.run("import importlib\nimportlib.reload(edits)")
    assert editions(notebook) == Editions({}, ())
    (own / "edits.py").unlink()
    assert editions(notebook).notes == (
        "the file of the own module edits is gone: the module travels as it was imported",
    )


def test_what_is_patched_in_place_travels_as_it_is(own, notebook):
    """Where functions of the edited file were put into a module without a reload, the file is what travels."""
    (own / "patched.py").write_text("def f():\n    return 1\n")
    notebook.run("import patched")
    (own / "patched.py").write_text("def f():\n    return 22\n")
    patch = "exec(compile(Path(patched.__file__).read_text(), patched.__file__, 'exec'), new := {})"
    notebook.run(f"from pathlib import Path\n{patch}\npatched.f.__code__ = new['f'].__code__")
    assert editions(notebook).texts == {}


def test_what_was_imported_comes_back(tmp_path):
    """An own module that was edited since, or removed, comes back as it was in the session, and so do its functions."""
    lay_out(tmp_path / "work", {"early.py": "def f():\n    return 1\n", "gone.py": "G = 3\n"})
    with closing(Console(tmp_path / "work", tmp_path / "home")) as place:
        place.run("from early import f\nimport early, gone")
        place.run("paused = (g() for g in [early.f])")
        lay_out(tmp_path / "work", {"early.py": "def f():\n    return 2\n"})
        (tmp_path / "work" / "gone.py").unlink()
        report = place.save(tmp_path / "a.tm")
        assert "(f): it travels as it was then" in one_note(report, "the own module early was edited")
    with closing(Console(tmp_path / "other", tmp_path / "home 2")) as place:
        report = place.restore(tmp_path / "a.tm")
        assert place.ask("[f(), early.f(), gone.G, list(paused)]") == [1, 1, 3, [1]]


def archive_of(path: Path, folder: Path) -> Path:
    """An archive that holds nothing but the modules of a folder."""
    with ArchiveWriter(path) as writer:
        environment = m.Environment("3", "CPython", "Linux", "0", {}, "/")
        history = writer.put(b"{}")
        modules = pack(sorted({file.stem for file in folder.glob("*.py")}), ()).put(writer.put)
        writer.commit(m.Manifest(0.0, environment, history, 1, (), (), (), modules=modules))
    return path


def test_edited_copies_are_left_alone(own, tmp_path):
    """Who edits a module that travelled keeps the edit, and another restore still brings the saved source."""
    (own / "fresh.py").write_text("X = 1\n")
    archive = archive_of(tmp_path / "a.tm", own)
    sys.path.remove(str(own))
    places = []
    for _ in range(3):
        with ArchiveReader(archive) as reader:
            arrival = unpack(reader, tmp_path / "kept")
        places.append(Path(sys.path[-1]))
        assert places[-1] == Path(arrival.folder)
        arrival.take_back()
        assert str(places[-1]) not in sys.path
        if len(places) == 2:
            (places[-1] / "fresh.py").write_text("X = 2\n")
    assert places[0] == places[1] != places[2]
    assert [(place / "fresh.py").read_text() for place in places] == ["X = 2\n", "X = 2\n", "X = 1\n"]


def test_a_restore_that_fails_leaves_the_import_path(own, notebook, tmp_path, monkeypatch):
    """The import path is as it was when a restore did not succeed."""
    lay_out(own, {"gone.py": "X = 1\n"})
    notebook.run("import gone\nx = gone.X")
    notebook.session.save(tmp_path / "a.tm", SaveOptions(bandwidth=1e9))
    (own / "gone.py").unlink()
    del sys.modules["gone"]
    before = list(sys.path)
    monkeypatch.setattr(notebook.session.host, "resume", fail)
    with pytest.raises(RestoreFailed):
        notebook.session.restore(tmp_path / "a.tm", trust=True)
    assert sys.path == before


def fail(*_):
    raise RuntimeError("told to fail")
