"""What to do about a loss: every reason that the program gives has a remedy that fits it."""

from __future__ import annotations

import ast
import pickle
import socket
import sys
import threading
from pathlib import Path

import pytest

import elastictm
from elastictm.ids import RunNumber
from elastictm.model.records import STILL_RUNNING, CellRun, Effect
from elastictm.model.remedies import CANNOT_RERUN, is_known, remedy
from elastictm.planning.repeats import obstacles

GENERATOR = "cannot store a generator: it is paused in the midst of its code"


def refusals():
    """What reducers say of values that they do not store, with X for what they fill in."""
    for path in sorted((Path(elastictm.__file__).parent / "values").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = words(node.exc.args[0])
                if text.startswith("cannot store"):
                    yield pytest.param(text, id=text)


def words(node):
    """The text of a message in source code."""
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "X"


@pytest.mark.parametrize("reason", list(refusals()))
def test_each_refusal_has_a_remedy(reason):
    """What a reducer refuses has a remedy of its own; {what is filled in} may name anything."""
    assert is_known(reason.replace("cannot store X:", "cannot store a generator:").replace("asyncio X", "asyncio Task"))


PYTHON = [
    ("threading.Lock()", "release the lock"),
    ("threading.RLock()", "release the lock"),
    ("socket.socket()", "open it anew"),
    ("(i for i in ())", "list(...)"),
    ("sys._getframe()", "keep the values"),
    ("lambda: 0", "top of a cell"),
    ("sys.stdout.buffer", "plain values"),
]


@pytest.mark.parametrize(("code", "words"), PYTHON, ids=[row[0] for row in PYTHON])
def test_what_python_refuses(code, words):
    """Python's own words for what it cannot pickle have remedies too."""
    value = eval(code, {"socket": socket, "sys": sys, "threading": threading})
    with pytest.raises((TypeError, pickle.PicklingError, AttributeError)) as caught:
        pickle.dumps(value)
    if isinstance(value, socket.socket):
        value.close()
    assert words in remedy(f"{caught.value}{CANNOT_RERUN}it was there before recording began", "save")


RUNS = [
    (
        "pass",
        {"effects": (Effect("write", "/a/out.csv"),)},
        "let cell 4 run again",
        "--allow-effects, which runs cell 4",
    ),
    ("pass", {"effects": (Effect("network", "a:80"),)}, "# tm: repeatable", "--allow-effects"),
    ("pass # tm: not-repeatable", {}, "out of cell 4", "make it anew"),
    ("pass", {"status": "interrupted"}, "run cell 4 to its end", "make it anew"),
    ("pass", {"status": "unparsed"}, "mend cell 4", "make it anew"),
    ("pass", {"unrepeatable": (STILL_RUNNING,)}, "list(...)", "make it anew"),
]


@pytest.mark.parametrize(("source", "more", "there", "here"), RUNS)
def test_what_keeps_a_cell_from_running(source, more, there, here):
    """Both the session that was and the place of a restore have a remedy for a cell that must not run."""
    cell = CellRun(RunNumber(4), source, started=0.0, seconds=1.0, **more)
    reason = GENERATOR + CANNOT_RERUN + obstacles([cell], allow_effects=False, runnable=None)[cell.n]
    assert remedy(reason, "save").startswith("keep its items in a list")
    assert there in remedy(reason, "save")
    assert here in remedy(reason, "restore")


def test_files_and_libraries_are_named():
    """A file that is missing and a library to install are named, the library as an index of packages knows it."""
    gone = "/data/in.csv is gone, or not what it was when it was read"
    assert "reads /data/in.csv" in remedy(GENERATOR + CANNOT_RERUN + gone, "save")
    assert "bring /data/in.csv" in remedy(gone, "restore")
    assert "--ship-limit" in remedy(gone, "restore")
    assert remedy("ModuleNotFoundError: No module named 'sklearn.svm'", "restore").startswith(
        "pip install scikit-learn,"
    )
    for module, there in [
        ("tomllib", "Python 3.11 or later"),
        ("imp", "later ones"),
        ("virt", "bring the module virt here"),
    ]:
        advice = remedy(f"ModuleNotFoundError: No module named '{module}'", "restore")
        assert there in advice
        assert "pip install" not in advice
    assert "bring the module imports here" in remedy("No module named 'imports.sub'", "restore")
    assert "pandas==2.1" in remedy("needs pandas 2.1, which is not installed here; cannot be re-run: x", "restore")
    assert "--any-version" in remedy("was saved with numpy 1.26, and here is 2.0, another major version", "restore")
