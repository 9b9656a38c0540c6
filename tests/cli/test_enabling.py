"""``elastictm enable`` and ``disable``: shells that record by themselves, and files that are as they were before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nbformat.v4 as nb
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

STARTUP = Path("ipython/profile_default/startup/00-elastictm.py")


def contents(folder):
    """Everything below a folder."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def ipython(text, *words, cwd=None):
    """What a terminal IPython shows that reads its lines from a file."""
    line = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "--no-confirm-exit", *words]
    return subprocess.run(line, input=text, capture_output=True, text=True, timeout=60, check=False, cwd=cwd).stdout


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
@pytest.mark.parametrize("words", [[], ["--kernelspec", "--user"]], ids=["profile", "kernel"])
def test_disable_leaves_everything_as_it_was(cli, home, used, words):
    """Whether there were a profile and kernels before or not, each file and folder is what it was, byte for byte."""
    if used:
        for name in ("ipython/profile_default/startup/README", ".local/share/jupyter/kernels/mine/kernel.json"):
            (home / name).parent.mkdir(parents=True)
            (home / name).write_bytes(b"mine \xff")
    before = contents(home)
    done = cli("enable", *words)
    assert (done.exit_code, done.stdout) == (0, "")
    now = contents(home)
    assert len(now) > len(before)
    assert str(home) in done.stderr
    again = cli("enable", *words)
    assert "enabled already" in again.stderr
    assert contents(home) == now
    assert cli("disable").stderr.startswith(f"removed {home}")
    assert contents(home) == before
    assert cli("disable").stderr == "nothing was enabled\n"


def test_a_profile_is_named(cli, home):
    """Another profile is enabled and disabled alone; one that is missing is told of with those that there are."""
    done = cli("enable", "--profile", "work")
    assert done.exit_code == 2
    assert "ipython profile create work" in done.stderr
    (home / "ipython/profile_work").mkdir(parents=True)
    assert cli("enable", "--profile", "work").exit_code == cli("enable").exit_code == 0
    cli("disable", "--profile", "work")
    assert (home / STARTUP).is_file()
    assert not (home / "ipython/profile_work/startup").exists()
    assert cli("disable", "--profile", "work").stderr == "nothing was enabled in the profile work\n"


@pytest.mark.parametrize(
    "words",
    [
        ["enable", "--kernelspec", "--profile", "x"],
        ["enable", "--user"],
        ["enable", "--kernelspec", "--user", "--sys-prefix"],
        ["disable", "--kernelspec", "--profile", "x"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_said(cli, home, words):
    """Options that exclude each other are wrong usage, and nothing is written."""
    assert cli(*words).exit_code == 2
    assert contents(home) == {}


def test_files_of_others_stay(cli, home):
    """A startup file or a kernel of that name that somebody else wrote is neither replaced nor removed."""
    kernel = home / ".local/share/jupyter/kernels/elastictm/kernel.json"
    for path in (home / STARTUP, kernel):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    before = contents(home)
    assert cli("enable").exit_code == cli("enable", "--kernelspec", "--user").exit_code == 2
    assert cli("disable").stderr == "nothing was enabled\n"
    assert contents(home) == before


def test_the_kernel_is_in_the_list(cli, tmp_path, monkeypatch):
    """Jupyter finds the kernel under its name, for this Python; in an environment it goes there by itself."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert cli("enable", "--kernelspec").exit_code == 0
    folder = tmp_path / "share/jupyter/kernels"
    spec = KernelSpecManager(kernel_dirs=[str(folder)]).get_kernel_spec("elastictm")
    assert spec.display_name == "Python 3 (elastictm)"
    assert spec.argv[0] == sys.executable
    cli("disable")
    assert contents(tmp_path) == {}


def test_a_terminal_is_recorded_and_says_what_is_left(cli, home, tmp_path):
    """With no typing a session keeps its past; the next one in the folder says so at its start, scripts do not."""
    cli("enable")
    first = ipython("x = 41\nsorted(k for k in globals() if 'tm' in k.lower() or k == 'error')\n%past\n", cwd=tmp_path)
    assert "Out[2]: []" in first
    assert "x = 41" in first.split("In [3]")[1]
    then = ipython("%past recover\nx + 1\n", cwd=tmp_path)
    assert then.startswith("elastictm: the past of a session that began on")
    assert "%past recover" in then.splitlines()[0]
    assert ": 42" in then
    assert ipython("", "-c", "print(7)", cwd=tmp_path) == "7\n"


def test_a_shell_starts_without_what_it_cannot_load(cli, home, tmp_path, monkeypatch):
    """Where elastictm is broken or gone, IPython starts all the same, and says so in one line."""
    cli("enable")
    broken = tmp_path / "broken/elastictm"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    (broken / "enabled.py").write_text("import no_such_library")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    shown = ipython("1 + 1\n", cwd=tmp_path)
    assert "elastictm: this session is not recorded: ModuleNotFoundError: No module named 'no_such_library'\n" in shown
    assert "Traceback" not in shown
    assert "Out[1]: 2" in shown
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/half{os.pathsep}{os.environ['PYTHONPATH']}")
    late = tmp_path / "half/elastictm"
    late.mkdir(parents=True)
    for path in (Path(__file__).parents[2] / "elastictm").iterdir():
        if path.name != "extension.py":
            (late / path.name).symlink_to(path)
    (late / "extension.py").write_text("import no_such_library")
    shown = ipython("1 + 1\n", cwd=tmp_path)
    assert shown.count("elastictm: this session is not recorded: ModuleNotFoundError") == 1
    assert "Traceback" not in shown
    assert "Out[1]: 2" in shown


@contextmanager
def kernel(folder):
    """A kernel of the installed kernelspec, as a server starts it for a notebook, and what runs cells in it."""
    manager = KernelManager(kernel_name="elastictm")
    manager.start_kernel(
        cwd=folder, env=os.environ | {"JPY_SESSION_NAME": f"{folder}/work.ipynb"}, stderr=subprocess.DEVNULL
    )
    client = manager.client()
    client.start_channels()

    def run(code, **options):
        shown = []

        def hook(message):
            content = message["content"]
            shown.append(
                content.get("text") or content.get("data", {}).get("text/plain") or content.get("evalue") or ""
            )

        client.execute_interactive(code, output_hook=hook, timeout=60, **options)
        return "".join(shown)

    try:
        client.wait_for_ready(timeout=60)
        yield manager, client, run
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel()
        manager.cleanup_resources()


@pytest.mark.kernel
def test_a_restart_keeps_the_state_and_says_so_once(cli, home, tmp_path):
    """A new kernel of the notebook tells with the first cell that is run how to get it back, and that works."""
    cli("enable", "--kernelspec", "--user")
    with kernel(str(tmp_path)) as (manager, client, run):
        assert run("x = list(range(300_000))") == ""
        manager.restart_kernel()
        client.wait_for_ready(timeout=60)
        told = run("y = 1")
        assert told.startswith("elastictm: the past of a session of work.ipynb that began on")
        assert told.count("\n") == 1
        assert run("y") == "1"
        run("%past recover")
        assert run("len(x)") == "300000"
        run("z = 2")
    with kernel(str(tmp_path)) as (manager, _, run):
        # The session that was recovered went on, so it is the latest; nobody is told who cannot answer.
        assert run("w = 1", allow_stdin=False) == ""
        run("%past recover")
        assert run("len(x), z") == "(300000, 2)"
        manager.provisioner.process.terminate()
        manager.provisioner.process.wait(30)
    with kernel(str(tmp_path)) as (_, _, run):
        assert "stored" in run("%past recover")
        assert run("len(x), z") == "(300000, 2)"


@pytest.mark.kernel
def test_nbclient_runs_a_notebook_as_ever(cli, home, tmp_path, monkeypatch):
    """Outputs are those of the cells alone, though the session is recorded, and an earlier one of the folder too."""
    monkeypatch.chdir(tmp_path)
    cli("enable", "--kernelspec", "--user")
    for cell in ("1 / 0", "%past vars 1 x"):
        document = nb.new_notebook(cells=[nb.new_code_cell("x = 41"), nb.new_code_cell(cell)])
        NotebookClient(document, kernel_name="elastictm", allow_errors=True).execute(cwd=str(tmp_path))
        assert document.cells[0].outputs == []
    assert document.cells[1].outputs[0].data["text/plain"] == "41"
    assert json.loads(cli("sessions", "--json").stdout)["sessions"][1]["directory"] == str(tmp_path)


@pytest.mark.kernel
def test_enabled_kernels_run_notebooks_as_others_do(cli, run, notebook, tmp_path):
    """Where every session is recorded, elastictm run records once, from the first cell, and announces nothing."""
    cli("enable")
    ipython("x = 1\n", cwd=tmp_path)
    told = json.loads(run("run", notebook("x = 1", "x"), "--save", tmp_path / "a.tm", "--json", cwd=tmp_path).stdout)
    assert [variable["name"] for variable in told["variables"]] == ["x"]
    done = run("restore", tmp_path / "a.tm", "-c", "print(x)", cwd=tmp_path)
    assert done.stdout == "1\n"
    assert "the past of a session" not in done.stderr
