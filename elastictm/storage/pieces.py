"""Reading blobs from the chunks that hold them, each of which is checked before anyone gets its bytes."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged
from elastictm.storage.assembly import Run, assemble, can_assemble
from elastictm.storage.chunks import GATHERED, Prepared
from elastictm.storage.codec import decompress
from elastictm.storage.digest import digest_of
from elastictm.storage.layout import PAGE
from elastictm.storage.overlap import overlapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from elastictm.storage.manifest import Chunk
    from elastictm.storage.source import Source

_KEPT_CHUNKS = 8
"""Shared chunks whose content is kept for the next small blob: at most 8 MiB."""


class Memory(bytearray):
    """Memory that no user has made, which its type tells from what users make."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk in a file, of which messages speak as chunk ``index``."""

    source: Source
    chunk: Chunk
    index: int

    @property
    def place(self) -> tuple[Source, int]:
        """What tells this piece from all others."""
        return self.source, self.chunk.offset

    def content(self) -> bytes:
        """The chunk's content; ArchiveDamaged where it is not what was written."""
        chunk = self.chunk
        content = self.source.read(chunk.offset, chunk.stored)
        if chunk.codec == "zstd":
            self._check_digest(content, str(chunk.seal))
            try:
                content = decompress(content, chunk.size)
            except ValueError as error:
                raise ArchiveDamaged(f"{self.source.name} is damaged at byte {chunk.offset}: {error}.") from error
        self._check_digest(content, chunk.digest)
        return content

    def copy(self) -> Prepared:
        """The chunk as it can be put into another file; ArchiveDamaged where it is not what was written."""
        chunk = self.chunk
        seal = None if chunk.seal is None else bytes.fromhex(chunk.seal)
        return Prepared(chunk.size, bytes.fromhex(chunk.digest), self.payload(), chunk.codec, seal)

    @property
    def aligned(self) -> bool:
        """Whether it begins at a page, so that it can be mapped with others."""
        return self.chunk.size >= PAGE and self.chunk.offset % PAGE == 0

    def payload(self) -> bytes:
        """The bytes that are stored; ArchiveDamaged where they are not those that were written."""
        content = self.source.read(self.chunk.offset, self.chunk.stored)
        self._check_digest(content, self.chunk.seal or self.chunk.digest)
        return content

    def _check_digest(self, data: bytes, expected: str) -> None:
        found = digest_of(data).hex()
        if found != expected:
            raise ArchiveDamaged(
                f"{self.source.name} is damaged: chunk {self.index}, bytes {self.chunk.offset} to "
                f"{self.chunk.offset + self.chunk.stored}, has the digest {found}, expected {expected}."
            )


class PieceReader:
    """Reads blobs from pieces, mapped where that is possible.

    Responsibilities:
    - check each piece once before it is mapped, and each time that it is copied;
    - keep the content of a few pieces that small blobs share.
    """

    def __init__(self) -> None:
        self._sound: set[tuple[Source, int]] = set()
        self._kept: OrderedDict[tuple[Source, int], bytes] = OrderedDict()

    def clear(self) -> None:
        """Forget all that was kept."""
        self._sound.clear()
        self._kept.clear()

    def read(self, pieces: Sequence[Piece], start: int, size: int) -> memoryview:
        """The bytes ``[start, start + size)`` of the pieces' contents, in writable memory of the caller's own.

        If there is at least a mebibyte of them, in raw chunks that follow each other or meet at pages, they are mapped
        copy-on-write.
        """
        return self._mapped(pieces, start, size) or self._copied(pieces, start, size)

    def check_all(self, pieces: Sequence[Piece], tell: Callable[[int], None] | None = None) -> None:
        """Check pieces by reading them; ``tell`` is called with the stored size of each."""
        with contextlib.closing(overlapped(_check, pieces)) as checked:
            for stored in checked:
                if tell is not None:
                    tell(stored)

    def _mapped(self, pieces: Sequence[Piece], start: int, size: int) -> memoryview | None:
        if size < GATHERED or any(piece.chunk.codec != "raw" for piece in pieces):
            return None
        runs = _runs(pieces, start, size)
        if len(runs) > 1 and not can_assemble(runs):
            return None
        # Checked by reading, not through the mapping: a failing disk then raises an error instead of a signal.
        self.check_all([piece for piece in pieces if piece.place not in self._sound])
        self._sound.update(piece.place for piece in pieces)
        if (memory := assemble(runs)) is not None:
            return memory
        return runs[0].source.map(runs[0].offset, size) if len(runs) == 1 else None

    def _copied(self, pieces: Sequence[Piece], start: int, size: int) -> memoryview:
        # Grows with content that was checked: a claimed size alone never takes memory.
        copy = Memory()
        if len(pieces) == 1:
            content = self._shared(pieces[0]) if size < GATHERED else pieces[0].content()
            copy += memoryview(content)[start : start + size]
            return memoryview(copy)
        with contextlib.closing(overlapped(Piece.content, pieces)) as contents:
            for content in contents:
                copy += memoryview(content)[start : start + size - len(copy)]
                start = 0
        return memoryview(copy)

    def _shared(self, piece: Piece) -> bytes:
        if piece.place in self._kept:
            self._kept.move_to_end(piece.place)
            return self._kept[piece.place]
        content = piece.content()
        if len(content) <= GATHERED:
            self._kept[piece.place] = content
        if len(self._kept) > _KEPT_CHUNKS:
            self._kept.popitem(last=False)
        return content


def _runs(pieces: Iterable[Piece], start: int, size: int) -> list[Run]:
    """What of the files holds the bytes ``[start, start + size)`` of raw pieces, in as few runs as possible."""
    runs: list[Run] = []
    for piece in pieces:
        length = min(piece.chunk.size - start, size)
        offset = piece.chunk.offset + start
        start, size = 0, size - length
        last = runs[-1] if runs else None
        if last is not None and last.source is piece.source and last.offset + last.size == offset:
            runs[-1] = Run(last.source, last.offset, last.size + length)
        else:
            runs.append(Run(piece.source, offset, length))
    return runs


def _check(piece: Piece) -> int:
    piece.content()  # dropped here, so that the thread's next chunk takes the same memory
    return piece.chunk.stored
