"""A home of its own for every test, archives made of plain records, and the command line in a child process."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import elastictm_cli
import nbformat.v4 as nb
import pytest
from elastictm_cli.main import app
from typer.testing import CliRunner

import elastictm
from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, VersionRecord
from elastictm.model.wire import encode_history
from elastictm.storage.manifest import Entry, Environment, Manifest, Unit
from elastictm.storage.writer import ArchiveWriter

HERE = (Path(elastictm.__file__).parents[1], Path(elastictm_cli.__file__).parents[1])


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """A home directory that holds nothing of the user's, and packages that children find."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(dict.fromkeys(map(str, HERE))))
    return folder


@pytest.fixture
def cli():
    """Runs a command in this process."""
    # Older versions of click mix both streams unless they are told not to.
    apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return lambda *words: CliRunner(**apart).invoke(app, [str(word) for word in words])


@pytest.fixture
def command():
    """Runs a command in a process of its own, without a terminal."""

    def call(*words, **options):
        line = [sys.executable, "-W", "error", "-m", "elastictm_cli", *map(str, words)]
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, **options)

    return call


def session_history() -> History:
    """Three cells: data, something made of it, and a failure."""
    history = History()
    history.append(CellRun(0, "", 1.5e9, 0.0))
    history.append(CellRun(1, "data = [1, 2]", 1.5e9, 0.5, writes=(VersionRecord("data", 1, "list", 20, 0.1),)))
    history.append(
        CellRun(2, "total = sum(data)\ntotal", 1.5e9, 0.25, reads=(Version("data", 1),), writes=(
            VersionRecord("total", 2, "int", 5, 0.1), VersionRecord("Out[2]", 2, "int", 5, 0.1)
        ))
    )  # fmt: skip
    history.append(CellRun(3, "1 / 0", 1.5e9, 0.1, status="error", error="ZeroDivisionError: division by zero"))
    return history


@pytest.fixture
def archive(tmp_path):
    """An archive made of plain records, whose values no pickle could give."""
    path = tmp_path / "work.tm"
    with ArchiveWriter(path) as writer:
        environment = Environment("3.12.1", "CPython", "Linux-x86_64", "0.1.0", {"numpy": "2.0"}, "/home/ada")
        unit = Unit(writer.put(b"no pickle at all"), names=("data",))
        entries = (
            Entry("data", 1, "list", "stored", bytes=20, seconds=0.1, unit=0),
            Entry("total", 2, "int", "rerun"),
            Entry("lock", 2, "lock", "lost", "a lock is held by threads of this process", "lock._inner"),
            Entry("Out[2]", 2, "int", "stored", bytes=5, unit=0),
        )
        manifest = Manifest(
            saved_at=1.5e9,
            environment=environment,
            history=writer.put(encode_history(session_history())),
            sources=writer.put(b"{}"),
            execution_count=4,
            entries=entries,
            units=(unit,),
            definitions=(),
            cells_rerun=(2,),
            seconds=0.5,
        )
        writer.commit(manifest)
    return path


@pytest.fixture
def notebook(tmp_path):
    """Writes a notebook of code cells; a cell given as a pair has tags."""

    def write(*cells, name="work.ipynb"):
        path = tmp_path / name
        made = []
        for cell in cells:
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            made.append(nb.new_code_cell(source, metadata={"tags": tags} if tags else {}))
        path.write_text(json.dumps(nb.new_notebook(cells=made)))
        return path

    return write


@pytest.fixture
def run(command):
    """Runs a command that must succeed."""

    def call(*words, **options):
        done = command(*words, **options)
        assert done.returncode == 0, done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Archives that a real session wrote: ``whole`` comes back, ``lossy`` lacks a variable, ``broken`` failed."""
    folder = tmp_path_factory.mktemp("saved")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, HERE))),
    }
    cells = {
        "whole": ["x = [1, 2]", "def total():\n    return sum(x)", "total()"],
        "lossy": ["x = [1, 2]", "open('out.txt', 'w').close(); g = (i for i in x)"],
        "broken": ["x = [1, 2]", "y = x[7]", "z = 3"],
    }
    found = {}
    for name, sources in cells.items():
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(nb.new_notebook(cells=[nb.new_code_cell(source) for source in sources])))
        found[name] = folder / f"{name}.tm"
        line = [sys.executable, "-m", "elastictm_cli", "run", str(path), "--save", str(found[name])]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert found[name].exists(), done.stderr
    return found


_SPY = """
import pickle, sys
def boom(*a, **k): raise AssertionError("something was unpickled")
pickle.load = pickle.loads = pickle.Unpickler = pickle._Unpickler = boom
from elastictm_cli.main import main
sys.argv = ["elastictm", *sys.argv[1:]]
try:
    main()
finally:
    loaded = [m for m in sys.modules if m.startswith("elastictm.values") or m in ("IPython", "cloudpickle")]
    print("loaded:", loaded, file=sys.stderr)
"""


@pytest.fixture
def reads_only():
    """Run a command where anything that unpickles fails, and see that it loads nothing that could."""

    def run(*words):
        line = [sys.executable, "-c", _SPY, *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == "loaded: []\n"
        assert done.returncode == 0

    return run
