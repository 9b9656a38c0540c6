"""The shell's tab key after ``elastictm``, in a real bash that has what ``--show-completion`` prints."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time

import pytest

from elastictm.session.ipython.shells import fresh_shell

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")


@pytest.fixture
def folder(tmp_path, archive, monkeypatch):
    """A folder with archives, notebooks and a folder in it, and the program on the path."""
    place = tmp_path / "place"
    (place / "only" / "one").mkdir(parents=True)
    archive.rename(place / "work.tm")
    for name in ("other.txt", "book.ipynb", "only/one/deep.tm"):
        (place / name).touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "elastictm"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m elastictm_cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return place


@pytest.fixture
def tab(folder, tmp_path):
    """What bash has for the last of some words."""
    script = tmp_path / "completion.sh"
    # Within another command, so that bash stays the parent that the program asks for.
    shown = subprocess.run(
        ["bash", "-c", "elastictm --show-completion; true"], cwd=folder, capture_output=True, text=True, check=False
    )
    script.write_text(shown.stdout)
    assert "complete -o default" in shown.stdout, shown.stderr

    def press(*words):
        typed = " ".join(map(shlex.quote, words))
        code = f"source {shlex.quote(str(script))}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        code += '_elastictm_completion elastictm; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.split()

    return press


def test_what_each_argument_takes_is_offered(tab):
    """Commands and options, archives with the folders on the way, notebooks, and the variables of an archive."""
    assert "restore" in tab("elastictm", "")
    assert tab("elastictm", "verify", "--rehe") == ["--rehearse"]
    assert tab("elastictm", "restore", "") == ["only/", "work.tm"]
    assert tab("elastictm", "diff", "work.tm", "w") == ["work.tm"]
    assert tab("elastictm", "restore", "on") == ["only/one/deep.tm"]
    assert tab("elastictm", "run", "b") == ["book.ipynb"]
    assert tab("elastictm", "graph", "work.tm", "") == ["data", "total", "lock"]
    assert tab("elastictm", "graph", "other.txt", "") == []


def test_sessions_states_and_tags_are_offered(tab, folder, cli, tmp_path, monkeypatch):
    """Those of the pasts that are here; nothing in them is run."""
    from IPython.core.interactiveshell import InteractiveShell

    from elastictm.extension import find, load

    monkeypatch.chdir(folder)
    InteractiveShell.clear_instance()
    main = sys.modules["__main__"]
    shell = fresh_shell()
    try:
        load(shell)
        for cell in ("x = [1]", "x.append(2)", "%past tag clean"):
            shell.run_cell(cell, store_history=True)
        name = find(shell).session.past.name
        find(shell).session.close()
        assert tab("elastictm", "past", name[:4]) == [name]
        assert tab("elastictm", "past", name, "") == ["clean", "2", "1", "0"]
        assert tab("elastictm", "past", name, "c") == ["clean"]
    finally:
        shell.run_cell("%unload_ext elastictm")
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = main


def test_help_stays_quick_and_plain(command):
    """Completion brings no library that help did without, and two lines into it."""
    started = time.perf_counter()
    done = command("--help")
    assert time.perf_counter() - started < 10
    assert "--install-completion" in done.stdout
    code = "import sys, elastictm_cli.main; print([m for m in ('IPython', 'rich', 'scipy', 'zstandard') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
