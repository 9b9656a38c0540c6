"""A fresh Python process beside the session, with its import path and a home of its own, for what may go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LAUNCH: Final = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main(sys.argv[2])"
_OWN_FOLDERS: Final = ("XDG_", "IPYTHON", "JUPYTER", "MPLCONFIG")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, None where its time was over, and the last of what it printed."""

    status: int | None
    printed: str


def run_module(module: str, folder: Path, argument: str, seconds: float) -> Ended:
    """Run ``main(argument)`` of a module in a process whose home and working directory are in a folder.

    Raises:
        OSError: no process could be started.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    log = folder / "printed"
    path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - an empty entry is the working directory
    command = [sys.executable, "-c", _LAUNCH.format(module=module), json.dumps(path), argument]
    with log.open("w") as output:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                command,
                cwd=home,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=max(seconds, 0.0),
                check=False,
            )
            status: int | None = done.returncode
        except subprocess.TimeoutExpired:
            status = None
    return Ended(status, log.read_text(errors="replace")[-2000:])


def _environment(home: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_FOLDERS)}
    return own | {
        "HOME": str(home),
        "MPLBACKEND": "agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
