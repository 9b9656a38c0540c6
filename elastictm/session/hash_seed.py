"""The hash seed of a process: what PYTHONHASHSEED says, if it is true."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import Final

VARIABLE: Final = "PYTHONHASHSEED"
_PROBE: Final = "elastictm"
_SECONDS: Final = 20.0


def hash_seed() -> str | None:
    """The number that fixes the hashes of texts in this process, None where they are drawn anew each time."""
    claimed = os.environ.get(VARIABLE, "")
    if not claimed.isdecimal():
        return None
    return str(int(claimed)) if _is_true(str(int(claimed))) else None


@functools.cache
def _is_true(claimed: str) -> bool:
    """Whether another process that starts with this seed hashes as this one does.

    Programs often set the variable when they seed their generators, which is too late for the process that runs.
    """
    command = [sys.executable, "-S", "-c", f"print(hash({_PROBE!r}))"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, env=os.environ | {VARIABLE: claimed}, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == str(hash(_PROBE))
