"""The tutorials and how-tos run from top to bottom, and print what stands on them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs" / "tutorial").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md"), ROOT / "README.md"]
)
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

KERNEL = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.history import HistoryManager

HistoryManager.enabled = False
shell = InteractiveShell.instance(colors="nocolor")
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        done = shell.run_cell(json.loads(line), store_history=True)
    print(json.dumps([done.success, out.getvalue()]), flush=True)
"""


class Session:
    """A shell in a process of its own that runs the cells of a page."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.process = subprocess.Popen(
            [sys.executable, "-c", KERNEL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=environment,
            text=True,
        )

    def cell(self, source):
        """Whether a cell ended well, and what it printed."""
        self.process.stdin.write(json.dumps(source) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def command(self, line):
        """What a command of the shell printed."""
        program, *words = shlex.split(line, comments=True)
        assert program == "elastictm", line
        done = subprocess.run(
            [sys.executable, "-m", "elastictm_cli", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture
def session(tmp_path):
    """A session in an empty folder, with an empty home."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    paths = os.pathsep.join(filter(None, (str(ROOT), str(ROOT / "typings"), *sys.path)))
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "IPYTHON", "JUPYTER_", "JPY_"))
    }
    found = Session(
        folder,
        environment | {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": paths, "COLUMNS": "160"},
    )
    yield found
    found.close()


def fits(shown, printed):
    """Whether what was printed is what is shown: how wide columns are does not count.

    A line of ``…`` stands for any lines, ``…`` within one for any text.
    """
    shown, printed = (re.sub(" {2,}", "  ", text) for text in (shown, printed))
    pattern = ""
    for line in shown.rstrip().splitlines():
        text = "[^\\n]*".join(map(re.escape, line.rstrip().split("…")))
        pattern += r"(?:[^\n]*\n)*?" if line.strip() == "…" else text + r" *\n"
    return re.fullmatch(pattern, printed.rstrip() + "\n") is not None


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text()], ids=lambda page: page.name
)
def test_a_page_does_what_it_says(page, session):
    """Each cell runs, each command ends with 0, and what stands below them is what they print."""
    printed = ""
    for kind, options, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "python" and "norun" not in options:
            well, printed = session.cell(body)
            assert well == ("raises-exception" not in options), f"{body}\n{printed}"
        elif kind == "text" and "norun" not in options:
            assert fits(body, printed), f"shown:\n{body}\nprinted:\n{printed}"
        elif kind == "console" and "norun" not in options:
            for command, shown in re.findall(r"^\$ ([^\n]*)\n((?:(?!\$ ).*\n?)*)", body, re.MULTILINE):
                output = session.command(command)
                assert fits(shown, output) or not shown.strip(), f"$ {command}\nshown:\n{shown}\nprinted:\n{output}"
