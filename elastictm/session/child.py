"""A fresh Python process beside the session, with its import path and a home of its own, for what may go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LAUNCH: Final = (
    "import json, sys; given, own = json.loads(sys.argv[1]); sys.path[:] = given or [*sys.path, own]; "
    "from {module} import main; main(sys.argv[2])"
)
_LEAST_STEP: Final = 0.001
_MOST_STEP: Final = 0.02
_OWN_FOLDERS: Final = ("XDG_", "IPYTHON", "JUPYTER", "MPLCONFIG")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, None where its time was over, and the last of what it printed."""

    status: int | None
    printed: str


def run_module(  # noqa: PLR0913 - what a process needs to know
    module: str,
    folder: Path,
    argument: str,
    seconds: float | None,
    *,
    path: Iterable[str] | None = None,
    hash_seed: str | None = None,
) -> Ended:
    """Run ``main(argument)`` of a module in a process whose home and working directory are in a folder.

    Args:
        module: The module of elastictm's.
        folder: A folder that the process has to itself.
        argument: What the module's main function is given.
        seconds: How long it may take; None for as long as it likes.
        path: The import path; this process's if it is None, the one that Python begins with if it is empty.
        hash_seed: What fixes the hashes of texts; drawn if it is None and the environment does not say.

    Raises:
        OSError: no process could be started.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    log = folder / "printed"
    # An empty entry is the working directory.
    paths = [os.path.abspath(entry) for entry in (sys.path if path is None else path)]  # noqa: PTH100
    own = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", _LAUNCH.format(module=module), json.dumps([paths, own]), argument]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            command,
            cwd=home,
            env=_environment(home, hash_seed),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        status = _ended(process, seconds)
    return Ended(status, log.read_text(errors="replace")[-2000:])


def _ended(process: subprocess.Popen[bytes], seconds: float | None) -> int | None:
    """How a process ends, None where its time is over; it does not outlive who waits for it.

    Waiting in small steps hears an interrupt at once, where ``subprocess.run`` would give the process time to hear it.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    step = _LEAST_STEP
    try:
        while process.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                return None
            time.sleep(step)
            step = min(step * 2, _MOST_STEP)
        return process.returncode
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _environment(home: Path, hash_seed: str | None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_FOLDERS)}
    if hash_seed is not None:
        own["PYTHONHASHSEED"] = hash_seed
    return own | {
        "HOME": str(home),
        "MPLBACKEND": "agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
