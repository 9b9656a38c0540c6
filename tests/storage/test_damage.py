"""Damaged and forged files: nothing but an ArchiveError, and no damage unseen."""

from __future__ import annotations

import contextlib
import os
import random
import tracemalloc
from dataclasses import dataclass

import msgspec
import pytest

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveTooNew, NotAnArchive
from elastictm.storage.chunks import GATHERED
from elastictm.storage.codec import compress
from elastictm.storage.digest import digest_of
from elastictm.storage.layout import END_MAGIC, HEADER, TRAILER, pack_header
from elastictm.storage.manifest import MOST, Blob, Chunk
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.faults import flip_byte

DIGEST = "0123456789abcdef" * 4


def everything(path):
    """The contents of all units, history included."""
    with ArchiveReader(path) as reader:
        blobs = [reader.manifest.history, *(unit.stream for unit in reader.manifest.units)]
        return [bytes(reader.read(blob)) for blob in blobs]


def verified(path):
    """Open and verify."""
    with ArchiveReader(path) as reader:
        reader.verify()


@pytest.fixture
def archive(tmp_path, noise, write_archive):
    """A small archive with every kind of chunk and padding."""
    contents = [b"small " * 50, noise(70_000), bytes(80_000) + noise(3000), b"small too", noise(65_536, 1)]
    write_archive(tmp_path / "a", contents, bandwidth=1e8)
    with ArchiveReader(tmp_path / "a") as reader:
        assert {chunk.codec for chunk in reader.manifest.chunks} == {"raw", "zstd"}
    return tmp_path / "a"


def test_every_truncation_is_found_on_opening(archive, tmp_path):
    """A file cut at any length gives an ArchiveError when it is opened."""
    whole = archive.read_bytes()
    for length in (*range(0, len(whole), 64), *range(80), *range(len(whole) - 80, len(whole))):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ArchiveError, match="cut"):
            ArchiveReader(tmp_path / "cut")


def test_bytes_after_the_end_are_found_on_opening(archive):
    """A file with more at its end than was written is refused."""
    for tail in (b"\0", b"\0" * 100, END_MAGIC, archive.read_bytes()[-56:], archive.read_bytes()):
        whole = archive.read_bytes()
        archive.write_bytes(whole + tail)
        with pytest.raises(ArchiveDamaged):
            ArchiveReader(archive)
        archive.write_bytes(whole)


def flips(size, count):
    """Offsets and masks: every byte of the frame's ends, and random ones everywhere."""
    chance = random.Random(7)
    edges = [*range(HEADER.size), *range(size - TRAILER.size, size)]
    offsets = edges + [chance.randrange(size) for _ in range(count - len(edges))]
    return [(offset, chance.choice([0xFF, 1 << chance.randrange(8), chance.randrange(1, 256)])) for offset in offsets]


def test_every_flipped_byte_is_found(archive):
    """A flipped byte anywhere is found by verify, and reading gives an ArchiveError or what was written."""
    intact = everything(archive)
    for offset, mask in flips(archive.stat().st_size, 2000):
        flip_byte(archive, offset, mask)
        with pytest.raises(ArchiveError):
            verified(archive)
        with contextlib.suppress(ArchiveError):
            assert everything(archive) == intact  # a byte of padding, which holds no content
        flip_byte(archive, offset, mask)
    verified(archive)


def test_flipped_byte_of_content_is_found_by_reading(archive):
    """A flipped byte of any chunk, compressed ones too, is found by reading, and its place is told."""
    with ArchiveReader(archive) as reader:
        chunks = reader.manifest.chunks
    intact = archive.read_bytes()
    chance = random.Random(8)
    for chunk in chunks:
        end = chunk.offset + chunk.stored
        for offset in (chunk.offset, end - 1, *(chance.randrange(chunk.offset, end) for _ in range(20))):
            flip_byte(archive, offset, 1 << chance.randrange(8))
            with pytest.raises(ArchiveDamaged, match=rf"bytes {chunk.offset} to {end}, has the digest"):
                everything(archive)
            archive.write_bytes(intact)


def test_flipped_byte_of_a_mapped_blob_is_found(tmp_path, noise, write_archive):
    """A flipped byte of a mapped blob is found when it is read, not when it is used."""
    write_archive(tmp_path / "a", [noise(GATHERED)])
    chance = random.Random(9)
    for _ in range(20):
        offset = chance.randrange(4096, 4096 + GATHERED)
        flip_byte(tmp_path / "a", offset)
        with pytest.raises(ArchiveDamaged, match="has the digest"):
            everything(tmp_path / "a")
        flip_byte(tmp_path / "a", offset)
    assert everything(tmp_path / "a")[1] == noise(GATHERED)


def test_newer_format_is_named(archive):
    """An archive of the next format is told apart from a damaged one."""
    flip_byte(archive, 8, 1 ^ 2)
    with pytest.raises(ArchiveTooNew, match=r"in archive format 2.*Install a newer elastictm"):
        ArchiveReader(archive)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 5000, b"PK\x03\x04" + bytes(500), b'{"cells": []}' * 20, os.urandom(3000)],
    ids=["empty", "zeros", "zip", "json", "random"],
)
def test_other_files_are_no_archives(tmp_path, content):
    """Files of other kinds are told as such."""
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(NotAnArchive, match="is not an elastictm archive"):
        ArchiveReader(tmp_path / "a")


@dataclass(frozen=True)
class Forgery:
    """A sound frame around a chunk table, an area and a history that lie."""

    chunks: tuple[Chunk, ...]
    history: Blob
    words: str
    area: bytes = bytes(100)


def seal(data):
    """The digest of bytes in hexadecimal."""
    return digest_of(data).hex()


BOMB = compress(bytes(16 * 2**20))
SHORT = compress(b"short" * 10)
FORGERIES = {
    "chunk beyond the file": Forgery((Chunk(16, 101, 101, "raw", DIGEST),), Blob((), 0, 0), "expected them between"),
    "absurd offset": Forgery((Chunk(MOST, 1, 1, "raw", DIGEST),), Blob((), 0, 0), "chunk 0 claims bytes"),
    "absurd blob": Forgery((Chunk(16, 9, 9, "raw", DIGEST),), Blob((0,), 0, MOST), "history claims bytes"),
    "other content": Forgery((Chunk(16, 100, 100, "raw", DIGEST),), Blob((0,), 0, 100), "has the digest"),
    "frame of another size": Forgery(
        (Chunk(16, len(BOMB), 2000, "zstd", seal(bytes(2000)), seal(BOMB)),),
        Blob((0,), 0, 2000),
        "claims 16777216 bytes, expected 2000",
        BOMB,
    ),
    "frame that gives less": Forgery(
        (Chunk(16, len(SHORT), 2**24, "zstd", DIGEST, seal(SHORT)),),
        Blob((0,), 0, 2**24),
        "claims 50 bytes, expected 16777216",
        SHORT,
    ),
    "no frame": Forgery(
        (Chunk(16, 100, 2**24, "zstd", DIGEST, seal(bytes(100))),), Blob((0,), 0, 2**24), "a compressed chunk"
    ),
    "unsealed frame": Forgery((Chunk(16, 100, 2**24, "zstd", DIGEST, DIGEST),), Blob((0,), 0, 2**24), "has the digest"),
    "terabytes of one broken chunk": Forgery(
        (Chunk(16, 100, 2**24, "zstd", DIGEST, DIGEST),), Blob((0,) * 70_000, 0, 70_000 * 2**24), "has the digest"
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_claims_are_refused_without_taking_memory(tmp_path, forge, manifest_of, forgery):
    """A file that claims what it has not gives an ArchiveDamaged, and never memory on the strength of a claim."""
    manifest = manifest_of(history=forgery.history, chunks=forgery.chunks)
    forge(tmp_path / "a", msgspec.json.encode(manifest), forgery.area)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveDamaged, match=forgery.words):
            everything(tmp_path / "a")
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**40, 2**28 + 1])
def test_absurd_footer_takes_no_memory(tmp_path, length):
    """A footer length that no machine could read is refused before anything is allocated, in a sparse file too."""
    size = min(HEADER.size + length + TRAILER.size, 2**30)
    with (tmp_path / "a").open("wb") as file:
        file.write(pack_header())
        file.truncate(size - TRAILER.size)
        file.seek(0, os.SEEK_END)
        file.write(TRAILER.pack(HEADER.size, length, bytes(32), END_MAGIC))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveDamaged, match="claims"):
            ArchiveReader(tmp_path / "a")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("footer", [b"", b"{}", b"[" * 50_000, b"\xff", b"null", b'{"chunks":' + b"9" * 5000 + b"}"])
def test_footer_that_is_no_manifest(tmp_path, forge, footer):
    """A footer with a good digest and bad content is an ArchiveDamaged."""
    with pytest.raises(ArchiveDamaged, match=r"is damaged: the manifest is not valid"):
        ArchiveReader(forge(tmp_path / "a", footer))


def test_hidden_bytes_are_found_by_verify(tmp_path, forge, manifest_of):
    """Bytes that belong to no chunk are found: zeros of a page and more, or anything that is not zero."""
    footer = msgspec.json.encode(manifest_of())
    forge(tmp_path / "padding", footer, bytes(4095))
    verified(tmp_path / "padding")
    forge(tmp_path / "page", footer, bytes(4096))
    with pytest.raises(ArchiveDamaged, match="bytes 16 to 4112 belong to no chunk"):
        verified(tmp_path / "page")
    forge(tmp_path / "secret", footer, bytes(50) + b"x")
    with pytest.raises(ArchiveDamaged, match="bytes 16 to 67 are padding, expected zeros"):
        verified(tmp_path / "secret")
