"""Archives where libraries are missing or have another version: what fits comes back, and the rest is told why."""

from __future__ import annotations

import os
import platform
from contextlib import closing

import pytest

from elastictm.model.imports import imported, needed
from elastictm.model.remedies import remedy
from elastictm.model.versions import is_other_major, is_other_minor, public
from elastictm.session.fit import Library
from elastictm.session.saving import SaveOptions
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.places import Console

CODE = """\
class Frame:
    def __init__(self, x):
        self.x = x
def total(frame):
    return sum(frame.x)
"""
CELLS = [
    "import framelib\nimport json as js",
    "frame = framelib.Frame([1, 2])\nheld = [frame]",
    "count = framelib.total(frame)\nwords = ['framelib', 'Frame']",
    "from framelib import total\nclass Own(framelib.Frame):\n    pass\nown = Own([3])",
    "def keep(part=framelib.Frame([9])):\n    return part",
    "with open('made.txt', 'w') as file:\n    only = framelib.Frame([7])",
]


def library(folder, version):
    """A folder for the import path, with a library of that version."""
    site = folder / f"framelib-{version}" / "site-packages"
    (site / "framelib").mkdir(parents=True)
    (site / "framelib" / "__init__.py").write_text(CODE)
    info = site / f"frames-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: frames\nVersion: {version}\n")
    (info / "top_level.txt").write_text("framelib\n")
    (info / "RECORD").write_text("framelib/__init__.py,,\n")
    return site


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts a session that finds a folder on its import path, in a home that all sessions have."""
    folder = tmp_path_factory.mktemp("machines")

    def called(site=None):
        path = os.environ.get("PYTHONPATH")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [path, str(site or "")])))
            return closing(Console(folder / "work", folder / "home"))

    return called


@pytest.fixture(scope="module")
def saved(tmp_path_factory, start):
    """An archive of a session that used version 2.2.3."""
    folder = tmp_path_factory.mktemp("saved")
    with start(library(folder, "2.2.3")) as there:
        for cell in CELLS:
            assert there.run(cell).error is None
        there.save(folder / "work.tm")
    return folder / "work.tm"


def restored(place, archive, **options):
    """The outcome of each variable by its name, and the whole report."""
    report = place.restore(archive, **options)
    return {v["name"]: v["outcome"] for v in report["variables"]}, report


def differences(report):
    """The lines on the library, with nothing else in them: what else is installed may change while tests run."""
    found = [line for line in report["differences"] if "frames" in line]
    return [
        line.partition(": ")[0] + ": " + part
        for line in found
        for part in line.split(": ")[1].split("; ")
        if "frames" in part
    ]


def test_the_archive_says_what_each_value_needs(saved):
    """Units name the libraries in them, texts do not count, and a module says nothing of the form of objects."""
    with ArchiveReader(saved) as reader:
        manifest = reader.manifest
    needs = {name: (unit.modules, unit.shaped) for unit in manifest.units for name in unit.names}
    assert needs["frame"] == needs["held"] == needs["only"] == (("framelib",), ("framelib",))
    assert needs["framelib"] == needs["total"] == (("framelib",), ())
    assert needs["own"][1] == ("framelib",)
    assert needs["count"] == needs["words"] == needs["js"] == ((), ())
    assert manifest.environment.libraries == {"framelib": "frames"}
    assert manifest.environment.packages["frames"] == "2.2.3"


def test_a_missing_library_costs_what_needs_it_and_nothing_else(start, saved):
    """What it made of plain data comes back, the rest is lost for its absence, and the report says so once."""
    with start() as here:
        outcomes, report = restored(here, saved)
        assert here.ask("(count, words, js.dumps([1]))") == [3, ["framelib", "Frame"], "[1]"]
    kept = {"count", "words", "js", "file"}
    assert {name for name, outcome in outcomes.items() if outcome == "stored"} == kept
    assert {name for name, outcome in outcomes.items() if outcome == "lost"} == outcomes.keys() - kept
    lost = [v for v in report["variables"] if v["outcome"] == "lost"]
    assert all("needs frames 2.2.3, which is not installed here" in v["reason"] for v in lost)
    assert not any("Error" in v["reason"] for v in lost)
    assert report["differences"][0].startswith("frames 2.2.3 there, not installed here: without it")
    assert not any("frames" in line for line in (*report["differences"][1:], *report["notes"]))


def test_another_major_version_has_its_objects_made_again(start, saved, tmp_path):
    """Cells run again where they may, what cannot run again is lost with that reason; names load as ever."""
    with start(library(tmp_path, "1.5.3")) as here:
        outcomes, report = restored(here, saved)
        assert here.ask("(frame.x, held[0] is frame, own.x, keep().x, total(frame))") == [[1, 2], True, [3], [9], 3]
    assert outcomes["frame"] == outcomes["own"] == outcomes["keep"] == "rerun"
    assert outcomes["count"] == "stored"
    (lost,) = (v for v in report["variables"] if v["outcome"] == "lost")
    assert lost["name"] == "only"
    assert "was saved with frames 2.2.3, and here is 1.5.3, another major version" in lost["reason"]
    assert "wrote" in lost["reason"]
    assert report["differences"][0].startswith("frames 2.2.3 there, 1.5.3 here, another major version: not loaded")


def test_any_version_loads_all_the_same(start, saved, tmp_path):
    """The difference is told, and everything comes from its bytes."""
    with start(library(tmp_path, "1.5.3")) as here:
        outcomes, report = restored(here, saved, any_version=True)
        assert here.ask("only.x") == [7]
    assert outcomes["frame"] == outcomes["only"] == "stored"
    assert "lost" not in outcomes.values()
    assert report["differences"][0].startswith("frames 2.2.3 there, 1.5.3 here, another major version: loaded all the")


def test_a_library_in_a_folder_that_the_session_added_is_found_again(start, tmp_path):
    """Before anything is loaded: what lies there is not missing."""
    site = library(tmp_path, "2.2.3")
    with start() as there:
        there.run(f"import sys\nsys.path.append({str(site)!r})")
        there.run("import framelib\nframe = framelib.Frame([1])\nopen('made.txt', 'w').close()")
        there.save(tmp_path / "work.tm")
    with start() as here:
        outcomes, report = restored(here, tmp_path / "work.tm")
        assert here.ask("(frame.x, sys.path.count(framelib.__path__[0].rpartition('/')[0]))") == [[1], 1]
    assert outcomes["frame"] == "stored"
    assert differences(report) == []


def test_another_minor_version_is_told_among_what_matters_less(start, saved, tmp_path):
    """Nothing is run again for it."""
    with start(library(tmp_path, "2.3.0")) as here:
        outcomes, report = restored(here, saved)
    assert set(outcomes.values()) == {"stored"}
    assert differences(report) == ["less important: frames 2.2.3 there, 2.3.0 here"]


def test_a_library_under_another_name_is_the_same_one(start, saved, tmp_path):
    """A module that is here is not missing because the package that brings it is called otherwise."""
    site = library(tmp_path, "2.2.3")
    info = site / "frames-2.2.3.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: frames-headless\nVersion: 2.2.9\n")
    info.rename(site / "frames_headless-2.2.9.dist-info")
    with start(site) as here:
        outcomes, report = restored(here, saved)
    assert set(outcomes.values()) == {"stored"}
    assert differences(report) == ["less important: frames 2.2.3 there, 2.2.9 here"]


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("2.2.3", "1.5.3", True),
        ("2.2.3", "2.3.0", False),
        ("0.12.1", "0.13.0", True),
        ("0.13.1", "0.13.9", False),
        ("0.20.31", "1.0.0", True),
        ("2024.1", "2025.2", False),
        ("1!2.0", "2.0", True),
        ("v3.1", "3.2", False),
        ("unknown", "1.0", False),
        ("", "1.0", False),
    ],
)
def test_what_counts_as_a_major_difference(one, other, differ):
    """The first number; before version 1 the second; never years, nor what is no version."""
    assert is_other_major(one, other) is differ
    assert is_other_major(other, one) is differ


@pytest.mark.parametrize(
    ("distribution", "there", "here", "apart"),
    [
        ("scikit-learn", "1.9.1", "1.7.2", "another minor version"),
        ("scikit-learn", "1.7.1", "1.7.2", ""),
        ("scikit-learn", "1.7.1", "2.0.0", "another major version"),
        ("matplotlib", "3.9.0", "3.10.0", "another minor version"),
        ("pandas", "2.2.0", "2.3.0", ""),
        ("pyarrow", "15.0.0", "16.0.0", ""),
        ("xgboost", "2.1.0", "odd", ""),
        ("xgboost", "2.1.0", None, ""),
    ],
)
def test_libraries_that_promise_less_are_held_to_their_minor_version(distribution, there, here, apart):
    """What a library says of its own objects decides which versions read them."""
    library = Library("module", distribution, there, here)
    assert library.is_other is bool(apart)
    assert library.apart.startswith(apart)
    assert not apart or "pip install" in remedy(library.refusal(), "restore")


def test_minor_versions_are_the_first_two_numbers():
    """Of what is a version; nothing else differs in them."""
    assert is_other_minor("1.9.1", "1.7.2")
    assert is_other_minor("1.9", "2.9")
    assert not is_other_minor("1.9.1", "1.9")
    assert not is_other_minor("1.9.1", "unknown")


def test_builds_of_one_version_are_one_version():
    """An index of packages knows no local builds."""
    assert public("2.9.0+cpu") == "2.9.0"
    assert public("2.9.0") == "2.9.0"


@pytest.mark.parametrize(
    ("source", "anywhere", "always"),
    [
        ("import a.b as c, d\nfrom e.f import g", {"a", "d", "e"}, {"a", "d", "e"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a"}, set()),
        ("def f():\n    from a import b", {"a"}, set()),
        ("from . import a\nfrom .b import c", set(), set()),
        ("text = 'import a'", set(), set()),
        ("import a\nx = = 1", set(), set()),
    ],
)
def test_what_code_imports(source, anywhere, always):
    """Everywhere, for a list of requirements; on the outermost level, for what cannot run without."""
    assert imported(source) == anywhere
    assert needed(source) == always


def test_a_restore_in_a_notebook_tells_what_differs_first(notebook, monkeypatch, capsys):
    """Before anything is restored, and not again in the report; a restore by a program has it in the report."""
    notebook.run("kept = [1]")
    notebook.session.save("work.tm", SaveOptions(bandwidth=1e9))
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.1")
    capsys.readouterr()
    notebook.run("%migrate restore work.tm --plan\n%migrate restore work.tm --any-version")
    plan, restore = capsys.readouterr().out.split("differs: Python 3.", 2)[1:]
    assert "Restored" not in plan
    assert restore.index("there, 3.99.1 here") < restore.index("Restored")
    report = notebook.session.restore("work.tm", trust=True)
    assert str(report).splitlines()[1].strip().startswith("differs: Python 3.")
