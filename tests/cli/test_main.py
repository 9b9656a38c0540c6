"""The command line as a whole: help, version, names, errors."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from elastictm_cli import main

from elastictm import errors

HEAVY = ("IPython", "scipy", "numpy", "networkx", "jupyter_client", "nbclient", "nbformat", "rich.console", "msgspec")


def every_error(kind=errors.ElasticTMError):
    """The whole exception tree."""
    return [kind, *(found for child in kind.__subclasses__() for found in every_error(child))]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["restore", "-h"], ["--version"], []], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    """Help and the version come without IPython, scipy and the like."""
    spy = (
        "import sys\nfrom elastictm_cli.main import main\nsys.argv = ['elastictm', *sys.argv[1:]]\n"
        f"try: main()\nfinally: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", spy, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "[]"


def test_help_comes_at_once():
    """The fastest of five is below 0.4 seconds, the interpreter's start included."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "elastictm_cli", "--help"], capture_output=True, timeout=60, check=True)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.4


PROGRAMS = [("/x/jupyter-elastictm", "jupyter elastictm"), ("/x/elastictm", "elastictm")]


@pytest.mark.parametrize(("program", "name"), PROGRAMS)
def test_both_names_show_in_the_usage(monkeypatch, capsys, program, name):
    """The usage begins with what the user typed."""
    monkeypatch.setattr(sys, "argv", [program, "--help"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: {name} ")


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_each_error_becomes_one_line_and_its_status(cli, monkeypatch, archive, kind):
    """No error of elastictm's shows a traceback; its class decides the status."""

    def fail(_):
        raise kind("what happened:\n  and what to do")

    monkeypatch.setattr("elastictm_cli.inspection.read_archive", fail)
    done = cli("inspect", archive)
    assert (done.exit_code, done.stdout) == (kind.exit_code, "")
    if kind is not errors.CellFailed:
        page = f" (see {kind.page})" if kind.page else ""
        assert done.stderr == f"elastictm: what happened: and what to do{page}\n"
    else:
        assert done.stderr == "elastictm: what happened:\n  and what to do\n"


def test_the_version_is_told(cli):
    """One line with the program's name."""
    done = cli("--version")
    assert done.exit_code == 0
    assert done.stdout.startswith("elastictm")


def test_output_survives_a_poor_encoding(archive):
    """Marks that an encoding lacks are spelled out instead of stopping the command."""
    line = [sys.executable, "-m", "elastictm_cli", "graph", str(archive)]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(line, capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert rb"\u2713" in done.stdout
