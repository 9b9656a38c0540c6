"""A plain IPython shell in this process, to time cells with and without recording."""

from __future__ import annotations

import contextlib
import gc
import io
import statistics
import time
from typing import Any


def plain_shell() -> Any:
    """A shell that writes no history file."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    return InteractiveShell.instance()


def run(shell: Any, cell: str) -> float:
    """Seconds that one cell takes, hooks included; AssertionError if it raises."""
    with contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        result = shell.run_cell(cell, store_history=True)
        seconds = time.perf_counter() - started
    assert result.success, result.error_before_exec or result.error_in_exec
    return seconds


def median(shell: Any, cell: str, times: int = 9) -> float:
    """The median of the seconds that a cell takes."""
    gc.collect()
    return statistics.median(run(shell, cell) for _ in range(times))


def record(shell: Any, *, floor: float) -> Any:
    """Switch recording on, with so many seconds for a look at any cell, and return the session."""
    run(shell, "%load_ext elastictm")
    from elastictm.extension import find

    settings = find(shell)
    assert settings is not None
    settings.recording_floor = floor
    run(shell, "pass")
    return settings.session
