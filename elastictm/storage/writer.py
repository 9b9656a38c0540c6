"""Writing an archive: all of it under its final name, or nothing."""

from __future__ import annotations

import contextlib
import math
import os
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from elastictm.errors import UsageError
from elastictm.storage.chunks import GATHERED, SMALL, ChunkTable, Gatherer, cut, flat, prepare
from elastictm.storage.codec import pays_copying, worth_compressing
from elastictm.storage.destination import check_free, destination
from elastictm.storage.files import LocalFiles
from elastictm.storage.layout import PAGE, pack_header, pack_trailer
from elastictm.storage.manifest import Blob, Chunk, Manifest, encode
from elastictm.storage.overlap import MOST_THREADS, overlapped
from elastictm.storage.pending import PendingFile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.chunks import Prepared
    from elastictm.storage.files import Files
    from elastictm.storage.lending import Lender
    from elastictm.storage.pieces import Piece

_WORTH_SHARING = 4
"""A blob that could be mapped is shared with stored chunks where that saves at least one byte in this many."""


class ArchiveWriter:
    """One archive on its way to the disk, as a context manager.

    Responsibilities:
    - refuse a destination before any work is done;
    - store data in chunks, equal ones once, and say where they are;
    - give the whole file its final name on `commit`, and otherwise leave no trace.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        force: bool = False,
        bandwidth: float = math.inf,
        files: Files | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Check the destination; see `destination.destination` for what is raised.

        Args:
            path: The archive's final name.
            force: Whether a file of that name may be replaced.
            bandwidth: Bytes per second of the path that the archive will travel; decides on compression.
            files: How files are made; `LocalFiles` unless told.
            progress: Called with the number of uncompressed bytes taken in since the last call.
        """
        if not bandwidth > 0:
            raise UsageError(f"A bandwidth of {bandwidth} bytes per second has no meaning; give one above 0.")
        self._text = os.fspath(path)
        self._force = force
        self._final = destination(path, force=force)
        self._bandwidth = bandwidth
        self._file = PendingFile(self._text, self._final, LocalFiles() if files is None else files)
        self._progress = progress
        self._lender: Lender | None = None
        self._shares = False
        self._table: ChunkTable[Chunk] = ChunkTable()
        self._small = Gatherer(self._table)

    def __enter__(self) -> Self:
        self._file.begin(pack_header())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.abandon()

    def borrow(self, lender: Lender) -> None:
        """Take chunks that need not be compressed again from a store."""
        self._lender = lender

    def put(self, data: object) -> Blob:
        """Store the bytes of a buffer, which may be changed afterwards; DestinationError where they cannot be."""
        view = flat(data)
        with self._file.step():
            if not view.nbytes:
                return Blob((), 0, 0)
            if view.nbytes >= SMALL:
                return self._put_large(view, flowing=isinstance(data, bytes))
            if self._small.is_full(view.nbytes):
                self._store_gathered()
            blob = self._small.add(view)
            self._tell_progress(view.nbytes)
            return blob

    def share(self, piece: Piece) -> int:
        """Store a chunk as it lies in another file, for all that comes to share; returns the bytes that it takes.

        Raises:
            ArchiveDamaged: It is not what was written there.
            DestinationError: It cannot be stored.
        """
        with self._file.step():
            if self._table.find(bytes.fromhex(piece.chunk.digest)) is not None:
                return 0
            self._store(piece.copy(), self._table.reserve(), aligned=piece.aligned)
            self._shares = True
            return piece.chunk.stored

    def commit(self, manifest: Manifest) -> int:
        """Finish the archive with this manifest under its final name, and return its size in bytes.

        Raises:
            ValueError: The manifest refers to what is not in the archive.
            DestinationExists: A file of that name was made in the meantime, and force is false.
            DestinationError: The system refuses.
        """
        with self._file.step():
            self._store_gathered()
            footer = encode(msgspec.structs.replace(manifest, chunks=self._table.chunks()), self._file.end)
            self._file.write(footer + pack_trailer(footer, self._file.end))
            self._file.finish(check=partial(check_free, self._text, self._final, force=self._force))
        self._file.settle()
        return self._file.end

    def _put_large(self, view: memoryview, *, flowing: bool) -> Blob:
        compressed = worth_compressing(view, self._bandwidth)
        if self._lender is not None and (blob := self._put_lent(self._lender, view, flowing=flowing, pays=compressed)):
            return blob
        # What is not mapped anyway loses nothing by sharing; for the rest, the first known chunk decides.
        share = True if compressed or view.nbytes < GATHERED else None
        pieces = cut(view)
        indices: list[int] = []
        with contextlib.closing(self._prepared(pieces, compressed=compressed)) as ready:
            for i, chunk in enumerate(ready):
                known = self._table.find(chunk.digest)
                if known is not None and share is None:
                    share = self._table.known_bytes(pieces[i:]) * _WORTH_SHARING >= view.nbytes
                indices.append(known if known is not None and share else self._store(chunk, self._table.reserve()))
                self._tell_progress(chunk.size)
        return Blob(tuple(indices), 0, view.nbytes)

    def _put_lent(self, lender: Lender, view: memoryview, *, flowing: bool, pays: bool) -> Blob | None:
        """Store data in chunks as a store has them; None where that does not pay.

        What travels raw is written from memory: a store would have to be read for it, and checked as well.  Of what
        would travel raw because compressing takes its time, memory is looked up, as some was compressed before; to cut
        streams takes longer than they take to write.
        """
        if not pays and not self._shares and (flowing or self._bandwidth == math.inf):
            return None
        lent = lender.pieces(view, flowing=flowing)
        pays = pays or pays_copying(view.nbytes, lender.stored(lent), self._bandwidth)
        if not lent or not (pays or self._shares):
            return None
        return Blob(tuple(self._lent(lender, *each, raw=not pays) for each in lent), 0, view.nbytes)

    def _lent(self, lender: Lender, piece: memoryview, digest: bytes | None, *, raw: bool) -> int:
        """The index of a chunk, from the store as far as it has it."""
        index = None if digest is None else self._table.find(digest)
        if index is None:
            found = None if raw or digest is None else lender.compressed(digest)
            chunk = prepare(piece, compressed=not raw) if found is None else found
            index = self._table.find(chunk.digest)
            index = self._store(chunk, self._table.reserve()) if index is None else index
        self._tell_progress(piece.nbytes)
        return index

    @staticmethod
    def _prepared(pieces: list[memoryview], *, compressed: bool) -> Generator[Prepared, None, None]:
        # One thread digests faster than a disk writes, and leaves the other cores to the system's writing.
        return overlapped(partial(prepare, compressed=compressed), pieces, MOST_THREADS if compressed else 1)

    def _store_gathered(self) -> None:
        taken = self._small.take()
        if taken is None:
            return
        index, content = taken
        view = memoryview(content)
        self._store(prepare(view, compressed=worth_compressing(view, self._bandwidth)), index, aligned=False)

    def _store(self, chunk: Prepared, index: int, *, aligned: bool = True) -> int:
        if aligned and chunk.codec == "raw":
            self._file.write_padding(PAGE)
        stored = chunk.at(self._file.end)
        self._file.write(chunk.payload)
        self._table.fill(index, stored)
        return index

    def _tell_progress(self, count: int) -> None:
        if self._progress is not None:
            self._progress(count)
