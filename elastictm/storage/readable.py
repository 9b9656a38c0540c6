"""What an archive is to those who read one: a manifest, and the bytes of its blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from elastictm.storage.manifest import Blob, Manifest


class Readable(Protocol):
    """An archive, be it a file of its own or a state of a store."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What it holds."""
        ...

    def raw(self, blob: Blob) -> bool:
        """Whether a blob lies there as it is, and need not be decompressed, as far as some of its chunks tell."""
        ...

    def read(self, blob: Blob) -> memoryview:
        """A blob's bytes, in writable memory of the caller's own.

        Raises:
            ArchiveError: they are not those that were written.
        """
        ...
