"""``elastictm run``: notebooks in real kernels."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from elastictm.model.wire import decode_history
from elastictm.storage.reader import ArchiveReader

pytestmark = pytest.mark.kernel


def outputs(path):
    """The text that each code cell of a notebook printed, or its result."""
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        found.append("".join(parts).strip())
    return found


def history_of(path):
    """The cell runs in an archive, without what was there before."""
    with ArchiveReader(path) as reader:
        return [run for run in decode_history(reader.read(reader.manifest.history)).runs if run.n]


def test_a_notebook_runs_is_saved_and_written_with_its_outputs(run, notebook, home, tmp_path):
    """Cells run in the notebook's folder, in this Python whatever kernelspecs there are, and the first is cell 1."""
    spec = home / ".local/share/jupyter/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "display_name": "Python 3", "language": "python"}))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = notebook("import os, sys\nx = 1", "print(os.getcwd())", "sys.executable", "x + 1")
    done = run("run", path, "--save", "work.tm", "--output", "done.ipynb", cwd=elsewhere)
    told = outputs(elsewhere / "done.ipynb")
    assert told == ["", str(tmp_path), repr(sys.executable), "2"]
    assert [(cell.n, cell.source) for cell in history_of(elsewhere / "work.tm")] == [
        (1, "import os, sys\nx = 1"), (2, "print(os.getcwd())"), (3, "sys.executable"), (4, "x + 1"),
    ]  # fmt: skip
    assert done.stdout.startswith(f"Saved {elsewhere}/work.tm: 3 stored")
    assert done.stderr == ""
    numbers = [cell.execution_count for cell in nbformat.read(elsewhere / "done.ipynb", as_version=4).cells]
    assert numbers == [1, 2, 3, 4]


def test_a_cell_that_fails_is_quoted_and_what_was_there_is_saved(command, notebook, tmp_path):
    """The run ends with status 1 at the cell, and archive and notebook hold what came before."""
    path = notebook("x = 1", "y = {}['missing']", "open('never', 'w')")
    done = command("run", path, "--save", tmp_path / "work.tm", "--output", tmp_path / "done.ipynb")
    assert done.returncode == 1
    assert "y = {}['missing']" in done.stderr
    assert "KeyError: 'missing'" in done.stderr
    assert "\x1b" not in done.stderr
    assert f"The session up to there was saved as {tmp_path}/work.tm." in done.stderr
    assert [cell.status for cell in history_of(tmp_path / "work.tm")] == ["ok", "error"]
    last = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells[1]
    assert last.outputs[0].ename == "KeyError"
    assert not (tmp_path / "never").exists()


def test_tagged_cells_may_fail_or_are_skipped(run, notebook, tmp_path):
    """A cell tagged raises-exception does not end the run, one tagged skip-execution does not begin."""
    path = notebook(("1 / 0", ["raises-exception"]), ("open('never', 'w')", ["skip-execution"]), "print('on')")
    told = json.loads(run("run", path, "--json", "--output", tmp_path / "done.ipynb").stdout)
    assert told == {"notebook": str(path), "cells_run": 2, "status": "ok"}
    assert outputs(tmp_path / "done.ipynb")[2] == "on"
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("option", ["--save", "--output"])
def test_what_exists_is_kept_unless_forced(cli, notebook, tmp_path, option):
    """A file in the way is told of before any cell runs."""
    path = notebook("open('ran', 'w').close()")
    target = tmp_path / "target"
    target.write_text("precious")
    done = cli("run", path, option, target)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--force" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert target.read_text() == "precious"


def test_force_replaces_and_quiet_says_nothing(run, notebook, tmp_path):
    """With --force files give way; with --quiet a run that succeeds is silent."""
    archive, written = tmp_path / "work.tm", tmp_path / "done.ipynb"
    archive.write_text("old")
    written.write_text("old")
    done = run("run", notebook("x = 1"), "--save", archive, "--output", written, "--force", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    assert len(history_of(archive)) == 1
    assert outputs(written) == [""]


def test_a_run_goes_on_after_the_last_cell_that_ran(command, notebook, saved, tmp_path):
    """From the state of a failed run, the mended notebook goes on at the cell that failed, with the numbers."""
    path = notebook("x = [1, 2]", "y = x[1]", "print(x, y)")
    files = ("--output", tmp_path / "done.ipynb", "--save", tmp_path / "work.tm")
    done = command("run", path, "--from", saved["broken"], "--trust", *files, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["path"], told["cells_run"], told["status"]) == (f"{tmp_path}/work.tm", 2, "ok")
    assert {variable["name"] for variable in told["variables"]} == {"x", "y"}
    assert [variable["name"] for variable in told["restored"]["variables"]] == ["x"]
    assert [cell.n for cell in history_of(tmp_path / "work.tm")] == [1, 2, 3, 4]
    cells = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
    assert [cell.execution_count for cell in cells] == [None, 3, 4]
    assert outputs(tmp_path / "done.ipynb")[2] == "[1, 2] 2"


def test_another_notebook_does_not_go_on(command, notebook, saved, tmp_path):
    """A notebook whose cells are not those that ran is refused before anything runs."""
    path = notebook("open('ran', 'w'); x = 5", "y = x[1]")
    done = command("run", path, "--from", saved["broken"], "--trust")
    assert done.returncode == 2
    assert "code cell 1 of the notebook is \"open('ran', 'w'); x = 5\"" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_strange_archive_is_not_gone_on_from(command, notebook, saved, tmp_path):
    """Without a terminal and without --trust, code from elsewhere does not run."""
    done = command("run", notebook("x = [1, 2]", "open('ran', 'w')"), "--from", saved["broken"])
    assert (done.returncode, done.stdout) == (3, "")
    assert "--trust" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_losses_at_the_start_show_in_the_status(command, notebook, saved):
    """A run that began without a variable ends with status 4."""
    path = notebook("x = [1, 2]", "open('out.txt', 'w').close(); g = (i for i in x)", "print(x)")
    done = command("run", path, "--from", saved["lossy"], "--trust")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("elastictm: restored with losses: g (")


def test_a_cell_has_only_its_time(command, notebook, tmp_path):
    """A cell that takes too long is interrupted, the run fails, and what was there is saved."""
    path = notebook("x = 1", "import time\nwhile True: time.sleep(0.05)")
    done = command("run", path, "--timeout", "1", "--save", tmp_path / "work.tm", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["cells_run"], told["status"]) == (2, "error")
    assert [(variable["name"], variable["outcome"]) for variable in told["variables"]][-1] == ("x", "stored")
    assert "after 1 seconds" in done.stderr
    assert [cell.status for cell in history_of(tmp_path / "work.tm")] == ["ok", "interrupted"]


def test_a_kernel_that_dies_is_told_with_its_cell(command, notebook, tmp_path):
    """Nothing is saved, the notebook with the outputs so far is, and the cell is quoted."""
    path = notebook("print(1)", "import os\nos._exit(1)")
    done = command("run", path, "--save", tmp_path / "work.tm", "--output", tmp_path / "done.ipynb")
    assert done.returncode == 1
    assert "os._exit(1)" in done.stderr
    assert "The session was not saved" in done.stderr
    assert not (tmp_path / "work.tm").exists()
    assert outputs(tmp_path / "done.ipynb")[0] == "1"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_saves_and_leaves_no_kernel(notebook, tmp_path, number, status):
    """The cell that runs is interrupted, the session saved, and the kernel gone."""
    path = notebook(
        "import os, pathlib, time\nx = 1",
        "_ = pathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: time.sleep(0.05)",
    )
    line = [sys.executable, "-m", "elastictm_cli", "run", str(path), "--save", str(tmp_path / "work.tm"), "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        written = tmp_path / "pid"
        deadline = time.monotonic() + 60
        while not (written.exists() and written.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == status
    assert "was stopped in its cell 2" in errors
    assert [cell.status for cell in history_of(tmp_path / "work.tm")] == ["ok", "interrupted"]
    assert not Path(f"/proc/{written.read_text()}/cmdline").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("not JSON", "is no notebook"),
        ("[1]", "is no notebook"),
        ('{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "is no notebook"),
        (
            '{"cells": [], "metadata": {"language_info": {"name": "R"}}, "nbformat": 4, "nbformat_minor": 5}',
            "is a notebook in R, expected one in Python",
        ),
    ],
)
def test_what_is_no_python_notebook_is_wrong_usage(cli, tmp_path, content, words):
    """A file that cannot be run is named in one line, with status 2."""
    path = tmp_path / "work.ipynb"
    if content is not None:
        path.write_text(content)
    done = cli("run", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
