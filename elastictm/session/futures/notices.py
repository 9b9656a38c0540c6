"""Telling somebody else that a future has ended."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress


def run_aside(command: Sequence[str]) -> None:
    """Run a command of the user's and wait for nothing; one that cannot be run is no matter of the session's."""
    with suppress(OSError):
        subprocess.Popen(  # noqa: S603 - the user's own
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
