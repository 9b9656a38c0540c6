"""Reading an archive: nothing is believed before its digest was checked, and nothing is unpickled."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged, ArchiveError
from elastictm.storage.checks import check_blob
from elastictm.storage.chunks import some
from elastictm.storage.closing import Closing
from elastictm.storage.frame import check_archive, read_footer
from elastictm.storage.layout import HEADER, PAGE
from elastictm.storage.manifest import Manifest, decode
from elastictm.storage.pieces import Piece, PieceReader
from elastictm.storage.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from elastictm.storage.manifest import Blob


class ArchiveReader(Closing):
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
        self._pieces = PieceReader()
        self._indices: dict[str, int] | None = None

    def close(self) -> None:
        """Close the file; what was read stays valid."""
        self._source.close()
        self._pieces.clear()

    def read(self, blob: Blob) -> memoryview:
        """A blob's bytes in writable memory of the caller's own; ArchiveDamaged where they are not those written.

        A blob of at least 1 MiB whose chunks are raw and follow each other, or meet at pages, is mapped copy-on-write.
        The file's own blocks then back what the caller has not written to, so the file must not be overwritten in
        place; a writer never does that, it gives new files old names.
        """
        try:
            check_blob("the blob asked for", blob, self.manifest.chunks)
        except ValueError as error:
            raise ArchiveDamaged(f"{self._source.name}: {error}.") from error
        with self._bounded():
            return self._pieces.read([self._piece(index) for index in blob.chunks], blob.start, blob.size)

    def raw(self, blob: Blob) -> bool:
        """Whether a blob lies there as it is, and need not be decompressed, as far as some of its chunks tell."""
        return all(self.manifest.chunks[index].codec == "raw" for index in some(blob.chunks))

    def find(self, digest: str) -> Piece | None:
        """The chunk whose content has this digest, or None."""
        if self._indices is None:
            self._indices = {chunk.digest: i for i, chunk in enumerate(self.manifest.chunks)}
        index = self._indices.get(digest)
        return None if index is None else self._piece(index)

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
            self._pieces.check_all([self._piece(index) for index, _ in chunks], tell)
            if manifest.past is not None:
                from elastictm.storage.bundle import check_past  # noqa: PLC0415 - few archives have one

                check_past(self)

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        """Say so where this machine has not the memory that the archive asks for."""
        try:
            yield
        except MemoryError as error:
            raise ArchiveError(f"{self._source.name} needs more memory than this machine gives.") from error

    def _piece(self, index: int) -> Piece:
        return Piece(self._source, self.manifest.chunks[index], index)

    def _check_padding(self, start: int, end: int) -> None:
        if end - start >= PAGE:
            raise ArchiveDamaged(f"{self._source.name} is damaged: bytes {start} to {end} belong to no chunk.")
        if any(self._source.read(start, end - start)):
            raise ArchiveDamaged(f"{self._source.name} is damaged: bytes {start} to {end} are padding, expected zeros.")


def _read_frame(source: Source) -> tuple[Manifest, int]:
    """The manifest and the end of the chunk area, after all that frames the chunks was checked."""
    footer, area_end = read_footer(source)
    try:
        return decode(footer, area_end), area_end
    except ValueError as error:
        check_archive(source.name, footer)
        raise ArchiveDamaged(f"{source.name} is damaged: {error}.") from error


def _ignore(count: int) -> None:
    pass
