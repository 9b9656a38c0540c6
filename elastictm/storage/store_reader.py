"""Reading the packs of a store, whose chunks may lie in any of them, while their owner writes and merges."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveMissing
from elastictm.storage.checks import check_blob
from elastictm.storage.chunks import some
from elastictm.storage.closing import Closing
from elastictm.storage.pieces import Memory, Piece, PieceReader
from elastictm.storage.shelf import outermost
from elastictm.storage.source import Source

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

    from elastictm.storage.catalogue import Catalogue
    from elastictm.storage.manifest import Blob, Chunk
    from elastictm.storage.pack import Moved, Pack, PackChunk
    from elastictm.storage.shelf import PackName, Shelf

_MOST_OPEN = 64
"""Packs that are open at once; a process often may have 1,024 or even 256 files in all."""

_TRIES = 3


class StoreReader(Closing):
    """An open store, as a context manager.

    Responsibilities:
    - find each chunk in whichever pack holds it now, also when packs were merged since they were listed;
    - give a blob's bytes, mapped where that is possible, each chunk checked by its digest;
    - raise nothing but an ArchiveError, whatever the files hold.
    """

    def __init__(self, shelf: Shelf, catalogue: Catalogue, damaged: list[str]) -> None:
        """Prepare to read; ``damaged`` gets what cannot be read, in words."""
        self._shelf = shelf
        self._catalogue = catalogue
        self._damaged = damaged
        self._lists: dict[int, tuple[PackChunk, ...]] = {}
        self._located: dict[str, tuple[PackName, Chunk]] = {}
        self._moved: dict[str, list[tuple[PackChunk, Moved]]] = {}
        self._sources: OrderedDict[PackName, Source] = OrderedDict()
        self._loaded: set[PackName] = set()
        self._pieces = PieceReader()

    def close(self) -> None:
        """Close the files; what was read stays valid."""
        self._trim(0)
        self._pieces.clear()

    def packs(self, known: Container[int] = ()) -> Iterator[tuple[int, Pack]]:
        """Each pack with its number, in the order of their states; one that cannot be read is told and left out.

        Those with a known number are left out, too. A pack that was merged since has a new number.
        """

        def load(name: PackName) -> Pack | None:
            self._trim(_MOST_OPEN)
            return None if name.number in known else self._load(name)

        for name, pack in self._shelf.readable(load, self._damaged):
            if pack is not None:
                yield name.number, pack

    def pack(self, number: int) -> Pack:
        """One pack; ArchiveError where it cannot be read."""
        for name in self._shelf.names():
            if name.number == number:
                return self._load(name)
        raise ArchiveMissing(f"There is no pack {number} in {self._shelf.folder}.")

    @property
    def is_damaged(self) -> bool:
        """Whether some packs that were listed so far could not be read; blobs of others may lie in them."""
        return bool(self._damaged)

    @property
    def damaged(self) -> tuple[str, ...]:
        """What could not be read so far, in words."""
        return tuple(self._damaged)

    @property
    def folder(self) -> Path:
        """The folder of the packs."""
        return self._shelf.folder

    @property
    def latest(self) -> int:
        """The number of the last pack, whether it can be read or not; 0 where there is none."""
        names = outermost(self._shelf.names())
        return names[-1].number if names else 0

    def readable(self, number: int, blob: Blob) -> bool:
        """Whether the bytes of a blob of this pack can be read; if not, that is told with what is damaged."""
        try:
            self.read(number, blob)
        except ArchiveDamaged as error:
            self.tell(error)
            return False
        return True

    def tell(self, error: ArchiveDamaged) -> None:
        """Tell with what is damaged what its reader goes on without."""
        if str(error) not in self._damaged:
            self._damaged.append(str(error))

    def holds(self, number: int, blob: Blob) -> bool:
        """Whether the bytes of a blob of this pack are in packs that can be read."""
        if number not in self._lists:
            self.pack(number)
        chunks: Sequence[PackChunk] = [self._lists[number][index] for index in blob.chunks]
        if len(chunks) == 1 and chunks[0].digest not in self._located:
            chunks, _ = self._moved_to(chunks, blob.start, blob.size)
        try:
            return all(self._locate(chunk.digest) for chunk in chunks)
        except ArchiveError:
            return False

    def read(self, number: int, blob: Blob) -> memoryview:
        """The bytes of a blob of this pack, in writable memory of the caller's own.

        A pack that was listed or read from by this reader can be read from also after it was merged with others.
        """
        if number not in self._lists:
            self.pack(number)
        chunks = self._lists[number]
        try:
            check_blob("the blob asked for", blob, chunks)
        except ValueError as error:
            raise ArchiveDamaged(f"{self._shelf.folder}, pack {number}: {error}.") from error
        wanted = [chunks[index] for index in blob.chunks]
        try:
            for _ in range(_TRIES):
                try:
                    return self._read(wanted, blob.start, blob.size)
                except ArchiveError:  # perhaps packs were merged since
                    self._start_anew()
            return self._read(wanted, blob.start, blob.size)
        except MemoryError as error:
            raise ArchiveError(f"{self._shelf.folder} needs more memory than this machine gives.") from error

    def has(self, digest: str) -> bool:
        """Whether a pack holds the chunk with this digest."""
        try:
            self._locate(digest)
        except ArchiveError:
            return False
        return True

    def piece(self, digest: bytes) -> Piece:
        """The chunk with this digest, as it lies in a pack now; ArchiveError where none holds it."""
        found = self._piece(*self._locate(digest.hex()))
        self._trim(_MOST_OPEN)
        return found

    def raw(self, number: int, blob: Blob) -> bool:
        """Whether a blob lies there as it is, as far as some of its chunks tell; not where they cannot be found."""
        try:
            if number not in self._lists:
                self.pack(number)
            places = [self._locate(self._lists[number][index].digest) for index in some(blob.chunks)]
        except ArchiveError:
            return False
        return all(chunk.codec == "raw" for _, chunk in places)

    def stored(self, number: int, blob: Blob) -> Iterator[tuple[str, int]]:
        """The chunks of a blob of a pack that was listed: digest, and bytes in the file that holds it."""
        for index in blob.chunks if number in self._lists else ():
            chunk = self._lists[number][index]
            place = chunk.here() or self._located.get(chunk.digest, (None, None))[1]
            yield chunk.digest, 0 if place is None else place.stored

    def _read(self, chunks: Sequence[PackChunk], start: int, size: int) -> memoryview:
        if len(chunks) == 1 and chunks[0].digest not in self._located:
            chunks, start = self._moved_to(chunks, start, size)
        places = [self._locate(chunk.digest) for chunk in chunks]
        if len({name for name, _ in places}) > _MOST_OPEN:
            return self._read_in_turn(places, start, size)
        pieces = [self._piece(name, chunk) for name, chunk in places]
        self._trim(_MOST_OPEN)
        return self._pieces.read(pieces, start, size)

    def _read_in_turn(self, places: Sequence[tuple[PackName, Chunk]], start: int, size: int) -> memoryview:
        """Read what lies in more packs than may be open at once."""
        content = Memory()
        for name, chunk in places:
            content += memoryview(self._piece(name, chunk).content())[start : start + size - len(content)]
            start = 0
            self._trim(_MOST_OPEN)
        return memoryview(content)

    def _piece(self, name: PackName, chunk: Chunk) -> Piece:
        if name not in self._sources:
            self._sources[name] = Source(self._shelf.path(name))
        self._sources.move_to_end(name)
        return Piece(self._sources[name], chunk, chunk.offset)

    def _locate(self, digest: str) -> tuple[PackName, Chunk]:
        if digest not in self._located:
            name = self._catalogue.where(bytes.fromhex(digest))
            if name is not None and name not in self._loaded:
                self._load(name)
        if digest not in self._located:
            self._load_all()
        if digest not in self._located:
            raise ArchiveDamaged(f"The packs in {self._shelf.folder} do not hold the chunk with the digest {digest}.")
        return self._located[digest]

    def _moved_to(self, chunks: Sequence[PackChunk], start: int, size: int) -> tuple[Sequence[PackChunk], int]:
        """The chunk into which a merge put these bytes of another one, and where; what was given if none did."""
        for to, part in self._moved.get(chunks[0].digest, ()):
            if part.holds(start, size):
                return [to], part.start + start - part.begin
        return chunks, start

    def _load(self, name: PackName) -> Pack:
        source, pack = self._shelf.open(name)
        if (old := self._sources.pop(name, None)) is not None:
            old.close()
        self._sources[name] = source
        self._loaded.add(name)
        self._lists[name.number] = pack.chunks
        for chunk in pack.chunks:
            if (here := chunk.here()) is not None:
                self._located.setdefault(chunk.digest, (name, here))
        for digest, parts in pack.moved.items():
            self._moved[digest] = [(pack.chunks[part.chunk], part) for part in parts]
        return pack

    def _load_all(self) -> None:
        for name in self._shelf.names():
            if name not in self._loaded:
                try:
                    self._load(name)
                except ArchiveError:  # told where packs are listed
                    continue
                self._trim(_MOST_OPEN)

    def _start_anew(self) -> None:
        self._trim(0)
        self._located.clear()
        self._moved.clear()
        self._loaded.clear()
        self._pieces.clear()
        self._load_all()

    def _trim(self, most: int) -> None:
        while len(self._sources) > most:
            _, source = self._sources.popitem(last=False)
            source.close()
