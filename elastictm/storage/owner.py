"""Who may write to a folder: one process, as long as it lives."""

from __future__ import annotations

import errno
import fcntl
import os
import weakref
from typing import TYPE_CHECKING

from elastictm.errors import StoreInUse

if TYPE_CHECKING:
    from pathlib import Path

_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})

LOCK = "lock"
"""Name of the file in a session's folder."""


class Ownership:
    """A lock on a file that the system frees when the process that took it ends, however it ends.

    Children do not have it: programs do not inherit the file, and forks close it.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock; StoreInUse where another process has it, OSError where the system refuses."""
        self._pid = os.getpid()
        # Read only: numbers of descriptors in code that runs again may be meant for another file.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            if error.errno in _TAKEN:
                raise StoreInUse(f"{path.parent} is recorded by another process.") from error
            raise
        own = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _released(own))

    @property
    def held(self) -> bool:
        """Whether this process has the lock."""
        return self._descriptor >= 0 and self._pid == os.getpid()

    def release(self) -> None:
        """Let go of the lock."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def is_owned(path: Path) -> bool:
    """Whether a process has the lock on this file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _TAKEN
    finally:
        os.close(descriptor)
    return False


def _released(own: weakref.ref[Ownership]) -> None:
    ownership = own()
    if ownership is not None:
        ownership.release()
