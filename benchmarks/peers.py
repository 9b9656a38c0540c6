"""Other tools that keep states of a session, each run in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import Any

PRELUDE = """
import json, os, statistics, sys, time
folder = sys.argv[1]
os.environ["KISHU_PATH_ROOT"] = os.environ["HOME"] = folder
# Kishu asks a notebook server which notebook it is in, but for this.
os.environ["TEST_NOTEBOOK_PATH"] = f"{folder}/peer.ipynb"
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def run(cell):
    started = time.perf_counter()
    shell.run_cell(cell, store_history=True)
    return time.perf_counter() - started
def begin_kishu():
    import nbformat
    nbformat.write(nbformat.v4.new_notebook(), f"{folder}/peer.ipynb")
    shell.register_magic_function(lambda line: None, "line", "autosave")
    run(f"from kishu import init_kishu; init_kishu('{folder}/peer.ipynb')")
    run("pass")
    assert os.path.exists(f"{folder}/peer.kishudb") and "_kishu" in shell.user_ns
def size():
    return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(folder) for name in names)
"""
"""What a peer's process begins with; its first argument is a folder of its own."""


def answer(python: str, script: str, *words: str) -> dict[str, Any] | None:
    """What a script prints as JSON in its last line, run by another Python; None where it does not get through."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-c", PRELUDE + script, folder, *words], capture_output=True, text=True, check=False
        )
    if done.returncode:
        print(done.stderr[-2000:])
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
