"""Writing packs: what the store has is not stored again, and what changed costs about its own size."""

from __future__ import annotations

import pickle
import stat

import pytest

from elastictm.errors import DestinationError, StoreInUse
from elastictm.storage.cutting import PIECE
from elastictm.storage.layout import PAGE
from elastictm.storage.manifest import Blob
from elastictm.storage.pack import Pack
from elastictm.storage.pack_writer import MOST, SMALL
from elastictm.storage.store import Store
from elastictm.testing.stores import add_state, create, pack_files, read_folder, read_states

MIB = 2**20


@pytest.fixture
def store(tmp_path):
    """A new store."""
    with create(tmp_path / "s") as store:
        yield store


def own_chunks(store, number):
    """The chunks that a pack holds itself."""
    with store.reader() as reader:
        return [chunk for chunk in reader.pack(number).chunks if chunk.at is not None]


@pytest.mark.parametrize("flowing", [False, True])
@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, PIECE - 1, PIECE, 3 * PIECE + 5])
def test_contents_come_back(store, noise, size, flowing):
    """Data of any size comes back, flowing or not."""
    add_state(store, 0, {"x": noise(size)}, flowing=flowing)
    assert read_folder(store.folder) == {0: {"run": b'{"n": 0}', "x": noise(size)}}


def test_files_are_private(store):
    """The folder and all files in it can be read by their owner alone."""
    add_state(store, 0, {"x": b"secret"})
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {0o600}


def test_changed_element_of_a_large_array_costs_a_piece(store, noise):
    """Of an array in which one element changed, two mebibytes at most are stored, and both versions come back."""
    data = bytearray(noise(24 * MIB))
    add_state(store, 0, {"x": data})
    first = bytes(data)
    data[13 * MIB] ^= 1
    assert add_state(store, 1, {"x": data}).bytes < 2 * MIB
    found = read_states(store)
    assert found[0]["x"] == first
    assert found[1]["x"] == data


def test_unchanged_array_costs_nothing(store, noise):
    """What is stored already takes a few bytes for each piece, also when another process put it there."""
    add_state(store, 0, {"x": noise(8 * MIB)})
    assert add_state(store, 1, {"x": noise(8 * MIB)}).bytes < 3000
    store.close()
    with Store.take_over(store.folder) as later:
        assert add_state(later, 2, {"x": noise(8 * MIB)}).bytes < 3000
    assert read_folder(store.folder)[2]["x"] == noise(8 * MIB)


@pytest.mark.parametrize("change", ["element", "insertion", "removal"])
def test_changes_inside_a_stream_cost_little(store, change):
    """A stream of 10 MB in whose middle something changed, came or went takes less than a megabyte more."""
    values = [f"value {i * 7919 % 100_003}" for i in range(750_000)]
    stream = pickle.dumps(values, 5)
    assert len(stream) > 10**7
    add_state(store, 0, {"x": stream}, flowing=True)
    if change == "element":
        values[300_000] = "another"
    elif change == "insertion":
        values[300_000:300_000] = [f"new {i}" for i in range(1000)]
    else:
        del values[300_000:301_000]
    changed = pickle.dumps(values, 5)
    assert add_state(store, 1, {"x": changed}, flowing=True).bytes < 10**6
    found = read_states(store)
    assert (found[0]["x"], found[1]["x"]) == (stream, changed)


def test_equal_blobs_of_one_pack_are_stored_once(store, noise):
    """What comes twice in a pack, small or large, is stored once."""
    once = add_state(store, 0, {"x": noise(100), "y": noise(3 * MIB)}).bytes
    many = {f"x{i}": noise(100, 5) for i in range(9)} | {f"y{i}": noise(3 * MIB, 6) for i in range(5)}
    assert add_state(store, 1, many).bytes < once + 10_000


def test_small_blobs_share_chunks_that_their_content_ends(store, noise):
    """Thousands of small blobs take chunks of some 64 KiB, and one blob more changes one or two of these."""
    contents = {f"x{i}": noise(500, i) for i in range(2000)}
    number = add_state(store, 0, contents).sequence
    sizes = [chunk.size for chunk in own_chunks(store, number)]
    assert 8 <= len(sizes) <= 40
    assert max(sizes) <= MOST
    more = {"new": noise(500, 9999), **contents}
    with store.writer() as writer:
        blobs = [writer.put(content) for content in more.values()]
        writer.commit(Pack())
    assert len(own_chunks(store, number + 1)) <= 2
    assert len(blobs) == 2001


def test_data_that_repeats_itself_is_compressed(store):
    """What shrinks a lot is compressed, and comes back."""
    assert add_state(store, 0, {"x": b"text " * 10**6}).bytes < 10**5
    assert read_states(store)[0]["x"] == b"text " * 10**6


def test_large_raw_pieces_start_at_pages(store, noise):
    """Pieces of large arrays start at pages, so that they can be mapped one by one."""
    number = add_state(store, 0, {"a": b"x", "b": noise(3 * MIB + 5)}).sequence
    offsets = [chunk.at.offset for chunk in own_chunks(store, number) if chunk.size > PAGE]
    assert len(offsets) == 3
    assert not any(offset % PAGE for offset in offsets)


def test_writers_side_by_side(store, noise):
    """Packs have their places from when they were begun, whichever is committed first; what one leaves others do not need."""
    slow, quick, dropped = store.writer(), store.writer(), store.writer()
    with slow, quick:
        blob = slow.put(noise(2 * MIB))
        with dropped:
            dropped.put(noise(2 * MIB))
        assert quick.put(noise(2 * MIB)) == Blob((0, 1), 0, 2 * MIB)
        quick.commit(Pack(sources=blob))
        slow.commit(Pack())
    assert [number for number, _ in store.packs()] == [1, 2]
    with store.reader() as reader:
        assert reader.read(2, blob) == noise(2 * MIB)


def test_writing_while_data_changes(store, noise, scribbled):
    """A buffer that is written to meanwhile is stored as it was at some time, piece by piece, and reads without error."""
    buffer = bytearray(noise(6 * MIB))
    with scribbled(buffer):
        for n in range(5):
            add_state(store, n, {"x": buffer})
    found = read_states(store)
    assert [len(found[n]["x"]) for n in range(5)] == [6 * MIB] * 5
    # What the fast hashes remember is what the packs hold.
    add_state(store, 5, {"x": buffer})
    assert read_folder(store.folder)[5]["x"] == buffer


def test_writer_left_without_commit_leaves_no_trace(store, noise):
    """A pack that is not committed is gone, and nothing refers to it."""
    with store.writer() as writer:
        writer.put(noise(MIB))
    assert pack_files(store.folder) == []
    assert add_state(store, 0, {"x": noise(MIB)}).bytes > MIB


def test_failed_put_cannot_be_followed(store, noise, monkeypatch):
    """After a put that failed, the pack cannot be committed with what is missing."""
    with store.writer() as writer:
        monkeypatch.setattr(type(store._files), "write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            writer.put(noise(MIB))
        monkeypatch.undo()
        with pytest.raises(DestinationError, match="an earlier step failed"):
            writer.commit(Pack())
    assert pack_files(store.folder) == []


def test_readers_do_not_write(store):
    """A store that is opened to be read has no writers."""
    with pytest.raises(StoreInUse, match="can only be read by this process"):
        Store.open(store.folder).writer()
