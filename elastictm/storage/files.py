"""The few operations on files that writing an archive needs, so that faults can be injected by wrapping them."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PRIVATE = 0o600
_CANNOT_SYNC_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})


class Files(Protocol):
    """What the writer does to files; every method raises OSError where the system refuses."""

    def create(self, path: Path) -> int:
        """Create a file that only its owner can read, and return its descriptor."""
        ...

    def write(self, descriptor: int, data: bytes) -> None:
        """Append all of the data."""
        ...

    def sync(self, descriptor: int) -> None:
        """Wait until all that was written has reached the device."""
        ...

    def close(self, descriptor: int) -> None:
        """Close the file."""
        ...

    def replace(self, temporary: Path, final: Path) -> None:
        """Give the file its final name in one step, in place of what had that name."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Wait until a folder's names have reached the device."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file."""
        ...


def _heard(wait: Callable[[int], object], descriptor: int) -> None:
    """Wait for the device so that an interrupt is heard meanwhile, which the system itself does not let happen.

    Who was interrupted removes the file; what the device has begun goes on with a descriptor of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        wait(descriptor)
        return
    own = os.dup(descriptor)
    over = threading.Event()
    failed: list[OSError] = []

    def work() -> None:
        try:
            wait(own)
        except OSError as error:
            failed.append(error)
        finally:
            os.close(own)
            over.set()

    try:
        threading.Thread(target=work, name="elastictm-sync", daemon=True).start()
    except RuntimeError:  # no more threads can start, as while the interpreter ends
        work()
    over.wait()
    if failed:
        raise failed[0]


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Files of this machine's own file systems."""

    def create(self, path: Path) -> int:
        """Create a file that only its owner can read, and return its descriptor."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE)

    def write(self, descriptor: int, data: bytes) -> None:
        """Append all of the data, in as many steps as the system takes."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        """Wait until all that was written has reached the device."""
        full = getattr(fcntl, "F_FULLFSYNC", None)  # on macOS, fsync leaves data in the drive's own cache
        if full is None:
            _heard(os.fsync, descriptor)
            return
        try:
            _heard(lambda file: fcntl.fcntl(file, full), descriptor)
        except OSError:  # file systems of other machines do not know it
            _heard(os.fsync, descriptor)

    def close(self, descriptor: int) -> None:
        """Close the file."""
        os.close(descriptor)

    def replace(self, temporary: Path, final: Path) -> None:
        """Give the file its final name in one step, in place of what had that name."""
        temporary.replace(final)

    def sync_folder(self, folder: Path) -> None:
        """Wait until a folder's names have reached the device, where the file system can do that."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC_FOLDERS:
                raise

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()
