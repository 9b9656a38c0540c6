"""A cell that runs aside once for each of some values: what the runs have in common is prepared once, and told apart."""

from __future__ import annotations

import colorsys
import math
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

import elastictm as tm
from elastictm.session.futures.doubles import Stem, by_double

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are doubled on Linux only"),
]

LIBRARY = """
import threading, time
print("imported")
LIMIT = 1
class Model:
    size = 2
    tags = ["a"]
def limit(): return LIMIT, Model.size
"""
STARTS_A_THREAD = (
    "import threading, time\nworker = threading.Thread(target=time.sleep, args=(60,), daemon=True)\nworker.start()\n"
)


def results(notebook, name):
    """What the last line gave in each run, once all have ended."""
    notebook.session.futures.wait(name, 60)
    return tm.future(name).result()


def test_runs_of_one_sweep_leave_nothing_to_each_other(notebook):
    """Neither what they do to their inputs, to libraries and to modules, nor to the values that they were given."""
    Path("own.py").write_text(LIBRARY)
    notebook.settings.workers = "1"
    notebook.run(
        "import own, json\nshared = [0]",
        "%%future s --each k=[[1],[2],[3],[4]]\nk.append(9); shared.append(k)\nold = own.LIMIT, json.dumps([1])\n"
        "own.LIMIT = k; json.dumps = str; extra = k\n(k, shared, old, 'extra' in globals())",
    )
    found = results(notebook, "s")
    assert found == {f"k=[{k}]": ([k, 9], [0, [k, 9]], (1, "[1]"), True) for k in (1, 2, 3, 4)}
    assert {frozenset(run.answer.made) - {"own", "json"} for run in notebook.session.futures.find("s").runs} == {
        frozenset({"k", "shared", "old", "extra"})
    }


def test_only_what_a_run_writes_is_made(notebook):
    """The value that a run was given is no result of it, unless it changes it."""
    notebook.settings.workers = "1"
    notebook.run("base = [1]", "%%future s --each k=[1,2,3]\ny = base[0] + k")
    assert results(notebook, "s") == {1: None, 2: None, 3: None}
    assert {run.answer.made for run in notebook.session.futures.find("s").runs} == {("y",)}


def test_runs_draw_as_they_would_alone(notebook):
    """Each has a stream of its own, that depends on nothing that ran before it."""
    notebook.settings.workers = "1"
    cell = "import random, numpy as np\nrandom.random(), float(np.random.rand())"
    notebook.run(f"%%future s --each k=[1,2,3]\n{cell}")
    found = list(results(notebook, "s").values())
    assert len({number for pair in found for number in pair}) == 6


def test_what_an_import_puts_out_belongs_to_each_run(notebook):
    """As if it had imported the module itself."""
    Path("own.py").write_text(LIBRARY)
    notebook.settings.workers = "1"
    notebook.run("import own\nf = own.limit", "%%future s --each k=[1,2,3]\nprint(k)\nf()")
    assert set(results(notebook, "s").values()) == {(1, 2)}
    future = notebook.session.futures.find("s")
    printed = ["".join(event.text for event in future.output(i).new() if event.kind == "stream") for i in range(3)]
    assert printed == [f"imported\n{k}\n" for k in (1, 2, 3)]


def test_places_in_files_are_each_run_s_own(notebook):
    """A file that is open among the inputs is read by each from where the session has read up to."""
    Path("lines.txt").write_text("".join(f"line {i}\n" for i in range(1000)))
    notebook.settings.workers = "1"
    notebook.run("file = open('lines.txt'); first = file.readline()", "%%future s --each k=[1,2,3]\nfile.readline()")
    assert set(results(notebook, "s").values()) == {"line 1\n"}
    notebook.run("file.close()")


def test_threads_of_modules_run_in_each(notebook):
    """A double has no threads but its own: a module that starts one is imported by each run."""
    Path("starting.py").write_text(STARTS_A_THREAD)
    notebook.settings.workers = "1"
    notebook.run("import starting", "%%future s --each k=[1,2,3]\nstarting.worker.is_alive()")
    assert set(results(notebook, "s").values()) == {True}


def test_a_run_that_dies_troubles_no_other(notebook):
    """It is told how it ended, and those after it run."""
    notebook.settings.workers = "1"
    notebook.run(
        "base = 1",
        "%%future s --each k=[1,2,3,4]\nimport os, signal\nif k == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "if k == 3: os.kill(os.getppid(), signal.SIGKILL); signal.pause()\nbase + k",
    )
    notebook.session.futures.wait("s", 60)
    runs = notebook.session.futures.find("s").runs
    assert [run.status for run in runs] == ["finished", "failed", "failed", "finished"]
    assert [run.why for run in runs] == [
        "",
        "its process was killed (SIGKILL): the machine may have run out of memory",
        "its process ended before the cell did",
        "",
    ]


def test_what_was_changed_inside_modules_is_there(notebook, capsys, monkeypatch):
    """Attributes of own modules and of libraries, and of classes in them; what cannot be copied is told."""
    Path("own.py").write_text(LIBRARY)
    monkeypatch.setattr(math, "tau2", 0, raising=False)
    monkeypatch.setattr(colorsys, "rgb_to_yiq", colorsys.rgb_to_yiq)
    notebook.run(
        "import own, math, colorsys",
        "own.LIMIT = 5; own.Model.size = 7; own.extra = lambda: own.LIMIT; own.Model.tags.append('b'); math.tau2 = 3; del colorsys.rgb_to_yiq",
        "own.busy = (i for i in range(3))",
        "%%future one\nown.limit(), own.extra(), math.tau2, hasattr(colorsys, 'rgb_to_yiq'), hasattr(own, 'busy'), own.Model.tags",
        "%%future many --each k=[1,2]\nown.LIMIT += k\nown.limit()",
    )
    told = capsys.readouterr().err
    assert "own.busy cannot be copied: a run has it as imported" in told
    assert tm.future("one").result(60) == ((5, 7), 5, 3, False, False, ["a", "b"])
    assert results(notebook, "many") == {1: (6, 7), 2: (7, 7)}


def test_what_the_importing_cell_changed_is_there(notebook, capsys):
    """Though nobody saw the module as its import made it: it is imported once more, to compare."""
    Path("own.py").write_text(LIBRARY)
    notebook.run(
        "import own\nown.Model.tags.append('b'); own.LIMIT = own.limit()[0] + 4",
        "%%future one\nown.LIMIT, own.Model.tags",
    )
    assert tm.future("one").result(60) == (5, ["a", "b"])
    assert "not tried out" not in capsys.readouterr().err


def test_an_edited_module_is_told(notebook, capsys):
    """A run imports the file as it is now, which is not what the session has."""
    Path("own.py").write_text(LIBRARY)
    notebook.run("import own")
    Path("own.py").write_text(LIBRARY.replace("LIMIT = 1", "LIMIT = 100"))
    notebook.run("%%future one\nown.limit()")
    assert "in a run, the own module own was edited since it was imported" in capsys.readouterr().err
    assert tm.future("one").result(60) == (100, 2)


def test_a_double_tells_how_it_ended():
    """By the status of its process."""
    assert by_double(lambda: None) == 0
    assert by_double(lambda: os.kill(os.getpid(), signal.SIGKILL)) == -signal.SIGKILL


@pytest.mark.parametrize("prepare", ["raise", "thread", "file"])
def test_a_stem_that_cannot_be_doubled_says_so(tmp_path, prepare):
    """What it would take along or leave behind makes it useless."""
    kept = []

    def preparing():
        if prepare == "raise":
            raise RuntimeError
        if prepare == "thread":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        else:
            kept.append((tmp_path / "file").open("w"))

    stem = Stem(preparing, lambda _: None, ())
    assert not stem.is_good
    stem.end()


def test_a_stem_does_one_thing_after_the_other(tmp_path):
    """Each in a double of its own, which has what was prepared."""
    kept = []

    def work(name):
        kept.append(1)
        (tmp_path / name.decode()).write_text(str(kept))

    stem = Stem(lambda: kept.append(0), work, ())
    assert stem.is_good
    assert [stem.carry_out(name) for name in (b"a", b"b")] == [0, 0]
    stem.end()
    assert [(tmp_path / name).read_text() for name in "ab"] == ["[0, 1]"] * 2
    assert stem.carry_out(b"c") is None


def test_what_modules_and_variables_share_is_shared_in_a_run(notebook):
    """Names imported from a module are what it has there too, and so is what was put into it."""
    Path("feat.py").write_text("CFG = {'k': 2}\nREG = []\ndef compute(): return CFG['k'] * 10\n")
    notebook.run(
        "import feat\nfrom feat import CFG, compute",
        "t = ['put in']; feat.REG.append(t)",
        "%%future one\nCFG['k'] = 7; t.append('there')\ncompute(), CFG is feat.CFG, feat.REG[0] is t",
        "%%future many --each i=[1,2]\nCFG['k'] = i\ncompute(), CFG is feat.CFG, feat.REG[0] is t",
    )
    assert tm.future("one").result(60) == (70, True, True)
    assert results(notebook, "many") == {1: (10, True, True), 2: (20, True, True)}


def test_items_of_lists_are_what_the_variables_have(notebook):
    """An item is the very element of the list that it comes from, in a run; and results are found by it here."""
    notebook.run(
        "class Model:\n    def fit(self, x): self.x = x",
        "import numpy as np\nmodels = [Model(), Model()]; functions = [np.mean, np.median]",
        "%%future fits --each m=models\nm.fit(3)\nfound = any(m is each for each in models), m.x",
        "%%future calls --each f=functions\nn = len(functions)",
        "%future wait fits\n%future wait calls\n%future take fits found",
    )
    assert [notebook.ns["found"][model] for model in notebook.ns["models"]] == [(True, 3)] * 2
    assert {run.answer.made for run in notebook.session.futures.find("calls").runs} == {("n",)}


def test_what_a_run_leaves_ends_with_it_and_is_told(notebook):
    """A process and a thread of its own; pools that wait for work are not worth a word."""
    notebook.run(
        "%%future one\nimport subprocess, threading, time\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor(1); pool.submit(len, []).result()\n"
        "process = subprocess.Popen(['sleep', '600'])\n"
        "threading.Thread(target=time.sleep, args=(600,), name='late').start()\nprocess.pid"
    )
    pid = tm.future("one").result(60)
    assert f"the thread late, the process {pid} (sleep 600): ended with the run" in tm.future("one").output
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_runs_hash_alike(notebook):
    """Sets of texts have one order in all of them."""
    notebook.settings.workers = "2"
    notebook.run("%%future s --each k=range(6)\nhash('alpha')")
    assert len(set(results(notebook, "s").values())) == 1
