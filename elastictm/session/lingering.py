"""Threads and tasks that cells leave behind: while one lives, it may change what it can reach."""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elastictm.ids import Name, RunNumber

_OF_LIBRARIES: Final = frozenset(
    {
        ("tqdm._monitor", "TMonitor"),
        ("IPython.core.history", "HistorySavingThread"),
        ("zmq.utils.garbage", "GarbageCollectorThread"),
    }
)
"""Classes of threads that run code of their own alone, over what no variable holds and over what is never stored.

The last of them is there once a kernel has sent a large output, a figure say.
"""

OWN_THREADS: Final = "elastictm-"
"""How the names of this program's own threads begin, which change no variable."""


class Lingering:
    """Follows threads and tasks from the cell that started them to their end, without keeping them alive."""

    def __init__(self) -> None:
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()
        self._followed: list[tuple[weakref.ref[Any], frozenset[Name], RunNumber]] = []

    def before(self) -> None:
        """A cell is about to run: what runs beside it now was not started by it."""
        self._known = weakref.WeakSet(_running())

    def names(self) -> frozenset[Name]:
        """The names that what was left running could reach since the last cell run ended."""
        return frozenset().union(*(names for _, names, _ in self._followed))

    def threads(self) -> Iterator[tuple[RunNumber, threading.Thread]]:
        """The threads that still run, each with the cell run that left it running."""
        for reference, _, n in self._followed:
            runner = reference()
            if isinstance(runner, threading.Thread) and runner.is_alive():
                yield n, runner

    def after(self, names: frozenset[Name], n: RunNumber) -> None:
        """Cell run ``n`` has ended: what it left running may change these names; what has ended changes no more."""
        self._followed = [entry for entry in self._followed if _is_running(entry[0]())]
        followed = {id(reference()) for reference, _, _ in self._followed}
        for runner in _running():
            if runner not in self._known and id(runner) not in followed:
                self._followed.append((weakref.ref(runner), names, n))


def _running() -> Iterable[Any]:
    return [*(thread for thread in threading.enumerate() if not _is_harmless(thread)), *_tasks()]


def _is_harmless(thread: threading.Thread) -> bool:
    kind = type(thread)
    return thread.name.startswith(OWN_THREADS) or (kind.__module__, kind.__qualname__) in _OF_LIBRARIES


def _tasks() -> Iterable[Any]:
    try:
        return asyncio.all_tasks(asyncio.get_running_loop())
    except RuntimeError:
        # Between cells no loop runs; tasks wait in a set of weak references until the next cell that awaits.
        waiting = getattr(asyncio.tasks, "_scheduled_tasks", getattr(asyncio.tasks, "_all_tasks", ()))
        return [task for task in tuple(waiting) if not task.done()]


def _is_running(runner: Any) -> bool:
    if runner is None:
        return False
    return runner.is_alive() if isinstance(runner, threading.Thread) else not runner.done()
