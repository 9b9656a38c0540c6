"""A real shell under recording, fresh for each test, away from the user's own files and history."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from pathlib import Path

import pytest
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from elastictm.extension import find
from elastictm.ids import is_variable
from elastictm.values import modules

TESTS = Path(__file__).parents[1]


class Notebook:
    """A shell that runs cells, and what recording made of them."""

    def __init__(self, shell):
        self.shell = shell

    @property
    def ns(self):
        """The user's namespace."""
        return self.shell.user_ns

    @property
    def session(self):
        """The recorded session."""
        return find(self.shell).session

    @property
    def settings(self):
        """The configurable that ``%config ElasticTM`` shows."""
        return find(self.shell)

    @property
    def runs(self):
        """All cell runs so far."""
        return self.session.history.runs

    @property
    def errors(self):
        """What went wrong inside the recorder."""
        return self.session.recorder.errors

    def load(self):
        """Start recording."""
        self.shell.run_cell("%load_ext elastictm", store_history=True)
        # A crowded machine must not change what is found: tests of the budget set their own.
        self.settings.recording_floor = 600.0

    def run(self, *cells, **options):
        """Run cells and return the cell run of the last."""
        for cell in cells:
            self.shell.run_cell(cell, store_history=True, **options)
        return self.runs[-1]

    def groups(self):
        """The names of each alias group that is alive."""
        found = self.session.history.live_groups()
        groups = [frozenset(str(version.name) for version in group if is_variable(version.name)) for group in found]
        return {group for group in groups if len(group) > 1}

    def tied(self, one, other):
        """Whether two variables are in one alias group."""
        return any({one, other} <= group for group in self.groups())


def wrote(run):
    """The names of the versions that a cell run made, displayed results aside."""
    return {str(record.name) for record in run.writes if is_variable(record.name)}


def read(run):
    """The names of the versions that a cell run could reach."""
    return {str(version.name) for version in run.reads}


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home without anything of the user's."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def unloaded(home, tmp_path, monkeypatch):
    """A notebook that is not recorded yet, working in a folder of its own."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(HistoryManager, "enabled", False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    # Test modules lie outside of any library, but are no part of the session.
    monkeypatch.setattr(modules, "_LIBRARY", (*modules._LIBRARY, f"{TESTS}{os.sep}"))
    main, known = sys.modules["__main__"], set(sys.modules)
    InteractiveShell.clear_instance()
    # A collection walks all that earlier tests imported, a million objects, several times a test.
    gc.collect()
    gc.freeze()
    shell = InteractiveShell.instance()
    yield Notebook(shell)
    if find(shell) is not None:
        find(shell).session.close()
    for thread in threading.enumerate():
        if thread.name.startswith("left-behind"):
            thread.join(10)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    shell.restore_sys_module_state()
    atexit.unregister(shell.atexit_operations)
    shell.user_ns.clear()
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main
    for name in set(sys.modules) - known:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin and origin.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def notebook(unloaded):
    """A notebook under recording."""
    unloaded.load()
    yield unloaded
    assert unloaded.errors == []
