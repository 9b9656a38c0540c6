"""What a cell does to an own module that it imports itself is found, and nothing is found that it did not do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from elastictm.session.saving import SaveOptions

FILES = {
    "busy.py": """\
STATE, LIMIT, model = [], 1, None
class Settings:
    level = 0
def append(x):
    STATE.append(x)
def limit(n):
    global LIMIT
    LIMIT = n
def load():
    global model
    model = model or {"a": 1}
    return model
""",
    "calm.py": """\
import functools, os, random, sys, tempfile, time
from pathlib import Path
try:
    get_ipython()
except NameError:
    from IPython import get_ipython
SHELL = [get_ipython() is None]
HERE = {"pid": os.getpid(), "time": time.time(), "home": str(Path.home()), "folder": os.getcwd()}
MORE = [random.random(), tempfile.gettempdir(), len(sys.modules), object()]
NAMES = {"a", "b", "c d", "e"}
A, B, C, D, E, F = ({letter, letter + "s"} for letter in "abcdef")
TABLE = {"f": lambda x: x, "n": [1, 2]}
COUNT = len(sys.modules)
@functools.lru_cache
def load(x=[], *, y={"k": NAMES}):
    return list(NAMES)
""",
    "filled.py": "MADE = {}\n",
    "filling.py": "import filled\nfilled.MADE['a'] = 1\ndef go():\n    pass\n",
    "writing.py": "open(__file__ + '.log', 'a').close()\ndef go():\n    pass\n",
}


@pytest.fixture
def own(tmp_path, notebook):
    """A notebook beside own modules."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    notebook.settings.faith_budget = 60.0
    yield notebook
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


def told(notebook):
    """The notes of a plan that speak of what became of modules."""
    notes = notebook.session.plan(SaveOptions(bandwidth=1e9)).notes
    return [note for note in notes if note.startswith(("LOST", "not tried out"))]


def test_what_a_cell_does_to_what_it_imports(own):
    """Data that changed in place, names bound anew by functions, by the cell or in classes, and new ones are found."""
    cell = own.run("import busy\nbusy.append(1); busy.limit(5); busy.load()\nbusy.NEW = 1; busy.Settings.level = 2")
    (line,) = told(own)
    begin = "LOST: what the session changed inside the module busy (LIMIT, NEW, STATE, Settings, model) by cell"
    assert line.startswith(f"{begin} {cell.n}: ")
    own.run("busy.append(2)")
    assert told(own)[0].startswith(f"{begin} {cell.n}, {cell.n + 1}: ")


def test_what_an_import_makes_is_no_change(own):
    """What is another in each process, folder or shell is not taken for a change, nor what other imports put in."""
    own.run("import calm, filling\nx = calm.load()\nfilling.go()")
    assert told(own) == []


def test_what_is_not_known_is_said(own):
    """An import that acts outside is not tried out, and neither is any where there is no time: the report says so."""
    cell = own.run("import writing\nwriting.go()")
    log = Path(own.ns["writing"].__file__ + ".log")
    log.unlink()
    reason = "since importing it acts on files, processes or the network"
    assert told(own)[0].startswith(f"not tried out, {reason}, whether cell {cell.n} changed the module writing, ")
    assert not log.exists()
    own.settings.faith_budget = 0.0
    own.run("del writing\nimport sys\ndel sys.modules['writing']")
    cell = own.run("import busy\nbusy.append(1)")
    assert told(own)[0].startswith(f"not tried out, for want of time, whether cell {cell.n} changed the module busy, ")
    own.settings.faith_budget = 60.0
    assert told(own)[0].startswith("LOST: what the session changed inside the module busy (STATE) by cell")


def test_answers_are_remembered(own, monkeypatch):
    """A second save starts no process for what is known; a module that was imported anew is looked at anew."""
    own.run("import busy\nbusy.append(1)")
    before = told(own)
    with monkeypatch.context() as patch:
        patch.setattr("elastictm.session.first_imports.run_module", None)
        assert told(own) == before
    own.run("import importlib\nimportlib.reload(busy)\nx = 1")
    assert told(own) == []
