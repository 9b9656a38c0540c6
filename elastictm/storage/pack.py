"""A pack: what one or more states of a session added, as typed records that are JSON in the file's footer.

A pack has the frame of an archive and its chunks, but its chunks may lie in other packs of the same store.
"""

from __future__ import annotations

from msgspec import Struct, field

from elastictm.storage.checks import check_blob, check_chunks, check_file, check_unit
from elastictm.storage.codec import Codec
from elastictm.storage.manifest import (
    NOTHING,
    AlteredModule,
    Blob,
    Chunk,
    ChunkSize,
    Count,
    Definition,
    Environment,
    HexDigest,
    OwnModule,
    Seconds,
    Unit,
    json_of,
    record_of,
)

SCHEMA = 1
"""Schema of packs that is written, and the newest that is read."""


class Stored(Struct, frozen=True, omit_defaults=True):
    """Where a chunk lies in its pack: ``stored`` bytes from ``offset``; ``seal`` is their digest if compressed."""

    offset: Count
    stored: ChunkSize
    codec: Codec
    seal: HexDigest | None = None


class PackChunk(Struct, frozen=True, omit_defaults=True):
    """A chunk by the digest of its content; ``at`` is None where another pack of the store holds it."""

    digest: HexDigest
    size: ChunkSize
    at: Stored | None = None

    @staticmethod
    def of(chunk: Chunk) -> PackChunk:
        """A chunk of this file."""
        return PackChunk(chunk.digest, chunk.size, Stored(chunk.offset, chunk.stored, chunk.codec, chunk.seal))

    def here(self) -> Chunk | None:
        """The chunk as one of this file, or None."""
        at = self.at
        return None if at is None else Chunk(at.offset, at.stored, self.size, at.codec, self.digest, at.seal)


class Kept(Struct, frozen=True, omit_defaults=True):
    """The bytes of an alias group, with what is known of each of its names, in the order of ``unit.names``.

    ``at`` is the cell run after which it was frozen.
    ``ns`` are the cell runs that wrote the versions, ``seconds`` is what freezing them took.
    ``flaws`` tell by name what comes back without something.
    """

    at: Count
    unit: Unit
    ns: tuple[Count, ...]
    sizes: tuple[Count, ...]
    seconds: tuple[Seconds, ...]
    fingerprints: tuple[str | None, ...]
    flaws: dict[str, str] = field(default_factory=dict)


class StateRecord(Struct, frozen=True, omit_defaults=True):
    """The state after cell run ``n``, as far as it differs from that of ``parent``.

    ``run`` is the cell run as JSON, ``definitions`` are the new or changed ones.
    ``refusals`` are names without bytes, with the path of the object that refused and the reason.
    ``groups`` are names that share data, as they were frozen.
    ``modules`` are the user's own that are new or changed, ``imported`` the parts of packages that the cell imported.
    ``altered`` is all that the session changed inside own modules so far; None where it is as in ``parent``.
    """

    n: Count
    parent: Count | None
    run: Blob
    lapses: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    generators: dict[str, Blob] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] = ()
    modules: tuple[OwnModule, ...] = ()
    imported: tuple[str, ...] = ()
    altered: tuple[AlteredModule, ...] | None = None


class Pause(Struct, frozen=True, omit_defaults=True):
    """States were no longer kept from cell run ``n`` on; ``why`` is empty where the user wanted that."""

    n: Count
    why: str = ""


class Learned(Struct, frozen=True, omit_defaults=True):
    """Something that was learned about cell run ``n`` after it ended."""

    n: Count
    text: str


class Unfit(Struct, frozen=True, omit_defaults=True):
    """A version whose bytes, stored earlier, turned out not to bring it back."""

    name: str
    n: Count
    reason: str


class Moved(Struct, frozen=True, omit_defaults=True):
    """Part of a chunk of packs that were merged: ``size`` bytes from ``begin``, now from ``start`` of another chunk."""

    begin: Count
    size: Count
    chunk: Count
    start: Count

    def holds(self, begin: int, size: int) -> bool:
        """Whether the bytes ``[begin, begin + size)`` of the former chunk are in this part."""
        return self.begin <= begin and begin + size <= self.begin + self.size

    def then(self, other: Moved) -> Moved | None:
        """What of this part the other one moved on, from the chunk in which this one put it; None if nothing."""
        start = max(self.start, other.begin)
        end = min(self.start + self.size, other.begin + other.size)
        if start >= end:
            return None
        return Moved(self.begin + start - self.start, end - start, other.chunk, other.start + start - other.begin)


class Pack(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="pack"):
    """All that a pack says of itself; the writer fills in ``chunks``.

    ``sources`` is a JSON object of new source texts by file name.
    ``marks`` are tags, with the state that each names from now on; None removes it.
    ``forgotten`` are states that were cleared.
    ``at`` is where the session stands from now on; None where it is in the last of ``states``, or where it was.
    ``pause`` tells, after ``states``, that no more were kept; a later pack with states ends it.
    ``moved`` tells of chunks, by their digests, whose content is found in others since a merge.
    """

    schema: Count = SCHEMA
    states: tuple[StateRecord, ...] = ()
    kept: tuple[Kept, ...] = ()
    sources: Blob = NOTHING
    marks: dict[str, Count | None] = field(default_factory=dict)
    forgotten: tuple[Count, ...] = ()
    unfit: tuple[Unfit, ...] = ()
    remarks: tuple[Learned, ...] = ()
    at: Count | None = None
    pause: Pause | None = None
    environment: Environment | None = None
    moved: dict[HexDigest, tuple[Moved, ...]] = field(default_factory=dict)
    chunks: tuple[PackChunk, ...] = ()


def encode(pack: Pack, area_end: int) -> bytes:
    """The footer of a pack whose chunk area ends at ``area_end``; ValueError where a reader would refuse it."""
    footer = json_of(pack)
    decode(footer, area_end)
    return footer


def decode(footer: bytes, area_end: int) -> Pack:
    """The pack in a footer whose chunk area ends at ``area_end``; ValueError where it is not a sound one."""
    pack = record_of(footer, Pack, "the pack's footer")
    check(pack, area_end)
    return pack


def check(pack: Pack, area_end: int) -> None:
    """Check every reference inside a pack; keys of definitions may be those of other packs."""
    chunks = pack.chunks
    check_chunks([chunk for chunk in map(PackChunk.here, chunks) if chunk is not None], area_end)
    check_blob("the sources", pack.sources, chunks)
    for state in pack.states:
        check_blob(f"the run of cell {state.n}", state.run, chunks)
        for generator, blob in state.generators.items():
            check_blob(f"the state of {generator} after cell {state.n}", blob, chunks)
        for definition in state.definitions:
            check_unit(f"definition {definition.key}", definition.unit, chunks)
        for module in state.modules:
            for file in module.files:
                check_file(file, chunks)
    for i, kept in enumerate(pack.kept):
        check_unit(f"unit {i}", kept.unit, chunks)
        counts = {len(column) for column in (kept.unit.names, kept.ns, kept.sizes, kept.seconds, kept.fingerprints)}
        if len(counts) != 1:
            raise ValueError(f"unit {i} does not say the same number of things of each of {kept.unit.names}")
    for digest, parts in pack.moved.items():
        for part in parts:
            check_blob(f"the chunk {digest}, which was moved", Blob((part.chunk,), part.start, part.size), chunks)
