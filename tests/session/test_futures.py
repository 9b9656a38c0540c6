"""Cells that run aside see copies, trouble nobody, and are taken in as what they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

import elastictm as tm
from elastictm.errors import FutureFailed, UsageError
from elastictm.ids import Name
from elastictm.storage.crate import Crate

from .conftest import read, wrote


@pytest.fixture(autouse=True)
def _one_worker(notebook):
    """One process at a time: what a test begins, runs in order."""
    notebook.settings.workers = "1"


def future(notebook, name):
    """A future that has ended, for programs."""
    notebook.session.futures.wait(name, 60)
    return tm.future(name)


CLASSES = """\
class Model:
    def __init__(self, rows):
        self.rows = rows
    def score(self):
        return sum(self.rows) * scale
scale = 2
rows = [1, 2, 3]
model = Model(rows)
other = ["not read"]
"""


def test_a_cell_runs_on_copies_and_is_taken_in(notebook, capsys):
    """What it changes is seen once it is taken, of the session's own classes, with what is shared still shared."""
    notebook.run(
        CLASSES,
        "%%future fit\nrows.append(4)\nmore = Model([9])\nboth = [model, more]\nmodel.score()",
        "rows.append(100)",
    )
    found = future(notebook, "fit")
    assert (found.status, found.result(), sorted(found.vars)) == ("finished", 20, ["both", "model", "more", "rows"])
    assert notebook.ns["rows"] == [1, 2, 3, 100]
    assert "more" not in notebook.ns
    notebook.run("%future take fit both more")
    both, more = notebook.ns["both"], notebook.ns["more"]
    assert both[1] is more
    assert type(more) is type(both[0]) is notebook.ns["Model"]
    assert both[0].rows == [1, 2, 3, 4]
    run = notebook.runs[-1]
    assert wrote(run) == {"both", "more"}
    assert {str(version) for version in run.reads} == {"Model@2", "model@2", "rows@2", "scale@2"}
    assert run.unrepeatable == ("it took in what ran aside as fit, with model, rows as they were then",)
    capsys.readouterr()
    # What was changed here is not overwritten unless that is asked for.
    notebook.run("%future take fit rows")
    assert "rows was changed here in cell 4 since fit began in cell 3" in capsys.readouterr().err
    assert notebook.ns["rows"][-1] == 100
    notebook.run("%future take fit rows --as new_", "%future take fit rows --force")
    assert notebook.ns["new_rows"] == notebook.ns["rows"] == [1, 2, 3, 4]


def test_only_what_is_read_is_copied(notebook):
    """The crate has what the cell reads, through functions too, and nothing else."""
    notebook.run(CLASSES, "def f():\n    return model.score()", "%%future fit\nf()")
    future(notebook, "fit")
    with Crate(notebook.session.futures.find("fit").inputs) as crate:
        assert {entry.name for entry in crate.manifest.entries} == {"f", "model", "rows", "scale", "Model"} - {"rows"}


def test_what_is_put_out_is_played_back(notebook, capfd):
    """Text of Python's and of other programs, results and tracebacks come as they were, and errors leave results."""
    notebook.run("%%future talk\nprint('words')\n!echo from outside\nkept = 1\nkept / 0")
    found = future(notebook, "talk")
    assert found.status == "failed"
    assert "words\nfrom outside\n" in found.output
    assert "kept / 0" in found.output
    with pytest.raises(FutureFailed, match="ZeroDivisionError: division by zero"):
        found.result()
    capfd.readouterr()
    notebook.run("%future out talk")
    shown = capfd.readouterr()
    assert "words\nfrom outside" in shown.out
    assert "ZeroDivisionError" in shown.err
    notebook.run("%future take talk")
    assert "talk has failed" in capfd.readouterr().err
    notebook.run("%future take talk --force")
    assert notebook.ns["kept"] == 1


def test_each_value_has_a_run(notebook):
    """Results are dicts from the values, and each run draws its own random numbers, the same whenever it is asked."""
    notebook.run(
        "base = 10", "%%future sweep --each k=[1,2,3]\nimport random\nscore = base * k\ndrawn = random.random()\nk"
    )
    found = future(notebook, "sweep")
    assert found.result() == {1: 1, 2: 2, 3: 3}
    assert found.vars["score"] == {1: 10, 2: 20, 3: 30}
    assert len(set(found.vars["drawn"].values())) == 3
    notebook.run("%future take sweep score")
    assert notebook.ns["score"] == {1: 10, 2: 20, 3: 30}


def test_runs_that_fail_leave_the_others(notebook, capsys):
    """Of a sweep in which some values raise or crash, what the others made can be taken, and the reasons are told."""
    notebook.run("%%future sweep --each k=[1,0,2,-1]\nimport os\nif k < 0: os.abort()\ninverse = 1 / k")
    found = future(notebook, "sweep")
    with pytest.raises(FutureFailed, match=r"sweep with k=0 has failed: ZeroDivisionError"):
        found.result()
    notebook.run("%future take sweep inverse")
    assert "sweep has failed" in capsys.readouterr().err
    notebook.run("%future take sweep inverse --force")
    assert notebook.ns["inverse"] == {1: 1.0, 2: 0.5}
    reasons = {line.case: line.why for line in notebook.session.futures.table().futures}
    assert "SIGABRT" in reasons["k=-1"]


def test_one_waits_for_another(notebook):
    """It sees what the other made, as objects of the session's classes; where the other fails, it does not run."""
    notebook.run(
        CLASSES,
        "%%future first\nmade = Model([5])\nscale = 3",
        "%%future second --after first\nmade.score(), type(made) is Model",
        "%%future bad\n1 / 0",
        "%%future worse --after bad\n1",
    )
    assert future(notebook, "second").result() == (15, True)
    assert future(notebook, "worse").status == "failed"
    with pytest.raises(FutureFailed, match="bad, which it was to wait for, has not finished"):
        tm.future("worse").result()


def test_a_death_is_told_and_troubles_nobody(notebook):
    """A crash and a cancelled run have their reasons; others go on, and the session has no thread beside it."""
    notebook.run("%%future crash\nimport os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "%%future after\n'alive'")
    assert future(notebook, "after").result() == "alive"
    with pytest.raises(FutureFailed, match="SIGSEGV"):
        tm.future("crash").result()
    notebook.run("%%future long\nsum(1 for _ in iter(int, 1))", "x = []", "x.append(1)")
    started = time.perf_counter()
    tm.future("long").cancel()
    assert time.perf_counter() - started < 1
    assert future(notebook, "long").status == "cancelled"
    assert all(not run.effects and "a thread was running beside it" not in run.unrepeatable for run in notebook.runs)


def test_too_much_memory_ends_a_run(notebook):
    """What takes more than the setting allows is ended, with both numbers in the reason."""
    notebook.settings.worker_memory = "300MB"
    notebook.run(
        "%%future big\nimport time\nblock = bytearray(600_000_000)\nfor i in range(0, len(block), 4096): block[i] = 1\ntime.sleep(60)"
    )
    with pytest.raises(FutureFailed, match="more than the 300 MB of ElasticTM"):
        future(notebook, "big").result()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("%future take nothing", "there is no future 'nothing'; there are: none"),
        ("%future nonsense", "%future takes out, take, wait, cancel, forget or nothing, not 'nonsense'"),
        ("%%future a b c\n1", "unrecognized arguments: b c"),
        ("%%future 1x\n1", "a future's name is a word"),
        ("%%future x --each k\n1", "--each takes a name and a list"),
        ("%%future x --each k=[]\n1", "--each k: [] is empty"),
        ("%%future x --each k=nowhere\n1", "--each k: nowhere gives no list: NameError"),
        ("%%future x --after y\n1", "there is no future 'y'"),
        ("%%future x\nopen_file", "open_file['deep'][0] cannot be copied, so nothing was begun"),
        ("%%future x --resources gpu=1\n1", "resources are those of a cluster"),
        ("%%future x --resources gpu=many\n1", "--resources takes what a worker has"),
        ("%%future x\ndef :", "the cell cannot be read as Python"),
    ],
)
def test_what_makes_no_sense_is_told(notebook, capsys, line, error):
    """Nothing begins, and the message says what to do."""
    notebook.run("import socket\nopen_file = {'deep': [socket.socket()]}")
    capsys.readouterr()
    notebook.run(line)
    assert error in capsys.readouterr().err
    assert not notebook.session.futures.table().futures
    notebook.ns["open_file"]["deep"][0].close()


def test_a_name_is_used_once(notebook, capsys):
    """A name whose results were not taken is not given again; one that is forgotten is free."""
    notebook.run("%%future fit\na = 1")
    future(notebook, "fit")
    notebook.run("%%future fit\na = 2")
    assert "what it made was not taken" in capsys.readouterr().err
    notebook.run(
        "%future forget fit", "%%future fit\na = 3", "%future wait fit", "%future take fit", "%future take fit"
    )
    assert notebook.ns["a"] == 3
    assert "fit was taken already" in capsys.readouterr().err


def test_results_survive_the_kernel(notebook, tmp_path):
    """After recovering the session, what had ended can be taken, and what had not is told as lost."""
    notebook.run("x = 1", "%%future done\ny = x + 1", "%future wait done", "%%future long\nimport time\ntime.sleep(60)")
    name = notebook.session.past.name
    notebook.shell.run_cell("%unload_ext elastictm")
    notebook.load()
    notebook.run(f"%past --session {name}")
    assert {line.name: line.status for line in notebook.session.futures.table().futures} == {
        "done": "finished",
        "long": "cancelled",
    }
    notebook.run("%future take done")
    assert notebook.ns["y"] == 2


def test_a_save_takes_futures_along(notebook, tmp_path, capsys):
    """What ended can be taken at the target, as objects of the classes there; what runs begins again, or is told lost."""
    notebook.run(
        CLASSES,
        "%%future done\nmade = Model([7])\nmade.score()",
        "%future wait done",
        "%%future slow --each k=[1,2]\nimport time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\nbig = k * 10",
    )
    left = tm.save(tmp_path / "left.tm")
    assert [note for note in left.notes if note.startswith("LOST: the future slow, which is")]
    tm.save(tmp_path / "all.tm", futures="rerun")
    with pytest.raises(UsageError, match="--futures takes wait, rerun or drop, not 'never'"):
        tm.save(tmp_path / "never.tm", futures="never")
    notebook.run("%future cancel slow")
    (tmp_path / "go").touch()
    report = tm.restore(tmp_path / "all.tm")
    assert "futures that came along: done (finished), slow (begun again)" in report.notes
    assert future(notebook, "slow").vars["big"] == {1: 10, 2: 20}
    assert tm.future("done").result() == 14
    notebook.run("%future take done made")
    assert type(notebook.ns["made"]) is notebook.ns["Model"]


def test_own_modules_are_there_as_they_are(notebook, tmp_path):
    """A module beside the notebook is imported anew for each run, in the text that it has by then."""
    (tmp_path / "beside_it.py").write_text("value = 1\n")
    notebook.run("import beside_it", "%%future a\nbeside_it.value += 1\nbeside_it.value")
    assert future(notebook, "a").result() == 2
    notebook.run("%%future b\nimport os\nbeside_it.value, os.getcwd()")
    assert future(notebook, "b").result() == (1, str(tmp_path))


def test_files_that_it_writes_are_real(notebook, tmp_path):
    """They are there at once, and the cell that takes its results is said to have written them."""
    notebook.run("%%future w\nfrom pathlib import Path\nPath('made.txt').write_text('x')\nok = True", "%future wait w")
    assert (tmp_path / "made.txt").read_text() == "x"
    run = notebook.run("%future take w ok")
    assert [effect.kind for effect in run.effects] == ["write"]
    assert "made.txt" in run.effects[0].detail
    (tmp_path / "below").mkdir()
    notebook.run("%cd -q below", "%%future w\nfrom pathlib import Path\nPath.cwd()", "%future wait w")
    assert tm.future("w").result() == tmp_path / "below"


def test_a_run_leaves_nothing_to_the_next(notebook):
    """What one changed in a library, printed without an end, or left running, is not there in the next one."""
    notebook.run(
        "import json",
        "%%future first\nimport threading, time\njson.dumps = lambda *_: 'patched'\nprint('no end', end='')\n"
        "def late():\n    time.sleep(0.3)\n    print('late')\nthreading.Thread(target=late).start()\njson.dumps([1])",
        "%%future second\nimport time\ntime.sleep(0.6)\njson.dumps([1])",
    )
    assert future(notebook, "second").result() == "[1]"
    assert (tm.future("first").result(), tm.future("second").output) == ("patched", "'[1]'\n")
    assert tm.future("first").output.startswith("no end")


def test_chains_are_seen_whole(notebook):
    """A future sees what all before it in its line made; of one that ran many times, dicts as when it is taken."""
    notebook.run(
        "val = -1", "%%future a\nval = 10", "%%future b --after a\nval2 = val + 1", "%%future c --after b\nval, val2"
    )
    assert future(notebook, "c").result() == (10, 11)
    notebook.run(
        "%%future many --each k=[3,4]\nclass Fit: pass\nfit = Fit(); fit.k = k\nif k == 4: odd = True",
        "%%future best --after many --after a\n({k: v.k for k, v in fit.items()}, odd, val, 'k' in globals())",
        "%%future last --after best --each k=[3,4]\nfit[k].k",
    )
    assert future(notebook, "best").result() == ({3: 3, 4: 4}, {4: True}, 10, False)
    assert future(notebook, "last").result() == {3: 3, 4: 4}


def test_what_is_not_as_it_seems_is_said(notebook, capsys):
    """Of equal values, of what cannot be stored, of what keeps the old object, and of classes that changed."""
    notebook.run(
        "class C:\n    n = 0\n    def __init__(self): C.n += 1\nlist_ = [1]\nholder = [list_]",
        "%%future q\no = C()\nlist_.append(2)\ngen = (i for i in range(3))\ninput('name?')",
        '%%future twice --each "a=[True, 1, 1]"\nr = a',
    )
    assert future(notebook, "twice").vars["r"] == {"a=True": True, "a=1 (2)": 1, "a=1 (3)": 1}
    assert "a cell that runs aside cannot ask 'name?'" in tm.future("q").output
    capsys.readouterr()
    notebook.run("%future take q o list_ --force", "%future take q gen --force")
    told = capsys.readouterr()
    assert "holder: shares data with the list_ that was here, and keeps that" in told.out
    assert "o: of a class C that changed in the run" in told.out
    assert "gen cannot be taken: gen: cannot store a generator" in told.err


def test_somebody_else_is_told(notebook, tmp_path):
    """The user's own command hears the name of a future that has ended, and how."""
    (tmp_path / "told.py").write_text("import sys\nopen('told', 'w').write(' '.join(sys.argv[1:]))")
    notebook.settings.notify = f"{sys.executable} {tmp_path / 'told.py'}"
    notebook.run("%%future quick\n1")
    future(notebook, "quick")
    until = time.monotonic() + 20
    while not (tmp_path / "told").exists() or not (tmp_path / "told").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert (tmp_path / "told").read_text() == "quick finished"


def test_names_are_those_of_variables(notebook):
    """What a future made is listed as recording saw it: deletions are no variables, and imports are."""
    notebook.run("%%future x\nimport math\na = 1\nb = 2\ndel b")
    assert set(future(notebook, "x").vars) == {Name("math"), Name("a")}


def test_the_wait_has_an_end(notebook):
    """Waiting longer than was asked for raises, and the future goes on."""
    notebook.run("%%future slow\nimport time\ntime.sleep(0.6)\n5")
    with pytest.raises(TimeoutError, match="slow has not ended within"):
        tm.future("slow").result(0.01)
    assert tm.future("slow").result(60) == 5
    with pytest.raises(UsageError, match="there is no future 'slower'"):
        tm.future("slower")
    assert read(notebook.runs[-1]) == set()


def test_leaving_a_terminal_ends_what_runs(tmp_path):
    """At once, with all its processes, and says what is lost."""
    cell = f"%%future endless\\nimport os, time\\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\\ntime.sleep(600)"
    lines = [
        "%load_ext elastictm",
        f'get_ipython().run_cell("{cell}", store_history=True)',
        f"import pathlib; file = pathlib.Path({str(tmp_path / 'pid')!r})",
        "while not (file.exists() and file.read_text()): pass",
        "",
        "exit()",
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")},
    )
    assert "these futures had not ended, and are lost: endless" in ended.stdout + ended.stderr
    until = time.monotonic() + 10
    while psutil.pid_exists(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("line", ["--each k=['x', 'y z']", "--each \"k=['x', 'y z']\"", "--each=k=['x','y z']"])
def test_expressions_of_lists_keep_their_quotes(notebook, line):
    """Whether or not the whole of it is quoted."""
    notebook.run("x = 100; y = 200", f"%%future s {line}\nr = k")
    assert future(notebook, "s").vars["r"] == {"x": "x", "y z": "y z"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--each k=[1", "a bracket or a quotation in it has no end"),
        ("--each k=itertools.count()", "has more than 10,000 values"),
    ],
)
def test_lists_that_are_none_are_refused(notebook, capsys, line, message):
    """Before anything runs."""
    notebook.run("import itertools", f"%%future s {line}\nr = k")
    assert message in capsys.readouterr().err
    assert not notebook.session.futures.table().futures


def test_what_taking_leaves_is_said(notebook, capsys):
    """Of classes whose place others take, of modules, of what the run deleted; and what is gone can be taken again."""
    notebook.run(
        "import json\nclass C: n = 0\nold = C(); gone = 1",
        "%%future one\nC.n += 1; new = C(); json.extra = 5\ndel gone",
        "%future wait one",
    )
    capsys.readouterr()
    notebook.run("%future take one")
    said = capsys.readouterr().out
    assert "C: what was made of the class that was here stays of that class, as old" in said
    assert "json: what the run changed inside modules ended with it" in said
    assert "gone was deleted in the run, and stays here" in said
    assert "no instance of the C here" not in said
    assert isinstance(notebook.ns["new"], notebook.ns["C"])
    notebook.run("del new", "%future take one")
    assert "one brought in new" in capsys.readouterr().out
    notebook.run("%future take one")
    assert "was taken already" in capsys.readouterr().err


def test_a_run_begins_no_future(notebook):
    """Nobody would see it."""
    notebook.run("%%future outer\nget_ipython().run_cell_magic('future', 'inner', '1')")
    notebook.session.futures.wait("outer", 60)
    assert "a cell that runs aside cannot have another one run aside" in tm.future("outer").output
