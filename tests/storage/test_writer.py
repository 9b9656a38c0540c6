"""Writing archives: what is stored where, once, and under which name."""

from __future__ import annotations

import array
import math
import stat
import threading

import pytest

from elastictm.errors import DestinationError, DestinationExists
from elastictm.storage.chunks import CHUNK, GATHERED, SMALL
from elastictm.storage.layout import PAGE
from elastictm.storage.manifest import Blob, Manifest
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter


def chunks_of(path):
    """The chunks of an archive."""
    with ArchiveReader(path) as reader:
        return reader.manifest.chunks


def test_file_is_private_and_alone(tmp_path, write_archive, names):
    """An archive can be read by its owner alone, and nothing else is left in the folder."""
    write_archive(tmp_path / "work.tm", [b"secret"])
    assert stat.S_IMODE((tmp_path / "work.tm").stat().st_mode) == 0o600
    assert names() == ["work.tm"]


def test_replacing_makes_a_private_file_too(tmp_path, write_archive, read_archive):
    """With force an old file is replaced, and its permissions are not inherited."""
    (tmp_path / "work.tm").write_bytes(b"old")
    (tmp_path / "work.tm").chmod(0o644)
    write_archive(tmp_path / "work.tm", [b"new"], force=True)
    assert read_archive(tmp_path / "work.tm") == [b"new"]
    assert stat.S_IMODE((tmp_path / "work.tm").stat().st_mode) == 0o600


def test_readers_of_the_old_file_are_not_disturbed(tmp_path, noise, write_archive):
    """Memory that was mapped from an archive stays as it was when the archive is replaced."""
    old = noise(GATHERED)
    write_archive(tmp_path / "work.tm", [old])
    with ArchiveReader(tmp_path / "work.tm") as reader:
        mapped = reader.read(reader.manifest.units[0].stream)
    write_archive(tmp_path / "work.tm", [noise(GATHERED, 1)], force=True)
    assert mapped == old


def test_same_data_gives_the_same_bytes(tmp_path, noise, write_archive):
    """Writing the same data twice gives equal files: nothing depends on time, threads or chance."""
    contents = [b"small", noise(3 * CHUNK + 7), bytes(10**6), noise(SMALL)]
    for name in ("a", "b"):
        write_archive(tmp_path / name, contents, bandwidth=1e7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_buffer_may_change_after_put(tmp_path, noise, manifest_of, read_archive):
    """What is written to a buffer after put, or its end, does not reach the archive."""
    contents = [b"small", noise(SMALL), noise(2 * CHUNK + 1)]
    with ArchiveWriter(tmp_path / "a") as writer:
        blobs = []
        for content in contents:
            buffer = bytearray(content)
            blobs.append(writer.put(buffer))
            buffer[:] = bytes(len(buffer))
            buffer.extend(b"resizing needs that nobody holds the buffer")
        writer.commit(manifest_of(blobs))
    assert read_archive(tmp_path / "a") == contents


def test_buffer_that_changes_during_put_gives_a_sound_archive(tmp_path, manifest_of, scribbled):
    """A thread that writes to a buffer while it is stored does not damage the archive."""
    buffer = bytearray(6 * CHUNK)
    with scribbled(buffer), ArchiveWriter(tmp_path / "a") as writer:
        writer.commit(manifest_of([writer.put(buffer)]))
    with ArchiveReader(tmp_path / "a") as reader:
        reader.verify()


def test_small_blobs_share_a_chunk(tmp_path, write_archive):
    """Blobs under 64 KiB follow each other in shared chunks of at most 1 MiB."""
    contents = [bytes([i]) * (SMALL - 1) for i in range(40)]
    blobs = write_archive(tmp_path / "a", contents)
    chunks = chunks_of(tmp_path / "a")
    assert len(chunks) == 3
    assert all(chunk.size <= GATHERED for chunk in chunks)
    assert [blob.start for blob in blobs[:3]] == [0, SMALL - 1, 2 * (SMALL - 1)]


def test_blob_of_64_kib_has_its_own_chunk(tmp_path, noise, write_archive):
    """From 64 KiB on a blob shares no chunk, and starts at a page."""
    (_, blob) = write_archive(tmp_path / "a", [b"small", noise(SMALL)])
    (chunk,) = (chunks_of(tmp_path / "a")[i] for i in blob.chunks)
    assert (blob.start, chunk.size, chunk.offset) == (0, SMALL, PAGE)


def test_large_raw_blob_can_be_mapped(tmp_path, noise, write_archive):
    """A large raw blob starts at a page and its chunks follow each other, whatever was stored before."""
    (_, blob) = write_archive(tmp_path / "a", [b"small", noise(2 * CHUNK + 5)])
    first, second, third = (chunks_of(tmp_path / "a")[i] for i in blob.chunks)
    assert first.offset % PAGE == 0
    assert (second.offset, third.offset) == (first.offset + CHUNK, first.offset + 2 * CHUNK)
    assert [chunk.size for chunk in (first, second, third)] == [CHUNK, CHUNK, 5]


@pytest.mark.parametrize("size", [1, SMALL - 1, SMALL, GATHERED, 2 * CHUNK])
def test_equal_blobs_are_stored_once(tmp_path, noise, write_archive, size):
    """Putting the same bytes again stores nothing more."""
    content = noise(size)
    first, second = write_archive(tmp_path / "a", [content, bytearray(content)])
    assert first == second
    assert sum(chunk.size for chunk in chunks_of(tmp_path / "a")) == size


def test_changed_part_of_a_large_blob_is_all_that_is_stored(tmp_path, noise, write_archive, read_archive):
    """Of a large blob that differs from a stored one in one chunk, that chunk alone is stored."""
    old = noise(4 * CHUNK)
    new = bytearray(old)
    new[CHUNK + 3] ^= 1
    first, second = write_archive(tmp_path / "a", [old, new])
    assert [a == b for a, b in zip(first.chunks, second.chunks, strict=True)] == [True, False, True, True]
    assert read_archive(tmp_path / "a") == [old, bytes(new)]


def test_zeros_are_stored_once(tmp_path, write_archive, read_archive):
    """A blob that repeats itself takes the space of one chunk, raw too."""
    write_archive(tmp_path / "a", [bytes(5 * CHUNK)])
    assert (tmp_path / "a").stat().st_size < 1.1 * CHUNK
    assert read_archive(tmp_path / "a") == [bytes(5 * CHUNK)]


def test_little_sharing_does_not_cost_the_mapping(tmp_path, noise, write_archive):
    """A blob of which less than a quarter is stored already is written whole, so that it can be mapped."""
    shared = noise(CHUNK)
    first, second = write_archive(tmp_path / "a", [shared, noise(4 * CHUNK, 1) + shared])
    chunks = chunks_of(tmp_path / "a")
    offsets = [chunks[i].offset for i in second.chunks]
    assert offsets == [offsets[0] + i * CHUNK for i in range(5)]
    assert not set(first.chunks) & set(second.chunks)


def test_compression_follows_the_bandwidth(tmp_path, noise, write_archive, read_archive):
    """Text is compressed for a slow link and not for none at all, noise never; all comes back."""
    contents = [b"small text " * 100, b"a long text " * 10**5, noise(10**6)]
    write_archive(tmp_path / "slow", contents, bandwidth=1e6)
    write_archive(tmp_path / "none", contents, bandwidth=math.inf)
    codecs = {name: sorted(chunk.codec for chunk in chunks_of(tmp_path / name)) for name in ("slow", "none")}
    assert codecs == {"slow": ["raw", "zstd", "zstd"], "none": ["raw", "raw", "raw"]}
    assert read_archive(tmp_path / "slow") == read_archive(tmp_path / "none") == contents


def test_progress_adds_up(tmp_path, noise, manifest_of):
    """Progress tells every byte that was taken in, stored or not."""
    told = []
    contents = [b"abc", noise(SMALL), noise(2 * CHUNK), noise(2 * CHUNK), b""]
    with ArchiveWriter(tmp_path / "a", progress=told.append) as writer:
        blobs = [writer.put(content) for content in contents]
        assert sum(told) == sum(map(len, contents))
        writer.commit(manifest_of(blobs))
    assert len(told) == 6


def test_typed_buffers_are_bytes(tmp_path, read_archive, write_archive):
    """A buffer of numbers is stored as its bytes."""
    numbers = array.array("d", range(20_000))
    write_archive(tmp_path / "a", [numbers])
    assert read_archive(tmp_path / "a") == [numbers.tobytes()]


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt()])
def test_leaving_without_commit_leaves_no_trace(tmp_path, noise, error, names):
    """An exception in the block, Ctrl-C too, leaves the old file as it was and nothing else."""
    (tmp_path / "a").write_bytes(b"old")
    writer = ArchiveWriter(tmp_path / "a", force=True)

    def fail():
        with writer:
            writer.put(noise(SMALL))
            assert len(names()) == 2
            raise error

    with pytest.raises(type(error)):
        fail()
    assert names() == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_interrupt_in_put_leaves_no_trace(tmp_path, noise, names):
    """Ctrl-C in the middle of a large blob stops the threads and removes the file."""

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ArchiveWriter(tmp_path / "a", progress=stop) as writer:
        writer.put(noise(3 * CHUNK))
    assert names() == []
    assert not [t for t in threading.enumerate() if t.name.startswith("elastictm")]


def test_interrupted_put_cannot_be_followed(tmp_path, noise, manifest_of, names):
    """After a put that was interrupted, the archive cannot be committed with what is missing."""

    told = []

    def stop(count):
        told.append(count)
        if len(told) == 1:
            raise KeyboardInterrupt

    with ArchiveWriter(tmp_path / "a", progress=stop) as writer:
        with pytest.raises(KeyboardInterrupt):
            writer.put(noise(3 * CHUNK))
        with pytest.raises(DestinationError, match="an earlier step failed"):
            writer.put(b"more")
        with pytest.raises(DestinationError, match="an earlier step failed"):
            writer.commit(manifest_of())
    assert names() == []


def test_error_of_the_callback_is_its_own(tmp_path):
    """An OSError of the progress callback is not taken for one of the disk."""

    def fail(_):
        raise BrokenPipeError(32, "the screen went away")

    with pytest.raises(BrokenPipeError), ArchiveWriter(tmp_path / "a", progress=fail) as writer:
        writer.put(b"abc")


def test_file_made_in_the_meantime_is_kept(tmp_path, manifest_of, names):
    """Without force, a file that appears during the save is not replaced."""
    with ArchiveWriter(tmp_path / "a") as writer:
        (tmp_path / "a").write_bytes(b"made by another")
        with pytest.raises(DestinationExists):
            writer.commit(manifest_of())
    assert names() == ["a"]
    assert (tmp_path / "a").read_bytes() == b"made by another"


def test_unsound_manifest_is_not_committed(tmp_path, manifest_of):
    """A manifest that refers to what is not there leaves the old file."""
    (tmp_path / "a").write_bytes(b"old")
    with (
        pytest.raises(ValueError, match="refers to chunk 5"),
        ArchiveWriter(tmp_path / "a", force=True) as writer,
    ):
        writer.commit(manifest_of([Blob((5,), 0, 1)]))
    assert (tmp_path / "a").read_bytes() == b"old"


def test_writer_is_used_inside_its_block_until_commit(tmp_path, manifest_of):
    """Putting before the block, after commit, or after the block is a mistake that is told."""
    writer = ArchiveWriter(tmp_path / "a")
    with pytest.raises(ValueError, match="outside its with block"):
        writer.put(b"x")
    with writer:
        writer.commit(manifest_of())
        with pytest.raises(ValueError, match="after commit"):
            writer.put(b"x")
    with pytest.raises(ValueError, match="outside its with block"):
        writer.commit(manifest_of())
    assert (tmp_path / "a").exists()


def test_wrong_type_does_not_spoil_the_archive(tmp_path, manifest_of, read_archive):
    """Something that is no buffer is refused, and the archive can go on."""
    with ArchiveWriter(tmp_path / "a") as writer:
        with pytest.raises(TypeError):
            writer.put("text")
        writer.commit(manifest_of([writer.put(b"text")]))
    assert read_archive(tmp_path / "a") == [b"text"]


def test_manifest_comes_back_with_its_chunks(tmp_path, manifest_of):
    """The manifest that is read is the one committed, with the chunks filled in."""
    with ArchiveWriter(tmp_path / "a") as writer:
        history = writer.put(b'{"runs": []}')
        committed = manifest_of([writer.put(b"stream")], history, settings={"alpha": 0.5}, cells_rerun=(3, 4))
        size = writer.commit(committed)
    with ArchiveReader(tmp_path / "a") as reader:
        found = reader.manifest
        assert isinstance(found, Manifest)
        assert bytes(reader.read(found.history)) == b'{"runs": []}'
        assert reader.size == size
        assert [chunk.size for chunk in found.chunks] == [18]
        assert found == manifest_of(
            [Blob((0,), 12, 6)], history, settings={"alpha": 0.5}, cells_rerun=(3, 4), chunks=found.chunks
        )
