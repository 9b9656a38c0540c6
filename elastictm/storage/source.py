"""An archive's file, opened for reading; whatever the system says against it becomes an ArchiveError."""

from __future__ import annotations

import mmap
import os
import stat
import sys
from io import FileIO
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveMissing, NotAnArchive

if TYPE_CHECKING:
    from os import PathLike

_MOST_TRACKED = 64
"""Mappings that may each hold a descriptor of the file open; a process often may have 1,024 or even 256 in all."""

_LARGE = 64 * 2**20
"""A mapping of this many bytes is worth a descriptor in any case."""


class Source:
    """A file of which any part can be read or mapped.

    Responsibilities:
    - give exactly the bytes asked for, or raise an ArchiveError;
    - map parts copy-on-write, within the descriptors that a process may have.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.name = os.fspath(path)
        self._file = _opened(self.name)
        self._mappings = 0

    @property
    def size(self) -> int:
        """The size of the file in bytes, as it is now."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def descriptor(self) -> int:
        """The open file's number."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the file; mappings stay."""
        self._file.close()

    def check_open(self) -> None:
        """Raise an ArchiveError once the source is closed."""
        if self._file.closed:
            raise ArchiveError(f"{self.name} was closed. Open it again to read from it.")

    def read(self, offset: int, size: int) -> bytes:
        """The bytes ``[offset, offset + size)``; the caller bounds ``size``."""
        self.check_open()
        parts = []
        while size:
            try:
                part = os.pread(self._file.fileno(), size, offset)
            except OSError as error:
                raise ArchiveDamaged(f"{self.name} cannot be read at byte {offset}: {error.strerror}.") from error
            if not part:
                raise ArchiveDamaged(f"{self.name} was cut short while in use: {size} bytes from {offset} are missing.")
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def map(self, offset: int, size: int) -> memoryview | None:
        """The bytes ``[offset, offset + size)`` as private, writable memory; None where reading is the better way.

        The memory outlives the source, and what is written to it does not reach the file.
        """
        ahead = offset % mmap.ALLOCATIONGRANULARITY
        start, length = offset - ahead, size + ahead
        try:
            if sys.version_info >= (3, 13):
                mapping = _Mapping(self._file.fileno(), length, access=mmap.ACCESS_COPY, offset=start, trackfd=False)
            elif self._mappings >= _MOST_TRACKED and size < _LARGE:
                return None
            else:
                mapping = _Mapping(self._file.fileno(), length, access=mmap.ACCESS_COPY, offset=start)
        except (OSError, ValueError):  # no more descriptors or address space, or a file system that cannot map
            return None
        self._mappings += 1
        return memoryview(mapping)[ahead:]


class _Mapping(mmap.mmap):
    """Mapped memory that no user has made, which its type tells from what users map."""


def _opened(name: str) -> FileIO:
    if "://" in name:
        raise ArchiveMissing(f"{name} is an address; only files of this machine can be opened. Copy it here first.")
    try:
        file = FileIO(name, opener=_open_at_once)
    except IsADirectoryError as error:
        raise NotAnArchive(f"{name} is a folder, expected an elastictm archive.") from error
    except FileNotFoundError as error:
        raise ArchiveMissing(f"There is no file {name}.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ArchiveMissing(f"{name} cannot be opened: {reason}.") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAnArchive(f"{name} is a device or pipe, expected an elastictm archive.")
    return file


def _open_at_once(name: str, flags: int) -> int:
    # A pipe would wait for its other end; to a file the flag means nothing.
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)
