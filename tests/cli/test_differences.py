"""What differs between the machine of an archive and this one: told first, and as a list of requirements."""

from __future__ import annotations

import json
import os

import msgspec
import pytest
from elastictm_cli.options import Permissions
from elastictm_cli.writing import write_restoring_notebook

from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter

LIBRARIES = {"sklearn": "scikit-learn", "torch": "torch", "odd": "odd"}
PACKAGES = {"scikit-learn": "1.5.0", "torch": "2.9.0+cpu", "ipython": "8.0"}


@pytest.fixture
def later(tmp_path):
    """The environment of a process in which Python says that it is another version."""
    (tmp_path / "later").mkdir()
    code = "import platform\nplatform.python_version = lambda: '3.99.1'\n"
    (tmp_path / "later" / "sitecustomize.py").write_text(code)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "later"), os.environ["PYTHONPATH"]])}


def other(archive, **environment):
    """A copy of an archive of plain records, with another environment."""
    path = archive.with_name("other.tm")
    with ArchiveReader(archive) as reader, ArchiveWriter(path) as writer:
        made = msgspec.structs.replace(reader.manifest.environment, **environment)
        history = writer.put(bytes(reader.read(reader.manifest.history)))
        nothing = {"units": (), "entries": (), "sources": writer.put(b"{}"), "chunks": ()}
        writer.commit(msgspec.structs.replace(reader.manifest, environment=made, history=history, **nothing))
    return path


def test_requirements_are_what_the_archive_uses(cli, archive):
    """The distribution of each module that is used, in the version that an index knows, and Python's in a comment."""
    shown = cli("inspect", other(archive, libraries=LIBRARIES, packages=PACKAGES), "--requirements").stdout
    assert shown.splitlines() == [
        "# Python 3.12.1 (CPython) on Linux-x86_64, elastictm 0.1.0",
        "odd",
        "scikit-learn==1.5.0",
        "torch==2.9.0  # it was 2.9.0+cpu",
    ]


def test_requirements_of_an_archive_that_does_not_say_are_all_that_was_loaded(cli, archive):
    """Rather too many than too few."""
    assert cli("inspect", archive, "--requirements").stdout.splitlines()[1:] == ["numpy==2.0"]


def test_requirements_are_no_json(cli, archive):
    """One form or the other."""
    done = cli("inspect", archive, "--requirements", "--json")
    assert done.exit_code == 2
    assert "--requirements and --json exclude each other" in done.stderr


def test_differences_are_told_before_the_restore_and_once(command, saved, later):
    """Before the report on standard error, which does not repeat them; the result is left alone."""
    done = command("restore", saved["whole"], "--trust", "-c", "print(x)", env=later)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("differs: Python 3.")
    assert lines[0].endswith("there, 3.99.1 here")
    assert lines[1].startswith(f"Restored {saved['whole']}: 2 stored")
    assert done.stderr.count("differs") == 1
    assert (done.returncode, done.stdout) == (0, "[1, 2]\n")
    assert command("restore", saved["whole"], "--trust", "-q", "-c", "print(x)", env=later).stderr == ""


def test_a_plan_tells_differences_first(command, saved, later):
    """Right below the summary, and for programs too."""
    shown = command("restore", saved["whole"], "--plan", env=later).stdout.splitlines()
    assert shown[0].startswith("Plan (optimal)")
    assert shown[1].strip().startswith("differs: Python 3.")
    told = json.loads(command("restore", saved["whole"], "--plan", "--json", env=later).stdout)
    assert [line.endswith("there, 3.99.1 here") for line in told["differences"]] == [True]


def test_a_notebook_passes_on_what_is_allowed(archive, tmp_path):
    """Its first cell restores with the options that were given."""
    path = tmp_path / "again.ipynb"
    allowed = Permissions(trust=True, effects=True, versions=True)
    write_restoring_notebook(str(archive), str(path), allowed, force=False, quiet=True)
    first = json.loads(path.read_text())["cells"][0]["source"]
    assert "".join(first).endswith("%migrate restore work.tm --trust --allow-effects --any-version")
