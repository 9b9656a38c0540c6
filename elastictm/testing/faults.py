"""Faults on purpose: files that fail at the n-th operation, and bytes that flip."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.storage.files import Files, LocalFiles

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

OPERATIONS = frozenset({"create", "write", "sync", "close", "replace", "sync_folder"})
"""The operations that `FaultyFiles` can make fail; removing always works, so that leaks are the writer's own."""


@dataclass(slots=True)
class FaultyFiles:
    """Files that work until the ``fail_at``-th counted operation, which raises; 0 never fails.

    A failing write leaves half of its data in the file, as a full disk does.
    A failing close does close the file, as the system does.

    Attributes:
        fail_at: Which operation fails, counted from 1.
        error: The ``errno`` to raise as OSError, or any exception, such as KeyboardInterrupt.
        operations: Which operations are counted.
        inner: What does the work.
        calls: The operations that were counted so far, in order.
    """

    fail_at: int = 0
    error: int | BaseException = errno.ENOSPC
    operations: AbstractSet[str] = OPERATIONS
    inner: Files = field(default_factory=LocalFiles)
    calls: list[str] = field(default_factory=list)

    def create(self, path: Path) -> int:
        """Create a file, or fail before it is there."""
        self._count("create")
        return self.inner.create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        """Append the data, or half of it and fail."""
        if self._fails_next("write"):
            self.inner.write(descriptor, data[: len(data) // 2])
        self._count("write")
        self.inner.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Sync the file, or fail."""
        self._count("sync")
        self.inner.sync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close the file, then perhaps fail."""
        try:
            self._count("close")
        finally:
            self.inner.close(descriptor)

    def replace(self, temporary: Path, final: Path) -> None:
        """Give the file its final name, or fail."""
        self._count("replace")
        self.inner.replace(temporary, final)

    def sync_folder(self, folder: Path) -> None:
        """Sync the folder, or fail."""
        self._count("sync_folder")
        self.inner.sync_folder(folder)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        self.inner.remove(path)

    def _fails_next(self, operation: str) -> bool:
        return operation in self.operations and len(self.calls) + 1 == self.fail_at

    def _count(self, operation: str) -> None:
        fails = self._fails_next(operation)
        if operation in self.operations:
            self.calls.append(operation)
        if fails:
            raise OSError(self.error, os.strerror(self.error)) if isinstance(self.error, int) else self.error


def flip_byte(path: str | os.PathLike[str], offset: int, mask: int = 0xFF) -> None:
    """Change the byte at ``offset`` by exclusive or, so that it is never what it was; ``mask`` is not 0."""
    with Path(path).open("r+b") as file:
        file.seek(offset)
        value = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([value ^ mask]))
