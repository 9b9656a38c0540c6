"""Writing an archive: all of it under its final name, or nothing."""

from __future__ import annotations

import contextlib
import math
import os
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from elastictm.errors import DestinationError, UsageError
from elastictm.storage.chunks import GATHERED, SMALL, ChunkTable, Gatherer, cut, flat, prepare
from elastictm.storage.codec import worth_compressing
from elastictm.storage.destination import check_free, destination, refused, temporary_name
from elastictm.storage.files import Files, LocalFiles
from elastictm.storage.layout import PAGE, pack_header, pack_trailer
from elastictm.storage.manifest import Blob, Manifest, encode
from elastictm.storage.overlap import MOST_THREADS, overlapped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from os import PathLike
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.chunks import Prepared

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
        self._files: Files = LocalFiles() if files is None else files
        self._progress = progress
        self._temporary: Path | None = None
        self._descriptor: int | None = None
        self._end = 0
        self._whole = True
        self._table = ChunkTable()
        self._small = Gatherer(self._table)

    def __enter__(self) -> Self:
        try:
            with self._telling():
                self._temporary = temporary_name(self._final)
                self._descriptor = self._files.create(self._temporary)
                self._write(pack_header())
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandon()

    def put(self, data: object) -> Blob:
        """Store the bytes of a buffer, which may be changed afterwards; DestinationError where they cannot be."""
        view = flat(data)
        with self._step():
            if not view.nbytes:
                return Blob((), 0, 0)
            if view.nbytes >= SMALL:
                return self._put_large(view)
            if not self._small.has_room(view.nbytes):
                self._store_gathered()
            blob = self._small.add(view)
            self._tell_progress(view.nbytes)
            return blob

    def commit(self, manifest: Manifest) -> int:
        """Finish the archive with this manifest under its final name, and return its size in bytes.

        Raises:
            ValueError: The manifest refers to what is not in the archive.
            DestinationExists: A file of that name was made in the meantime, and force is false.
            DestinationError: The system refuses.
        """
        with self._step():
            self._store_gathered()
            footer = encode(msgspec.structs.replace(manifest, chunks=self._table.chunks()), self._end)
            self._write(footer + pack_trailer(footer, self._end))
            with self._telling():
                self._finish()
        try:
            self._files.sync_folder(self._final.parent)
        except OSError as error:
            raise DestinationError(
                f"{self._text} was written, but a power cut now could undo it: {error.strerror}. Save it again."
            ) from error
        return self._end

    def _finish(self) -> None:
        descriptor, temporary = self._open_file()
        self._files.sync(descriptor)
        self._descriptor = None  # before closing: another file may have its number right after
        self._files.close(descriptor)
        check_free(self._text, self._final, force=self._force)
        self._files.replace(temporary, self._final)
        self._temporary = None

    def _put_large(self, view: memoryview) -> Blob:
        compressed = worth_compressing(view, self._bandwidth)
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
        if aligned and chunk.codec == "raw" and self._end % PAGE:
            self._write(bytes(PAGE - self._end % PAGE))
        stored = chunk.at(self._end)
        self._write(chunk.payload)
        self._table.fill(index, stored)
        return index

    def _write(self, data: bytes) -> None:
        descriptor, _ = self._open_file()
        with self._telling():
            self._files.write(descriptor, data)
        self._end += len(data)

    def _tell_progress(self, count: int) -> None:
        if self._progress is not None:
            self._progress(count)

    def _open_file(self) -> tuple[int, Path]:
        if self._descriptor is None or self._temporary is None:
            raise ValueError(f"the writer of {self._text} is used outside its with block or after commit")
        return self._descriptor, self._temporary

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        """Let nothing follow a step that failed or was interrupted: nobody knows how much of it was done."""
        self._open_file()
        if not self._whole:
            raise DestinationError(f"{self._text} cannot be completed: an earlier step failed. Save again.")
        self._whole = False
        yield
        self._whole = True

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Say what the system's refusals mean."""
        try:
            yield
        except DestinationError:
            raise
        except OSError as error:
            raise refused(self._text, error) from error

    def _abandon(self) -> None:
        """Close and remove what is not committed; a failure here would hide the one that led to it."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._files.close(self._descriptor)
            self._descriptor = None
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._files.remove(self._temporary)
            self._temporary = None
