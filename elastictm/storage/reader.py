"""Reading an archive: nothing is believed before its digest was checked, and nothing is unpickled."""

from __future__ import annotations

import contextlib
import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged, ArchiveError
from elastictm.storage.checks import check_blob
from elastictm.storage.chunks import GATHERED
from elastictm.storage.codec import decompress
from elastictm.storage.digest import digest_of
from elastictm.storage.layout import HEADER, PAGE, TRAILER, check_footer, check_header, parse_trailer
from elastictm.storage.manifest import Chunk, Manifest, decode
from elastictm.storage.overlap import overlapped
from elastictm.storage.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.manifest import Blob

_KEPT_CHUNKS = 8
"""Shared chunks whose content is kept for the next small blob: at most 8 MiB."""


class _Memory(bytearray):
    """Memory that no user has made, which its type tells from what users make."""


class ArchiveReader:
    """An open archive, as a context manager.

    ``manifest`` says what it holds; ``name`` and ``size``, in bytes, are those of the file.

    Responsibilities:
    - check the frame and the manifest when it is opened;
    - give a blob's bytes, mapped where that is possible, each chunk checked by its digest;
    - raise nothing but an ArchiveError, whatever the file holds.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open the archive and check header, trailer, footer and manifest.

        Raises:
            ArchiveMissing: There is no such file, or it cannot be opened.
            NotAnArchive: It is something else.
            ArchiveDamaged: It is cut short or changed.
            ArchiveTooNew: Its format is newer than this program.
        """
        self._source = Source(path)
        try:
            with self._bounded():
                self.manifest, _ = _read_frame(self._source)
            self.size = self._source.size
            self.name = self._source.name
        except BaseException:
            self._source.close()
            raise
        self._sound: set[int] = set()
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was read stays valid."""
        self._source.close()
        self._kept.clear()

    def read(self, blob: Blob) -> memoryview:
        """A blob's bytes in writable memory of the caller's own; ArchiveDamaged where they are not those written.

        A blob of at least 1 MiB whose chunks are raw and follow each other is mapped copy-on-write.
        The file's own blocks then back what the caller has not written to, so the file must not be overwritten in
        place; a writer never does that, it gives new files old names.
        """
        try:
            check_blob("the blob asked for", blob, self.manifest.chunks)
        except ValueError as error:
            raise ArchiveDamaged(f"{self._source.name}: {error}.") from error
        with self._bounded():
            return self._mapped(blob) or self._copied(blob)

    def verify(self, progress: Callable[[int], None] | None = None) -> None:
        """Check every byte of the file; ArchiveDamaged tells of the first that is not as it was written.

        Args:
            progress: Called with the number of the file's bytes that were checked since the last call.
        """
        tell = progress or _ignore
        self._source.check_open()
        with self._bounded():
            manifest, area_end = _read_frame(self._source)
            if manifest != self.manifest:
                raise ArchiveDamaged(f"{self._source.name} was overwritten in place while in use. Open it again.")
            tell(HEADER.size + self._source.size - area_end)
            chunks = sorted(enumerate(manifest.chunks), key=lambda pair: pair[1].offset)
            ends = [HEADER.size, *(chunk.offset + chunk.stored for _, chunk in chunks)]
            starts = [*(chunk.offset for _, chunk in chunks), area_end]
            for start, end in zip(ends, starts, strict=True):
                self._check_padding(start, end)
                tell(end - start)
            self._check_all([index for index, _ in chunks], tell)

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        """Say so where this machine has not the memory that the archive asks for."""
        try:
            yield
        except MemoryError as error:
            raise ArchiveError(f"{self._source.name} needs more memory than this machine gives.") from error

    def _mapped(self, blob: Blob) -> memoryview | None:
        if blob.size < GATHERED:
            return None
        chunks = [self.manifest.chunks[index] for index in blob.chunks]
        if any(chunk.codec != "raw" for chunk in chunks):
            return None
        if any(after.offset != chunk.offset + chunk.stored for chunk, after in itertools.pairwise(chunks)):
            return None
        # Checked by reading, not through the mapping: a failing disk then raises an error instead of a signal.
        self._check_all([index for index in blob.chunks if index not in self._sound])
        self._sound.update(blob.chunks)
        return self._source.map(chunks[0].offset + blob.start, blob.size)

    def _copied(self, blob: Blob) -> memoryview:
        # Grows with content that was checked: a claimed size alone never takes memory.
        copy = _Memory()
        if len(blob.chunks) == 1:
            content = self._shared(blob.chunks[0]) if blob.size < GATHERED else self._content(blob.chunks[0])
            copy += memoryview(content)[blob.start : blob.start + blob.size]
            return memoryview(copy)
        skip = blob.start
        with contextlib.closing(overlapped(self._content, blob.chunks)) as contents:
            for content in contents:
                copy += memoryview(content)[skip : skip + blob.size - len(copy)]
                skip = 0
        return memoryview(copy)

    def _shared(self, index: int) -> bytes:
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        content = self._content(index)
        if len(content) <= GATHERED:
            self._kept[index] = content
        if len(self._kept) > _KEPT_CHUNKS:
            self._kept.popitem(last=False)
        return content

    def _check_all(self, indices: list[int], tell: Callable[[int], None] | None = None) -> None:
        with contextlib.closing(overlapped(self._check, indices)) as checked:
            for stored in checked:
                if tell is not None:
                    tell(stored)

    def _check(self, index: int) -> int:
        self._content(index)  # dropped here, so that the thread's next chunk takes the same memory
        return self.manifest.chunks[index].stored

    def _content(self, index: int) -> bytes:
        chunk = self.manifest.chunks[index]
        content = self._source.read(chunk.offset, chunk.stored)
        if chunk.codec == "zstd":
            self._check_digest(index, chunk, content, str(chunk.seal))
            try:
                content = decompress(content, chunk.size)
            except ValueError as error:
                raise ArchiveDamaged(f"{self._source.name} is damaged at byte {chunk.offset}: {error}.") from error
        self._check_digest(index, chunk, content, chunk.digest)
        return content

    def _check_digest(self, index: int, chunk: Chunk, data: bytes, expected: str) -> None:
        found = digest_of(data).hex()
        if found != expected:
            raise ArchiveDamaged(
                f"{self._source.name} is damaged: chunk {index}, bytes {chunk.offset} to "
                f"{chunk.offset + chunk.stored}, has the digest {found}, expected {expected}."
            )

    def _check_padding(self, start: int, end: int) -> None:
        if end - start >= PAGE:
            raise ArchiveDamaged(f"{self._source.name} is damaged: bytes {start} to {end} belong to no chunk.")
        if any(self._source.read(start, end - start)):
            raise ArchiveDamaged(f"{self._source.name} is damaged: bytes {start} to {end} are padding, expected zeros.")


def _read_frame(source: Source) -> tuple[Manifest, int]:
    """The manifest and the end of the chunk area, after all that frames the chunks was checked."""
    header = source.read(0, min(source.size, HEADER.size))
    check_header(source.name, header, source.size)
    trailer = parse_trailer(source.name, source.read(source.size - TRAILER.size, TRAILER.size), source.size)
    footer = source.read(trailer.offset, trailer.length)
    check_footer(source.name, header, trailer, footer)
    try:
        return decode(footer, trailer.offset), trailer.offset
    except ValueError as error:
        raise ArchiveDamaged(f"{source.name} is damaged: {error}.") from error


def _ignore(count: int) -> None:
    pass
