"""Whether the references inside a manifest hold: chunks in the file, blobs in chunks, placements in segments.

Pure; each function raises ValueError naming the item, what was found and what was expected.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from elastictm.storage.layout import HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from elastictm.storage.manifest import Blob, Chunk, Entry, KeptFuture, Manifest, ShippedFile, Unit
    from elastictm.storage.pack import PackChunk


def check(manifest: Manifest, area_end: int) -> None:
    """Check every reference of a manifest whose chunk area ends at byte ``area_end`` of the file."""
    check_chunks(manifest.chunks, area_end)
    check_blob("the history", manifest.history, manifest.chunks)
    check_blob("the sources", manifest.sources, manifest.chunks)
    for file in manifest.files:
        check_file(file, manifest.chunks)
    for module in manifest.modules:
        for file in module.files:
            check_file(file, manifest.chunks)
    for generator, blob in manifest.generators.items():
        check_blob(f"the state of {generator}", blob, manifest.chunks)
    keys = {definition.key for definition in manifest.definitions}
    if len(keys) != len(manifest.definitions):
        raise ValueError("two definitions have the same key")
    for definition in manifest.definitions:
        check_unit(f"definition {definition.key}", definition.unit, manifest.chunks, keys)
    for i, unit in enumerate(manifest.units):
        check_unit(f"unit {i}", unit, manifest.chunks, keys)
    _check_along(manifest)
    for entry in manifest.entries:
        _check_entry(entry, len(manifest.units))


def _check_along(manifest: Manifest) -> None:
    """Check what travels besides values."""
    for i, blob in enumerate(manifest.past.packs if manifest.past is not None else ()):
        check_blob(f"pack {i} of the past", blob, manifest.chunks)
    for kept in manifest.futures:
        _check_future(kept, manifest.chunks)


def check_chunks(chunks: Sequence[Chunk], area_end: int) -> None:
    """Check that chunks lie in the chunk area, do not overlap, and have sizes that fit their codec."""
    free = HEADER.size
    for i, chunk in sorted(enumerate(chunks), key=lambda pair: pair[1].offset):
        if chunk.offset < free or chunk.offset + chunk.stored > area_end:
            raise ValueError(
                f"chunk {i} claims bytes {chunk.offset} to {chunk.offset + chunk.stored}, "
                f"expected them between {free} and {area_end}"
            )
        free = chunk.offset + chunk.stored
        if chunk.codec == "raw" and (chunk.stored != chunk.size or chunk.seal is not None):
            raise ValueError(f"raw chunk {i} stores {chunk.stored} bytes for {chunk.size}, or has a seal")
        if chunk.codec == "zstd" and (chunk.stored >= chunk.size or chunk.seal is None):
            raise ValueError(f"compressed chunk {i} stores {chunk.stored} bytes for {chunk.size}, or has no seal")


def check_blob(what: str, blob: Blob, chunks: Sequence[Chunk | PackChunk]) -> None:
    """Check that a blob's chunks exist, hold all its bytes, and that none of them is idle."""
    for index in blob.chunks:
        if index >= len(chunks):
            raise ValueError(f"{what} refers to chunk {index}, there are {len(chunks)}")
    if not blob.chunks:
        if blob.start or blob.size:
            raise ValueError(f"{what} claims {blob.size} bytes from {blob.start} without any chunk")
        return
    sizes = [chunks[index].size for index in blob.chunks]
    end = blob.start + blob.size
    if not blob.size or blob.start >= sizes[0] or not sum(sizes[:-1]) < end <= sum(sizes):
        raise ValueError(f"{what} claims bytes {blob.start} to {end} of {len(sizes)} chunks with {sum(sizes)} bytes")


def check_file(file: ShippedFile, chunks: Sequence[Chunk | PackChunk]) -> None:
    """Check that a file that travels stays below the folder that it is unpacked into."""
    parts = PurePosixPath(file.path).parts
    if not parts or ".." in parts or PurePosixPath(file.path).is_absolute():
        raise ValueError(f"the file {file.path!r} would be unpacked outside of its folder")
    check_blob(f"the file {file.path}", file.blob, chunks)


def check_unit(
    what: str, unit: Unit, chunks: Sequence[Chunk | PackChunk], keys: AbstractSet[int] | None = None
) -> None:
    """Check that a unit's blobs hold, its buffers lie in them, and its definitions are among ``keys``, if given."""
    check_blob(f"{what}, stream", unit.stream, chunks)
    for i, segment in enumerate(unit.segments):
        check_blob(f"{what}, segment {i}", segment, chunks)
    for i, place in enumerate(unit.buffers):
        if not place.size:
            continue
        if place.segment >= len(unit.segments):
            raise ValueError(f"{what}, buffer {i} is in segment {place.segment}, there are {len(unit.segments)}")
        if place.offset + place.size > unit.segments[place.segment].size:
            raise ValueError(
                f"{what}, buffer {i} claims bytes {place.offset} to {place.offset + place.size} "
                f"of a segment with {unit.segments[place.segment].size}"
            )
    if keys is not None and (unknown := set(unit.definitions) - keys):
        raise ValueError(f"{what} refers to definitions {sorted(unknown)}, which are not there")


def _check_future(kept: KeptFuture, chunks: Sequence[Chunk]) -> None:
    for blob in (kept.record, kept.inputs, *(b for run in kept.runs for b in (run.answer, run.output, run.results))):
        check_blob(f"the future {kept.name}", blob, chunks)


def _check_entry(entry: Entry, units: int) -> None:
    if entry.outcome == "stored" and entry.unit is None:
        raise ValueError(f"variable {entry.name} is stored, but in no unit")
    if entry.unit is not None and entry.unit >= units:
        raise ValueError(f"variable {entry.name} is in unit {entry.unit}, there are {units}")
