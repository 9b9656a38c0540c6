"""Archives and stores of every released format restore, with all that they hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from elastictm.session.archivist import Archivist
from elastictm.storage.layout import VERSION
from elastictm.storage.pack import SCHEMA
from elastictm.storage.store import Store

FOLDER = Path(__file__).parent
CHILD = """
import json, sys
sys.path.insert(0, {folder!r})
from session import CHECKS
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
HistoryManager.enabled = False
shell = InteractiveShell.instance()
shell.run_cell("%load_ext elastictm", store_history=False)
import elastictm
report = elastictm.restore({path!r}, trust=True).to_json()
failed = []
for check in CHECKS:
    result = shell.run_cell("assert " + check, store_history=False, silent=True)
    if not result.success:
        failed.append([check, repr(result.error_in_exec)])
lost = [v for v in report["variables"] if v["outcome"] == "lost"]
print(json.dumps([failed, lost]))
"""
PAST_CHILD = """
import json, sys
sys.path.insert(0, {folder!r})
from session import PAST_CHECKS, run
run("%past --session {name}", store={stores!r})
from IPython.core.interactiveshell import InteractiveShell
import elastictm
from elastictm.extension import find
shell = InteractiveShell.instance()
session = find(shell).session
left, failed = session.past.tree.at, []
for state, checks in PAST_CHECKS.items():
    lost = [v.name for v in session.go(state).lost]
    results = [shell.run_cell("assert " + check, store_history=False, silent=True) for check in checks]
    failed += [[state, lost, repr(r.error_in_exec)] for r in results if lost or not r.success]
run("after = names")
print(json.dumps([left, failed, session.past.tree.at, session.past.trouble]))
"""


def run_child(code, folder):
    """What a process with a home of its own prints at the end, as JSON."""
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **home},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.tm")), ids=lambda path: path.name)
def test_golden_archive_restores(path, tmp_path):
    """Nothing of a golden archive is lost, and all that was true of its session is true again."""
    pytest.importorskip("numpy")
    failed, lost = run_child(CHILD.format(folder=str(FOLDER), path=str(path)), tmp_path)
    assert failed == []
    assert lost == []


STORES = sorted(path for path in FOLDER.glob("past-*") if path.is_dir())


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.name)
def test_golden_store_is_listed(path, tmp_path):
    """A golden store is found, is whole, and tells its states with their branches and tags."""
    shutil.copytree(path, tmp_path / path.name)
    archivist = Archivist(str(tmp_path))
    (line,) = archivist.sessions(2e9).sessions
    assert (line.id, line.alive) == (path.name, False)
    states = {state.n: state for state in archivist.timeline(path.name, 2e9, everything=True).states}
    assert set(states) == set(range(17)) - {7, 9, 12, 15}
    assert [n for n, state in states.items() if state.here] == [8]
    assert [(n, state.tags) for n, state in states.items() if state.tags] == [(8, ("whole",))]
    with Store.open(tmp_path / path.name) as store:
        assert len(list(store.packs())) > 10
        assert store.damaged == []


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.name)
def test_golden_store_restores(path, tmp_path):
    """The session of a golden store goes on where it stood, and every state of it is what it was."""
    pytest.importorskip("numpy")
    shutil.copytree(path, tmp_path / "stores" / path.name)
    code = PAST_CHILD.format(folder=str(FOLDER), name=path.name, stores=str(tmp_path / "stores"))
    left, failed, at, trouble = run_child(code, tmp_path)
    assert (left, failed, trouble) == (8, [], "")
    assert at > 18


def test_there_is_one_of_the_present_format():
    """The formats that are written now have their golden archive and their golden store."""
    assert (FOLDER / f"format-{VERSION}.tm").is_file()
    assert (FOLDER / f"past-{SCHEMA}" / "session.json").is_file()
