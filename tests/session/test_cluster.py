"""Cells run aside on the workers of a Dask cluster: a real scheduler, and two worker processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import elastictm as tm
from elastictm.errors import FutureFailed

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.kernel,
    # What Dask leaves open at its end is its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def scheduler(tmp_path_factory):
    """The address of a scheduler with two workers, one of which has something to offer."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    modules = {
        "scheduler": ["--port", "0", "--no-dashboard"],
        "worker": ["--nthreads", "1", "--no-dashboard", "--no-nanny"],
    }
    begun = []

    def begin(kind, *more):
        line = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            "--scheduler-file",
            str(file),
            *modules[kind],
            *more,
        ]
        begun.append(subprocess.Popen(line, cwd=folder, stderr=subprocess.DEVNULL))

    begin("scheduler")
    while not file.exists():
        time.sleep(0.05)
    begin("worker")
    begin("worker", "--resources", "gpu=1")
    with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        address = client.scheduler.address
    yield address
    for process in begun:
        process.kill()
        process.wait()


def until(holds):
    """Wait for something that soon is so."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_cluster_runs_what_it_is_given(notebook, scheduler):
    """Inputs, classes, results, output, order and resources are as on this machine; a death is told, and not repeated."""
    notebook.settings.workers = scheduler
    notebook.run(
        "class Pair:\n    def __init__(self, a): self.a = a\ndata = list(range(1000))\npair = Pair(data)",
        "%%future one --resources gpu=1\nimport os\nprint('there')\npair.a[0] = -1\nother = Pair(pair.a)\nos.getpid()",
        "%%future two --after one --each k=[1,2]\nresult = other.a[0] * k",
    )
    notebook.session.futures.wait("two", 60)
    one, two = tm.future("one"), tm.future("two")
    assert (one.status, two.vars["result"]) == ("finished", {1: -1, 2: -2})
    assert one.output.startswith("there\n")
    assert one.result() != os.getpid()
    notebook.run("%future take one other")
    assert type(notebook.ns["other"]) is notebook.ns["Pair"]
    assert notebook.ns["pair"].a[0] == 0
    notebook.run("%%future long\nimport time\ntime.sleep(100)")
    until(lambda: tm.future("long").status == "running")
    started = time.perf_counter()
    tm.future("long").cancel()
    assert time.perf_counter() - started < 1
    assert tm.future("long").status == "cancelled"
    notebook.run(
        "%%future dies\nimport psutil, time\nopen('deaths', 'a').write('x')\n"
        "psutil.Process().parents()[1].kill()\ntime.sleep(100)",
        "%%future after\n'alive'",
    )
    with pytest.raises(FutureFailed, match="its Dask worker died while it ran, and a cell is not run twice"):
        tm.future("dies").result(60)
    assert tm.future("after").result(60) == "alive"
    assert Path("deaths").read_text() == "x"
    notebook.session.futures.close()


def test_output_and_memory_are_seen_while_it_runs(notebook, scheduler):
    """As on this machine; in the end nothing is there twice."""
    notebook.settings.workers = scheduler
    notebook.run(
        "%%future talks\nimport pathlib, time\nprint('begun', flush=True)\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.01)\nprint('done')"
    )
    until(lambda: tm.future("talks").output == "begun\n")
    until(lambda: notebook.session.futures.table().futures[0].peak > 1_000_000)
    assert tm.future("talks").status == "running"
    Path("go").touch()
    assert tm.future("talks").result(60) is None
    assert tm.future("talks").output == "begun\ndone\n"
    notebook.session.futures.close()


def test_own_modules_go_along(notebook, scheduler, tmp_path):
    """Where a worker has neither the folder nor the file, with what cells changed inside."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "own_module.py").write_text("LIMIT = 1\ndef limit(): return LIMIT\n")
    notebook.settings.workers = scheduler
    notebook.run(
        f"import sys; sys.path.insert(0, {str(tmp_path / 'gone')!r})\nimport own_module", "own_module.LIMIT = 5"
    )
    notebook.run("%%future first\n1")
    notebook.session.futures.wait("first", 60)
    (tmp_path / "gone" / "own_module.py").rename(tmp_path / "kept.txt")
    notebook.run(
        "%%future far\nown_module.limit(), own_module.__file__", "del own_module", "%%future alone\nimport own_module"
    )
    limit, file = tm.future("far").result(60)
    notebook.session.futures.wait("alone", 60)
    assert tm.future("alone").status == "finished"
    assert (limit, file.startswith(str(tmp_path))) == (5, False)
    (tmp_path / "gone" / "own_module.py").write_text("LIMIT = 2\ndef limit(): return LIMIT\n")
    notebook.run("import own_module", "%%future other\nown_module.limit()")
    assert tm.future("other").result(60) == 5
    notebook.session.futures.close()


def test_a_scheduler_that_is_not_there_is_told(notebook, capsys, monkeypatch):
    """Nothing begins, and the message names the address."""
    monkeypatch.setattr("elastictm.session.futures.cluster._SECONDS", 0.5)
    notebook.settings.workers = "tcp://127.0.0.1:9"
    notebook.run("%%future x\n1")
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
