"""Putting neighbouring packs of a store together, without what nobody wants any more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from elastictm.errors import ArchiveDamaged
from elastictm.storage.layout import pack_header
from elastictm.storage.manifest import NOTHING, Blob, Definition, OwnModule, Unit
from elastictm.storage.pack import Kept, Moved, Pack, StateRecord
from elastictm.storage.pack_writer import MOST, SMALL, PackFile
from elastictm.storage.pieces import Piece, PieceReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.catalogue import Catalogue, Released
    from elastictm.storage.files import Files
    from elastictm.storage.shelf import PackName, Shelf
    from elastictm.storage.source import Source

LARGE = 4 * 2**20
"""A pack of which more bytes than this are wanted keeps its file for them, unless most of the file is waste."""

BANDWIDTH = 20e6
"""Bytes per second that decide on the compression of small blobs that are gathered anew: there is time for it."""

ROW = 64
"""Packs in a row that are due to be merged."""

Record = TypeVar("Record")


def due(names: Sequence[PackName], barriers: AbstractSet[int]) -> list[PackName]:
    """The first row of `ROW` neighbours that were not merged before, or an empty one.

    Each byte is so copied at most once, and merging takes some hundredths of a second. Merging what was merged would
    take seconds and much memory, and hardly make opening quicker.

    Args:
        names: The packs, in order.
        barriers: Numbers that no merged pack may have in its range: packs that are being written, or damaged.
    """
    row: list[PackName] = []
    for name in names:
        if name.merged or name.number in barriers or (row and _any_between(row[-1], name, barriers)):
            row = []
        if not name.merged and name.number not in barriers:
            row.append(name)
        if len(row) == ROW:
            return row
    return []


def _any_between(before: PackName, after: PackName, numbers: AbstractSet[int]) -> bool:
    return any(before.last < number < after.first for number in numbers)


class Merge:
    """Packs that become one.

    ``removable`` are the files that nothing needs once the merged pack is there.

    Responsibilities:
    - keep every chunk to which what is wanted refers, or another pack, or an open writer;
    - copy payloads as they are, and gather small blobs anew, so that many states do not make many chunks;
    - leave large files that are mostly wanted in place, for their chunks.
    """

    def __init__(self, shelf: Shelf, names: Sequence[PackName], wanted: Callable[[Kept], bool]) -> None:
        """Read what the packs say; ArchiveError where that cannot be.

        Args:
            shelf: The folder.
            names: The packs, in order.
            wanted: Says which units stay.
        """
        self._shelf = shelf
        self._sources: dict[PackName, Source] = {}
        self._places: dict[str, tuple[PackName, Piece]] = {}
        self._sizes: dict[str, int] = {}
        self._stays: set[PackName] = set()
        self._reader = PieceReader()
        self._indices: dict[str, int] = {}
        self._moved: dict[str, list[Moved]] = {}
        self._usage = _Usage()
        try:
            packs = [self._open(name) for name in names]
            for inner in shelf.names():
                if any(name.replaces(inner) for name in names):
                    self._open(inner)
            self._packs = [_only(pack, wanted) for pack in packs]
        except BaseException:
            self._close()
            raise
        self._one_source = sum(bool(pack.sources.size) for pack in packs) == 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def removable(self) -> list[PackName]:
        """The files that nothing needs once the merged pack is there."""
        return [name for name in self._sources if name not in self._stays]

    def _close(self) -> None:
        for source in self._sources.values():
            source.close()

    def write(self, name: PackName, catalogue: Catalogue, files: Files) -> PackFile:
        """Write the merged pack under its name; what is raised leaves all as it was."""
        for pack in self._packs:
            self._turned(pack, self._usage.of(pack))
        used = _bytes(self._usage.used)
        with catalogue.watching():
            released = catalogue.release(_bytes(self._places), used, _bytes(self._movable()), set(self._sources))
            out = PackFile(self._shelf.folder, name, files, BANDWIDTH)
            try:
                self._choose(used, released)
                out.file.begin(pack_header())
                merged = self._merged(out, released)
                catalogue.replace(self._sources, name, out.commit(merged, sync=True))
            except BaseException:
                out.file.abandon()
                catalogue.take_back(released)
                raise
        return out

    def _open(self, name: PackName) -> Pack:
        source, pack = self._shelf.open(name)
        self._sources[name] = source
        for chunk in pack.chunks:
            self._sizes[chunk.digest] = chunk.size
            if (here := chunk.here()) is not None:
                self._places.setdefault(chunk.digest, (name, Piece(source, here, here.offset)))
        return pack

    def _movable(self) -> set[str]:
        """Chunks of small blobs alone, whose content can be gathered anew."""
        return {
            digest
            for digest in self._usage.used - self._usage.large
            if digest in self._places and self._sizes[digest] <= MOST // 4
        }

    def _choose(self, used: AbstractSet[bytes], released: Released) -> None:
        """Choose the files that stay."""
        held: dict[PackName, int] = dict.fromkeys(self._sources, 0)
        wanted: dict[PackName, int] = dict.fromkeys(self._sources, 0)
        for digest, (name, piece) in self._places.items():
            key = bytes.fromhex(digest)
            held[name] += piece.chunk.stored
            if key in released.shared or (key in used and key not in released.moved):
                wanted[name] += piece.chunk.stored
        self._stays = {name for name in self._sources if wanted[name] > LARGE and wanted[name] * 2 >= held[name]}

    def _merged(self, out: PackFile, released: Released) -> Pack:
        moved = {digest.hex() for digest in released.moved}
        packs = [self._turned(pack, partial(self._blob, out, pack, moved)) for pack in self._packs]
        sources = self._sources_of(out, packs)
        for digest in sorted(released.shared):
            self._index(out, digest.hex())
        marks: dict[str, int | None] = {}
        for pack in packs:
            marks.update(pack.marks)
        environments = [pack.environment for pack in packs if pack.environment is not None]
        moves = [pack.at for pack in packs if pack.states or pack.at is not None]
        pauses = [pack.pause for pack in packs if pack.states or pack.pause is not None]
        return Pack(
            states=_joined(pack.states for pack in packs),
            kept=_joined(pack.kept for pack in packs),
            sources=sources,
            marks=marks,
            forgotten=_joined(pack.forgotten for pack in packs),
            unfit=_joined(pack.unfit for pack in packs),
            remarks=tuple(dict.fromkeys(_joined(pack.remarks for pack in packs))),
            at=moves[-1] if moves else None,
            pause=pauses[-1] if pauses else None,
            environment=environments[-1] if environments else None,
            moved={**self._moved_again(), **{digest: tuple(parts) for digest, parts in self._moved.items()}},
        )

    def _blob(self, out: PackFile, pack: Pack, moved: AbstractSet[str], blob: Blob) -> Blob:
        digests = [pack.chunks[index].digest for index in blob.chunks]
        if len(digests) == 1 and digests[0] in moved:
            return self._gathered(out, digests[0], blob)
        return Blob(tuple(self._index(out, digest) for digest in digests), blob.start, blob.size)

    def _gathered(self, out: PackFile, digest: str, blob: Blob) -> Blob:
        """The new place of a small blob, which takes the rest of its chunk along where all of that is wanted."""
        parts = self._moved.setdefault(digest, [])
        if (part := _part(parts, blob.start, blob.size)) is None:
            whole = self._usage.bytes_of(digest) >= self._sizes[digest]
            begin, size = (0, self._sizes[digest]) if whole else (blob.start, blob.size)
            now = out.gather(self._reader.read([self._places[digest][1]], begin, size))
            part = Moved(begin, size, now.chunks[0], now.start)
            parts.append(part)
        return Blob((part.chunk,), part.start + blob.start - part.begin, blob.size)

    def _moved_again(self) -> dict[str, tuple[Moved, ...]]:
        """Where that is now which earlier merges moved."""
        found: dict[str, list[Moved]] = {}
        for pack in self._packs:
            for digest, parts in pack.moved.items():
                for part in parts:
                    between = pack.chunks[part.chunk].digest
                    if between in self._indices:
                        now = [Moved(0, self._sizes[between], self._indices[between], 0)]
                    else:
                        now = self._moved.get(between, [])
                    found.setdefault(digest, []).extend(filter(None, (part.then(each) for each in now)))
        return {digest: tuple(parts) for digest, parts in found.items() if parts}

    def _index(self, out: PackFile, digest: str) -> int:
        """The index of a chunk in the merged pack, to which its payload is copied where its file does not stay."""
        if digest not in self._indices:
            name, piece = self._places.get(digest, (None, None))
            if piece is None or name in self._stays:
                index = out.refer(bytes.fromhex(digest), self._sizes[digest])
            else:
                index = out.store(piece.copy(), aligned=piece.aligned)
            self._indices[digest] = index
        return self._indices[digest]

    def _sources_of(self, out: PackFile, turned: Sequence[Pack]) -> Blob:
        if self._one_source:
            return next(pack.sources for pack in turned if pack.sources.size)
        texts: dict[str, str] = {}
        for pack in self._packs:
            if pack.sources.size:
                texts.update(msgspec.json.decode(self._content(pack, pack.sources), type=dict[str, str]))
        return out.put_new(memoryview(msgspec.json.encode(texts))) if texts else NOTHING

    def _content(self, pack: Pack, blob: Blob) -> memoryview:
        pieces = []
        for index in blob.chunks:
            digest = pack.chunks[index].digest
            if digest not in self._places:
                raise ArchiveDamaged(f"The packs in {self._shelf.folder} lack the chunk with the digest {digest}.")
            pieces.append(self._places[digest][1])
        return self._reader.read(pieces, blob.start, blob.size)

    def _turned(self, pack: Pack, turn: Callable[[Blob], Blob]) -> Pack:
        """The pack with each of its blobs turned into another one."""
        return msgspec.structs.replace(
            pack,
            states=tuple(_turned_state(state, turn) for state in pack.states),
            kept=tuple(msgspec.structs.replace(kept, unit=_turned_unit(kept.unit, turn)) for kept in pack.kept),
            sources=turn(pack.sources) if self._one_source else pack.sources,
        )


def _only(pack: Pack, wanted: Callable[[Kept], bool]) -> Pack:
    return msgspec.structs.replace(pack, kept=tuple(kept for kept in pack.kept if wanted(kept)))


class _Usage:
    """Which chunks blobs use, and which of these are used by more than small blobs alone."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.large: set[str] = set()
        self._parts: dict[str, set[tuple[int, int]]] = {}

    def of(self, pack: Pack) -> Callable[[Blob], Blob]:
        """A function that notes the chunks of a blob in this pack."""

        def note(blob: Blob) -> Blob:
            digests = {pack.chunks[index].digest for index in blob.chunks}
            self.used |= digests
            if blob.size >= SMALL or len(blob.chunks) > 1:
                self.large |= digests
            for digest in digests:
                self._parts.setdefault(digest, set()).add((blob.start, blob.size))
            return blob

        return note

    def bytes_of(self, digest: str) -> int:
        """How many bytes of a chunk the small blobs in it use, which do not overlap."""
        return sum(size for _, size in self._parts[digest])


def _turned_state(state: StateRecord, turn: Callable[[Blob], Blob]) -> StateRecord:
    return msgspec.structs.replace(
        state,
        run=turn(state.run),
        definitions=tuple(Definition(each.key, _turned_unit(each.unit, turn)) for each in state.definitions),
        generators={name: turn(blob) for name, blob in state.generators.items()},
        modules=tuple(_turned_module(module, turn) for module in state.modules),
    )


def _turned_unit(unit: Unit, turn: Callable[[Blob], Blob]) -> Unit:
    return msgspec.structs.replace(unit, stream=turn(unit.stream), segments=tuple(map(turn, unit.segments)))


def _turned_module(module: OwnModule, turn: Callable[[Blob], Blob]) -> OwnModule:
    return msgspec.structs.replace(
        module, files=tuple(msgspec.structs.replace(file, blob=turn(file.blob)) for file in module.files)
    )


def _joined(parts: Iterable[tuple[Record, ...]]) -> tuple[Record, ...]:
    return tuple(record for part in parts for record in part)


def _part(parts: Iterable[Moved], begin: int, size: int) -> Moved | None:
    return next((part for part in parts if part.holds(begin, size)), None)


def _bytes(digests: Iterable[str]) -> set[bytes]:
    return {bytes.fromhex(digest) for digest in digests}
