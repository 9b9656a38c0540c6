"""Telling somebody else that a future has ended."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress

from elastictm.session.lingering import OWN_THREADS


def run_aside(command: Sequence[str]) -> None:
    """Run a command of the user's beside the session; one that cannot be run is no matter of the session's."""
    threading.Thread(target=_run, args=(list(command),), name=f"{OWN_THREADS}notice", daemon=True).start()


def _run(command: list[str]) -> None:
    with suppress(OSError):
        subprocess.run(  # noqa: S603 - the user's own
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
