"""The packs of a session's past inside an archive: what they say of themselves, and their chunks among its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from elastictm.errors import ArchiveDamaged, NotAnArchive
from elastictm.storage.frame import check_pack
from elastictm.storage.layout import HEADER
from elastictm.storage.manifest import Past, json_of
from elastictm.storage.pack import SCHEMA, Pack, PackChunk, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elastictm.storage.reader import ArchiveReader
    from elastictm.storage.store import Store
    from elastictm.storage.store_reader import StoreReader
    from elastictm.storage.writer import ArchiveWriter


def put_past(stored: StoreReader, states: int, writer: ArchiveWriter) -> Past:
    """Put all packs of a store into an archive, before anything else, which then shares their chunks.

    Raises:
        ArchiveError: A chunk cannot be read.
        DestinationError: The archive cannot be written.
    """
    packs = [pack for _, pack in stored.packs()]
    moved = _moved(packs)
    size = 0
    for digest in dict.fromkeys(chunk.digest for pack in packs for chunk in pack.chunks):
        if digest not in moved or stored.has(digest):
            size += writer.share(stored.piece(bytes.fromhex(digest)))
    blobs = []
    for pack in packs:
        bare = tuple(PackChunk(chunk.digest, chunk.size) for chunk in pack.chunks)
        blobs.append(writer.put(json_of(msgspec.structs.replace(pack, chunks=bare))))
    return Past(tuple(blobs), states, size)


def packs_of(archive: ArchiveReader) -> Iterator[Pack]:
    """The packs in an archive, each checked; none where it has no past.

    Raises:
        ArchiveDamaged: One is not sound.
        ArchiveTooNew: One has a schema that this program does not know.
    """
    past = archive.manifest.past
    for i, blob in enumerate(past.packs if past is not None else ()):
        footer = bytes(archive.read(blob))
        try:
            check_pack(f"{archive.name}, pack {i} of its past,", footer, SCHEMA)
            pack = decode(footer, HEADER.size)
        except (NotAnArchive, ValueError) as error:
            raise ArchiveDamaged(f"{archive.name} is damaged in pack {i} of its past: {error}.") from error
        yield pack


def check_past(archive: ArchiveReader) -> None:
    """Check the packs in an archive, and that it holds all their chunks; ArchiveDamaged where it does not."""
    packs = list(packs_of(archive))
    moved = _moved(packs)
    for pack in packs:
        for chunk in pack.chunks:
            found = archive.find(chunk.digest)
            if found is None and chunk.digest not in moved:
                raise ArchiveDamaged(f"{archive.name} is damaged: its past lacks the chunk with digest {chunk.digest}.")
            if found is not None and found.chunk.size != chunk.size:
                raise ArchiveDamaged(
                    f"{archive.name} is damaged: its past claims {chunk.size} bytes of the chunk with digest "
                    f"{chunk.digest}, which has {found.chunk.size}."
                )


def unpack_past(archive: ArchiveReader, store: Store) -> None:
    """Have a new store hold the packs of an archive.

    Raises:
        ArchiveError: They cannot be read.
        DestinationError: The store cannot be written.
    """
    check_past(archive)
    for pack in packs_of(archive):
        with store.writer() as writer:
            writer.adopt(pack, archive.find)


def _moved(packs: Sequence[Pack]) -> set[str]:
    """Chunks that are no more, as merges put their content into others."""
    return {digest for pack in packs for digest in pack.moved}
