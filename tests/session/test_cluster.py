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


def test_a_scheduler_that_is_not_there_is_told(notebook, capsys, monkeypatch):
    """Nothing begins, and the message names the address."""
    monkeypatch.setattr("elastictm.session.futures.cluster._SECONDS", 0.5)
    notebook.settings.workers = "tcp://127.0.0.1:9"
    notebook.run("%%future x\n1")
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
