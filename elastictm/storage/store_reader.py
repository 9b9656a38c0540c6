"""Reading the packs of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.manifest import Blob
    from elastictm.storage.pack import Pack


class StoreReader:
    """An open store."""

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Close files; what was read stays valid."""
        raise NotImplementedError

    def packs(self) -> Iterator[tuple[int, Pack]]:
        """Each pack with its sequence number."""
        raise NotImplementedError

    def pack(self, sequence: int) -> Pack:
        """One pack; ArchiveError where it cannot be read."""
        raise NotImplementedError

    def read(self, sequence: int, blob: Blob) -> memoryview:
        """A blob of this pack, in writable memory of the caller's own."""
        raise NotImplementedError
