"""Cutting, preparing and remembering chunks."""

from __future__ import annotations

import array
import ctypes

import pytest

from elastictm.storage.chunks import CHUNK, GATHERED, ChunkTable, Gatherer, cut, flat, prepare
from elastictm.storage.layout import PAGE
from elastictm.storage.manifest import Blob


def fortran(rows, columns):
    """A buffer that is contiguous, but not in C's order."""
    numpy = pytest.importorskip("numpy")
    return numpy.asfortranarray(numpy.arange(rows * columns, dtype=float).reshape(rows, columns))


def test_chunks_end_at_pages():
    """A blob's raw chunks can follow each other without gaps and still start at pages."""
    assert CHUNK % PAGE == 0


@pytest.mark.parametrize(
    "data",
    [b"abc", bytearray(b"abc"), array.array("d", [1, 2]), (ctypes.c_int * 3)(1, 2, 3), memoryview(b"")],
    ids=["bytes", "bytearray", "array", "ctypes", "empty"],
)
def test_any_buffer_is_bytes(data):
    """A buffer of any type is taken as the bytes that it holds."""
    assert bytes(flat(data)) == bytes(memoryview(data))


def test_columns_first_is_memory_order():
    """A Fortran array is taken in the order of its memory, as pickle's out-of-band buffers are."""
    data = fortran(3, 4)
    assert bytes(flat(data)) == data.T.tobytes()


def test_gaps_are_left_out():
    """A buffer with gaps is taken as its items, in order."""
    assert bytes(flat(memoryview(b"abcdef")[::2])) == b"ace"


def test_what_is_no_buffer_is_a_type_error():
    """Something without bytes is refused as Python refuses it."""
    with pytest.raises(TypeError):
        flat("text")


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_cut_covers_all(size):
    """The pieces follow each other, and only the last is shorter than a chunk."""
    pieces = cut(memoryview(bytearray(size)))
    assert sum(map(len, pieces)) == size
    assert {len(piece) for piece in pieces[:-1]} <= {CHUNK}
    assert 0 < len(pieces[-1]) <= CHUNK


def test_prepared_chunk_is_a_copy():
    """What the caller writes after preparing is not stored."""
    data = bytearray(b"before")
    chunk = prepare(memoryview(data), compressed=False)
    data[:] = b"behind"
    assert (chunk.payload, chunk.codec, chunk.size) == (b"before", "raw", 6)


def test_incompressible_chunk_stays_raw(noise):
    """A chunk that compression makes no smaller is stored as it is."""
    assert prepare(memoryview(noise(5000)), compressed=True).codec == "raw"


def test_compressed_chunk_has_a_seal():
    """A compressed chunk is described by digests of its content and of its stored bytes."""
    chunk = prepare(memoryview(bytes(5000)), compressed=True).at(100)
    assert (chunk.codec, chunk.size, chunk.offset) == ("zstd", 5000, 100)
    assert chunk.stored < 100
    assert chunk.seal not in {None, chunk.digest}


def test_unfilled_reservation_is_found():
    """A table with a reserved chunk that was never stored cannot become a manifest."""
    table = ChunkTable()
    table.reserve()
    with pytest.raises(ValueError, match="1 reserved chunks"):
        table.chunks()


def test_known_bytes_counts_stored_and_repeated():
    """Pieces count as known when they are stored, or when an equal piece comes first."""
    table = ChunkTable()
    table.fill(table.reserve(), prepare(memoryview(b"stored"), compressed=False).at(16))
    assert table.known_bytes([memoryview(b"stored"), memoryview(b"new"), memoryview(b"new")]) == 9


def test_gatherer_keeps_equal_blobs_once():
    """Equal small blobs are one blob, and the shared chunk holds each content once, in order."""
    gatherer = Gatherer(ChunkTable())
    blobs = [gatherer.add(memoryview(content)) for content in (b"one", b"two", b"one")]
    assert blobs == [Blob((0,), 0, 3), Blob((0,), 3, 3), Blob((0,), 0, 3)]
    assert gatherer.take() == (0, b"onetwo")
    assert gatherer.take() is None


def test_gatherer_has_room_up_to_its_limit():
    """A shared chunk takes as many bytes as it may have, and no more."""
    gatherer = Gatherer(ChunkTable())
    gatherer.add(memoryview(b"abc"))
    assert not gatherer.is_full(GATHERED - 3)
    assert gatherer.is_full(GATHERED - 2)


def test_gatherer_ends_where_contents_say_so(noise):
    """Shared chunks that their contents end have about the usual size, and end after the same blobs whatever came before."""

    def ends(contents):
        gatherer, found = Gatherer(ChunkTable(), 40_000, 10_000), []
        for content in contents:
            if gatherer.is_full(len(content)):
                gatherer.take()
                found.append(content)
            gatherer.add(memoryview(content))
        return found

    contents = [noise(100, seed) for seed in range(3000)]
    assert 20 <= len(ends(contents)) <= 45
    assert set(ends([b"new", *contents[50:]])) <= set(ends(contents))
