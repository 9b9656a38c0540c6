"""What a cell has left running, and what ends with the process that it ran in."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil

from elastictm.session.lingering import OWN_THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

_POOLS: Final = ("concurrent.futures", "loky", "joblib", "multiprocessing")
"""Whose threads and processes wait for work: those who have work in them are waited for by whoever gave it."""

_LONGEST: Final = 60


def remains() -> Iterator[str]:
    """The threads that nobody said may be left, and the processes below this one, in words."""
    for thread in threading.enumerate():
        from_where = (type(thread).__module__, getattr(getattr(thread, "_target", None), "__module__", "") or "")
        own = thread is threading.main_thread() or thread.name.startswith((OWN_THREADS, "elastictm"))
        if not (own or thread.daemon or any(module.startswith(_POOLS) for module in from_where)):
            yield f"the thread {thread.name}"
    for process in psutil.Process().children(recursive=True) if _has_children() else ():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if process.status() != psutil.STATUS_ZOMBIE and not any(pool in line for pool in _POOLS):
                yield f"the process {process.pid} ({line[:_LONGEST] or process.name()})"


def _has_children() -> bool:
    """Whether there is any process to look for: looking goes through all of the machine's."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
