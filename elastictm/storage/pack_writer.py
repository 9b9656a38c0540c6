"""Writing a pack: what the store does not have yet, under the pack's final name, or nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from elastictm.storage.chunks import GATHERED, ChunkTable, Gatherer, flat, prepare_copy
from elastictm.storage.codec import worth_compressing
from elastictm.storage.cutting import cut
from elastictm.storage.layout import PAGE, pack_header, pack_trailer
from elastictm.storage.manifest import NOTHING, Blob
from elastictm.storage.overlap import MOST_THREADS, overlapped
from elastictm.storage.pack import Pack, PackChunk, encode
from elastictm.storage.pending import PendingFile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.catalogue import Catalogue
    from elastictm.storage.chunks import Prepared
    from elastictm.storage.files import Files
    from elastictm.storage.pieces import Piece
    from elastictm.storage.shelf import PackName

BANDWIDTH = 200e6
"""Bytes per second that decide on compression unless told: what compresses to less than a fifth is compressed."""

SMALL = 8 * 2**10
"""Blobs under this many bytes share chunks."""

USUAL = 64 * 2**10
"""Bytes in a shared chunk on average."""

MOST = 256 * 2**10
"""Most bytes in a shared chunk."""

_WORTH_THREADS = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Written:
    """A pack that was written: its sequence number, and how many bytes it takes."""

    sequence: int
    bytes: int


class PackFile:
    """The file of a pack, and its chunks, its own and those of other packs.

    Responsibilities:
    - store chunks;
    - give blobs under 8 KiB chunks that they share.

    ``is_known`` says whether another pack has the chunk with a digest; the chunk is then referred to.
    """

    def __init__(self, folder: Path, name: PackName, files: Files, bandwidth: float) -> None:
        self.name = name
        self.bandwidth = bandwidth
        self.is_known: Callable[[bytes], bool] = _nothing
        self.table: ChunkTable[PackChunk] = ChunkTable()
        self.file = PendingFile(str(folder / name.file), folder / name.file, files)
        self._small = Gatherer(self.table, MOST, USUAL)

    def gather(self, view: memoryview) -> Blob:
        """Store a small blob."""
        if self._small.is_full(view.nbytes):
            self.store_gathered()
        return self._small.add(view)

    def put_new(self, view: memoryview) -> Blob:
        """Store a blob that nothing else has."""
        if view.nbytes < SMALL:
            return self.gather(view)
        compressed = worth_compressing(view, self.bandwidth)
        pieces = cut(view, flowing=True)
        indices = tuple(self.store(prepare_copy(bytes(piece), compressed=compressed)) for piece in pieces)
        return Blob(indices, 0, view.nbytes)

    def store_gathered(self) -> None:
        """Store what was gathered."""
        if (taken := self._small.take()) is not None:
            index, content = taken
            compressed = worth_compressing(memoryview(content), self.bandwidth)
            chunk = prepare_copy(content, compressed=compressed)
            if self.is_known(chunk.digest):
                self.table.fill(index, PackChunk(chunk.digest.hex(), chunk.size))
            else:
                self.store(chunk, index=index)

    def store(self, chunk: Prepared, *, aligned: bool = False, index: int | None = None) -> int:
        """Store a chunk, and return the index that it has; one that was reserved, if given."""
        if aligned and chunk.codec == "raw":
            self.file.write_padding(PAGE)
        stored = PackChunk.of(chunk.at(self.file.end))
        self.file.write(chunk.payload)
        index = self.table.reserve() if index is None else index
        self.table.fill(index, stored)
        return index

    def refer(self, digest: bytes, size: int) -> int:
        """The index for a chunk of another pack."""
        index = self.table.reserve()
        self.table.fill(index, PackChunk(digest.hex(), size))
        return index

    def commit(self, pack: Pack, *, sync: bool) -> Pack:
        """Finish the file under its final name, and return the pack with its chunks."""
        self.store_gathered()
        pack = msgspec.structs.replace(pack, chunks=self.table.chunks())
        footer = encode(pack, self.file.end)
        self.file.write(footer + pack_trailer(footer, self.file.end))
        self.file.finish(sync=sync)
        return pack


class PackWriter:
    """One pack on its way to the disk, as a context manager.

    Responsibilities:
    - find what the store has already, and refer to it;
    - copy and store the rest;
    - give the whole file its name on `commit`, and otherwise leave no trace.
    """

    def __init__(
        self, pack: PackFile, catalogue: Catalogue, *, sync: bool, done: Callable[[PackName, int], None]
    ) -> None:
        """Prepare a pack; ``done`` is called at the end with the bytes that it takes, 0 where it was not committed."""
        self._pack = pack
        self._catalogue = catalogue
        self._sync = sync
        self._done = done
        self._quick: dict[bytes, bytes] = {}
        self._referred: set[bytes] = set()
        self._committed = False
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._referred = self._exits.enter_context(self._catalogue.referring())
        self._exits.callback(self._end)  # comes first at the end: what it takes in still refers to its chunks
        self._pack.is_known = partial(self._catalogue.refer, referred=self._referred)
        try:
            self._pack.file.begin(pack_header())
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pack.file.abandon()
        self._exits.close()

    def put(self, data: object, *, flowing: bool = False) -> Blob:
        """Store the bytes of a buffer, which may be changed afterwards; DestinationError where they cannot be.

        Args:
            data: A buffer.
            flowing: Whether what is inserted moves all that follows, as in a stream.
        """
        view = flat(data)
        with self._pack.file.step():
            if not view.nbytes:
                return NOTHING
            if view.nbytes < SMALL:
                return self._pack.gather(view)
            return self._put_large(view, flowing=flowing)

    def adopt(self, pack: Pack, find: Callable[[str], Piece | None]) -> Written:
        """Finish the pack with the chunks of one from elsewhere, as far as they are not here and ``find`` gives them.

        Raises:
            ArchiveDamaged: A chunk is not what was written.
            DestinationError: The system refuses.
        """
        with self._pack.file.step():
            for chunk in pack.chunks:
                digest = bytes.fromhex(chunk.digest)
                known = self._pack.table.find(digest) is not None or self._catalogue.refer(digest, self._referred)
                piece = None if known else find(chunk.digest)
                if piece is None:
                    self._pack.refer(digest, chunk.size)
                else:
                    self._pack.store(piece.copy(), aligned=piece.aligned)
        return self.commit(pack)

    def commit(self, pack: Pack) -> Written:
        """Finish the pack under its final name.

        Raises:
            ValueError: It refers to what is not in it.
            DestinationError: The system refuses.
        """
        with self._pack.file.step():
            whole = self._pack.commit(pack, sync=self._sync)
            self._catalogue.add(self._pack.name, whole, self._quick)
        self._committed = True
        if self._sync:
            self._pack.file.settle()
        return Written(self._pack.name.first, self._pack.file.end)

    def _put_large(self, view: memoryview, *, flowing: bool) -> Blob:
        pieces = cut(view, flowing=flowing)
        indices = [self._known(piece) for piece in pieces]
        new = [i for i, index in enumerate(indices) if index is None]
        if new:
            # What is mapped must lie at pages; streams are cut anywhere, so they never are in parts.
            aligned = not flowing and view.nbytes >= GATHERED
            compressed = worth_compressing(view, self._pack.bandwidth)
            with contextlib.closing(self._prepared([pieces[i] for i in new], compressed=compressed)) as ready:
                for i, (key, chunk) in zip(new, ready, strict=True):
                    index = self._index_of(chunk.digest, chunk.size)
                    indices[i] = self._pack.store(chunk, aligned=aligned) if index is None else index
                    self._quick[key] = chunk.digest
        return Blob(tuple(index for index in indices if index is not None), 0, view.nbytes)

    def _known(self, piece: memoryview) -> int | None:
        key = self._catalogue.key(piece)
        digest = self._quick.get(key) or self._catalogue.quick(key)
        return None if digest is None else self._index_of(digest, piece.nbytes)

    def _index_of(self, digest: bytes, size: int) -> int | None:
        index = self._pack.table.find(digest)
        if index is None and self._catalogue.refer(digest, self._referred):
            index = self._pack.refer(digest, size)
        return index

    def _prepared(self, pieces: list[memoryview], *, compressed: bool) -> Generator[tuple[bytes, Prepared], None, None]:
        work = partial(self._prepare, compressed=compressed)
        if sum(piece.nbytes for piece in pieces) < _WORTH_THREADS:
            return (work(piece) for piece in pieces)
        return overlapped(work, pieces, MOST_THREADS if compressed else 1)

    def _prepare(self, piece: memoryview, *, compressed: bool) -> tuple[bytes, Prepared]:
        content = bytes(piece)  # so that digest, fast hash and payload agree even while another thread writes to it
        return self._catalogue.key(content), prepare_copy(content, compressed=compressed)

    def _end(self) -> None:
        self._done(self._pack.name, self._pack.file.end if self._committed else 0)


def _nothing(_: bytes) -> bool:
    return False
