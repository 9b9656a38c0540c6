"""Doubles of a process: each carries out one order, and what it changes is gone with it."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import time
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

_SYSTEM: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1
"""What prctl(2) calls the signal that comes when the parent ends."""

_IDLE: Final = 5.0
"""Seconds after which a stem ends that has nothing to do: what it has in memory is of no more use."""

_MOMENT: Final = 0.2
"""Seconds that threads may take to end."""

_TASKS: Final = Path("/proc/self/task")
_DESCRIPTORS: Final = Path("/proc/self/fd")


def by_double(work: Callable[[], None]) -> int:
    """Have a double of this process do something, wait, and give the status that it ended with.

    What it has started ends with it.
    """
    # A collection in the double would write to all that it has in common with this process.
    gc.freeze()
    parent, double = os.getpid(), os.fork()
    if not double:
        try:
            os.setpgid(0, 0)
            _end_with(parent)
            work()
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(double, 0)[1])
    with suppress(OSError):
        os.killpg(double, signal.SIGKILL)
    return status


class Stem:
    """A double that has what many runs have in common, and is doubled itself for each of them.

    Args:
        prepare: Has what they have in common; what it raises makes the stem useless.
        work: Carries out the order in such bytes, in a double.
        files: Folders whose files may stay open, as nothing is read from where others have read up to.
    """

    def __init__(self, prepare: Callable[[], None], work: Callable[[bytes], None], files: Iterable[str]) -> None:
        self._connection, theirs = Pipe()
        parent, self._pid = os.getpid(), os.fork()
        if not self._pid:
            self._connection.close()
            try:
                _end_with(parent)
                _serve(theirs, prepare, work, tuple(files))
            finally:
                os._exit(0)
        theirs.close()
        self.is_good = self._told() is True

    def carry_out(self, order: bytes) -> int | None:
        """Have an order carried out, and give the status that the double ended with; None where the stem is gone."""
        try:
            self._connection.send(order)
        except OSError:
            return None
        status = self._told()
        return None if status is None else int(status)

    def end(self) -> None:
        """End it."""
        self._connection.close()
        os.waitpid(self._pid, 0)

    def _told(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return None


def _serve(
    connection: Connection, prepare: Callable[[], None], work: Callable[[bytes], None], files: tuple[str, ...]
) -> None:
    tasks, descriptors = _tasks(), _open_files()
    prepare()
    connection.send(_can_be_doubled(tasks, descriptors, files))
    while connection.poll(_IDLE):
        order: bytes = connection.recv()
        connection.send(by_double(lambda order=order: work(order)))  # type: ignore[misc]


def _end_with(parent: int) -> None:
    """Have the system end this process once its parent has: a thread that looks for that would cost each run more."""
    _SYSTEM.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _can_be_doubled(tasks: int, descriptors: set[str], files: tuple[str, ...]) -> bool:
    """Whether nothing came that doubles would lack, as threads, or share, as the place in an open file."""
    until = time.monotonic() + _MOMENT
    while _tasks() > tasks:
        if time.monotonic() > until:
            return False
        time.sleep(_MOMENT / 100)
    return all(path.startswith(files) for path in _open_files() - descriptors)


def _tasks() -> int:
    return sum(1 for _ in _TASKS.iterdir())


def _open_files() -> set[str]:
    found: set[str] = set()
    for entry in _DESCRIPTORS.iterdir():
        with suppress(OSError):  # that of the folder itself
            found.add(str(entry.readlink()))
    return found
