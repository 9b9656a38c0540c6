"""What the store of a session lends to an archive: chunks that are compressed already, found by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elastictm.errors import ArchiveError
from elastictm.storage.cutting import cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.catalogue import Catalogue
    from elastictm.storage.chunks import Prepared
    from elastictm.storage.store_reader import StoreReader

_WORTH_CUTTING = 2
"""Data is cut as in the store where that has at least one byte in this many of it."""


class Lender:
    """Chunks of one store for who writes an archive beside it, as a context manager.

    Content is looked up as it is now, so what changed since it was stored is not found.
    """

    def __init__(self, reader: StoreReader, catalogue: Catalogue) -> None:
        self._reader = reader
        self._catalogue = catalogue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def pieces(self, data: memoryview, *, flowing: bool) -> list[tuple[memoryview, bytes | None]]:
        """Data cut as the store cuts it, each piece with its digest where the store has it; empty if it has little."""
        found = [(piece, self._catalogue.quick(self._catalogue.key(piece))) for piece in cut(data, flowing=flowing)]
        known = sum(piece.nbytes for piece, digest in found if digest is not None)
        return found if known * _WORTH_CUTTING >= data.nbytes else []

    def stored(self, pieces: Sequence[tuple[memoryview, bytes | None]]) -> int:
        """The bytes that pieces take where those that the store has compressed are taken from there."""
        return sum(piece.nbytes if digest is None else self._size(digest, piece.nbytes) for piece, digest in pieces)

    def _size(self, digest: bytes, size: int) -> int:
        try:
            return self._reader.piece(digest).chunk.stored
        except ArchiveError:  # damaged, or merged meanwhile
            return size

    def compressed(self, digest: bytes) -> Prepared | None:
        """The chunk with this digest as the store has it compressed; None where that is not so, or not sound."""
        try:
            piece = self._reader.piece(digest)
            if piece.chunk.codec == "raw":
                return None
            return piece.copy()
        except ArchiveError:  # what is damaged, or was merged meanwhile, is compressed anew
            return None
