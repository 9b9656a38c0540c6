"""A kernel that is killed at any time loses nothing that a finished cell had made; ELASTICTM_KILLS says how often."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

KILLS = int(os.environ.get("ELASTICTM_KILLS", "4"))

SHELL = """
import json, sys
from IPython.core.history import HistoryManager
HistoryManager.enabled = False
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def run(cell):
    result = shell.run_cell(cell, store_history=True)
    assert result.success, cell
run("%load_ext elastictm")
"""

WORK = (
    SHELL
    + """
from elastictm.extension import find
session = find(shell).session
cells = [
    "import numpy as np; big = np.zeros(400_000); small = [0]; names = {'small': small}",
    "class P:\\n    n = 0\\np = P()",
]
for i in range(1000):
    cells += [f"big[{i}] = {i}", f"small.append({i})", f"p.n = {i}", f"extra_{i % 7} = list(range({i}, {i} + 2000))"]
    cells += ["%past undo"] * (i % 3)
for cell in cells:
    run(cell)
    ns = shell.user_ns
    state = {"big": float(ns["big"].sum()) if "big" in ns else None, "small": ns.get("small"), "p": getattr(ns.get("p"), "n", None)}
    tree = session.past.tree
    print(json.dumps({"n": tree.standing(), "back": tree.undone(), **state}), flush=True)
"""
)

LOOK = (
    SHELL
    + """
from elastictm.extension import find
run("%past recover")
session = find(shell).session
ns = shell.user_ns
assert ns["names"]["small"] is ns["small"]
state = {"big": float(ns["big"].sum()), "small": list(ns["small"]), "p": getattr(ns.get("p"), "n", None)}
print("STATE " + json.dumps({"n": session.past.tree.standing(), **state}), flush=True)
run("small.append('more')")
run("%past undo")
assert ns["small"] == state["small"]
"""
)


def child(code, env, folder, **options):
    """A process of Python's."""
    return subprocess.Popen([sys.executable, "-c", code], env=env, cwd=folder, text=True, **options)


@pytest.fixture
def env(tmp_path):
    """An environment with a home of its own."""
    return {**os.environ, "HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")}


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_kernel_comes_back(seed, env, tmp_path):
    """What comes back is the state that the session stood in, or where the cell led that had not told yet."""
    chance = random.Random(seed)
    with child(WORK, env, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as working:
        lines = [working.stdout.readline() for _ in range(3)]
        deadline = time.monotonic() + chance.uniform(0.0, 0.6)
        while time.monotonic() < deadline:
            lines.append(working.stdout.readline())
        working.send_signal(signal.SIGKILL)
        lines += working.stdout.readlines()
    whole = [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]
    with child(LOOK, env, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as looking:
        output = looking.stdout.read()
    assert looking.returncode == 0, output
    found = json.loads(next(line for line in output.splitlines() if line.startswith("STATE ")).removeprefix("STATE "))
    back = [state.pop("back") for state in whole]
    known = {state["n"]: state for state in whole}
    if found["n"] in known:
        # Going back may have been under way.
        assert found["n"] in {whole[-1]["n"], back[-1]}
        assert found == known[found["n"]]
    else:
        # The cell had run, and its line was on the way.
        assert found["n"] > max(known)


def test_two_kernels_keep_their_pasts_in_one_folder(env, tmp_path):
    """Sessions that run at the same time do not disturb each other, and each is found by its name."""
    code = SHELL + "run(f'mine = {sys.argv[1]!r}')\nrun('%past sessions')\nsys.stdin.readline()\n"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, name],
            env=env,
            cwd=tmp_path,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    outputs = [process.communicate("\n")[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all("sessions in" in output for output in outputs)
    found = []
    for name in sorted(folder.name for folder in (tmp_path / "data" / "elastictm" / "past").iterdir()):
        with child(
            SHELL + f"run('%past --session {name}')\nprint(shell.user_ns['mine'])",
            env,
            tmp_path,
            stdout=subprocess.PIPE,
        ) as looking:
            found.append(looking.stdout.read().split()[-1])
    assert sorted(found) == ["one", "two"]


def test_the_state_of_a_running_kernel_is_copied(env, tmp_path):
    """What lives elsewhere is not taken over: its owner goes on, and this session has a past of its own."""
    code = (
        SHELL
        + "run('x = [1]')\nprint('ready', flush=True)\nsys.stdin.readline()\nrun('x.append(2)')\nrun('%past undo')\nprint(shell.user_ns['x'])"
    )
    with child(code, env, tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        while "ready" not in owner.stdout.readline():
            pass
        (name,) = (folder.name for folder in (tmp_path / "data" / "elastictm" / "past").iterdir())
        look = (
            SHELL + f"run('%past --session {name}')\nrun('x.append(3)')\nrun('%past undo')\nprint(shell.user_ns['x'])"
        )
        with child(look, env, tmp_path, stdout=subprocess.PIPE) as looking:
            assert looking.stdout.read().split("\n")[-2] == "[1]"
        owner.stdin.write("\n")
        owner.stdin.flush()
        assert owner.stdout.read().split("\n")[-2] == "[1]"
    assert owner.returncode == 0


def test_own_modules_come_back_though_their_folder_is_gone(env, tmp_path):
    """A state brings the modules of the user's own that it uses, as source."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text("def twice(x):\n    return 2 * x\n")
    code = SHELL + "run('import sys; sys.path.insert(0, \"lib\")')\nrun('import mine')\nrun('f = mine.twice; y = f(4)')"
    with child(code, env, tmp_path):
        pass
    (tmp_path / "lib" / "mine.py").unlink()
    with child(
        SHELL + "run('%past recover')\nprint(shell.user_ns['f'](5))", env, tmp_path, stdout=subprocess.PIPE
    ) as looking:
        assert looking.stdout.read().split()[-1] == "10"
