"""Stores: one process writes, any number read, and whatever happened to a pack, the others are there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import msgspec
import pytest

from elastictm.errors import (
    ArchiveDamaged,
    ArchiveError,
    ArchiveMissing,
    DestinationError,
    DestinationExists,
    StoreInUse,
)
from elastictm.storage.about import read_about
from elastictm.storage.manifest import Blob
from elastictm.storage.store import Store
from elastictm.testing.faults import flip_byte
from elastictm.testing.stores import ABOUT, add_state, create, pack_files, read_folder, read_states

MIB = 2**20


@pytest.fixture
def store(tmp_path):
    """A new store."""
    with create(tmp_path / "s") as store:
        yield store


def start(folder, *lines) -> subprocess.Popen:
    """Another process that takes over a store and runs these lines."""
    script = "\n".join(
        [
            "import os, signal, sys, time",
            "from elastictm.storage.store import Store",
            "from elastictm.testing.stores import add_state",
            "store = Store.take_over(sys.argv[1])",
            "ready = lambda: print('ready', flush=True)",
            *lines,
        ]
    )
    paths = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_new_store_is_empty_and_says_whose_it_is(store):
    """A new store has no packs, and tells of its session."""
    assert list(store.packs()) == []
    assert Store.open(store.folder).about == ABOUT
    assert (store.owned, store.in_use) == (True, True)
    assert store.merge_due() == []


def test_folder_that_holds_a_store_is_not_taken_for_a_new_one(store):
    """A store is not made over another one."""
    store.close()
    with pytest.raises(DestinationExists, match="holds a session's past already"):
        create(store.folder)
    assert not store.in_use


@pytest.mark.parametrize("opening", [Store.open, Store.take_over])
def test_no_store_is_told(tmp_path, opening):
    """A folder that is missing or something else is no store, and stays as it is."""
    with pytest.raises(ArchiveMissing, match="holds no session's past"):
        opening(tmp_path / "missing")
    with pytest.raises(ArchiveMissing, match="holds no session's past"):
        opening(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_process_writes(store):
    """While a store is owned, nobody else takes it over or makes one there; it can be read."""
    add_state(store, 0, {"x": b"abc"})
    with pytest.raises(StoreInUse, match="is recorded by process 7 on host"):
        Store.take_over(store.folder)
    with pytest.raises(StoreInUse):
        create(store.folder)
    assert read_folder(store.folder) == {0: {"run": b'{"n": 0}', "x": b"abc"}}
    assert Store.open(store.folder).in_use


def test_store_goes_on_after_it_was_taken_over(store):
    """Who takes a store over sees all packs, adds more after them, and is named in it."""
    add_state(store, 0, {"x": b"abc"})
    store.close()
    assert not Store.open(store.folder).in_use
    with Store.take_over(store.folder) as later:
        assert (later.about.pid, later.about.id) == (os.getpid(), ABOUT.id)
        assert add_state(later, 1, {"x": b"def"}).sequence == 2
        assert read_about(store.folder) == later.about
    assert [found["x"] for found in read_folder(store.folder).values()] == [b"abc", b"def"]


@pytest.mark.parametrize(
    "lines",
    [
        ["ready()", "time.sleep(60)"],
        ["w = store.writer()", "w.__enter__()", "w.put(bytes(10**6))", "ready()", "time.sleep(60)"],
        ["ready() if os.fork() else None", "time.sleep(5)"],
    ],
    ids=["idle", "writing", "with a child that lives on"],
)
def test_killed_process_leaves_the_store_free(store, lines):
    """The system frees the store of a process that is killed, and what it had not finished is removed."""
    add_state(store, 0, {"x": b"abc"})
    store.close()
    with start(store.folder, *lines) as other:
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(StoreInUse, match=f"by process {other.pid} on"):
            Store.take_over(store.folder)
        other.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        with Store.take_over(store.folder) as later:
            assert sorted(path.name for path in store.folder.iterdir()) == ["00000001.tm", "lock", "session.json"]
            add_state(later, 1, {"x": b"def"})
    assert list(read_folder(store.folder)) == [0, 1]


def test_forked_child_does_not_write(store):
    """A forked child owns nothing; its parent still does."""
    line = "parent = bool(os.fork()); assert store.owned is parent; os.write(1, b'%r ' % store.owned)"
    store.close()
    with start(store.folder, line) as process:
        assert sorted(process.stdout.read().split()) == ["False", "True"]


def test_stores_side_by_side(tmp_path, store):
    """Two processes record in folders beside each other, at the same time, without touching each other."""
    other = Store.create(tmp_path / "t", ABOUT)
    other.close()
    lines = ["for n in range(20): add_state(store, n, {'x': b'other %d' % n})"]
    with start(tmp_path / "t", *lines) as process:
        for n in range(20):
            add_state(store, n, {"x": b"mine %d" % n})
        process.wait()
    assert [found["x"] for found in read_folder(tmp_path / "t").values()] == [b"other %d" % n for n in range(20)]
    assert [found["x"] for found in read_folder(store.folder).values()] == [b"mine %d" % n for n in range(20)]


def test_leftovers_are_removed_by_owners_alone(store):
    """A temporary file that a killed writer left is removed by the next owner, and by no reader."""
    store.close()
    (store.folder / ".00000007.tm.0123.partial").write_bytes(b"half")
    (store.folder / "notes.txt").write_bytes(b"mine")
    Store.open(store.folder)
    assert (store.folder / ".00000007.tm.0123.partial").exists()
    with Store.take_over(store.folder) as later:
        assert not (store.folder / ".00000007.tm.0123.partial").exists()
        assert (store.folder / "notes.txt").exists()
        assert list(later.packs()) == []


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "folder", "not an archive"])
def test_damaged_pack_is_told_and_others_are_read(store, damage):
    """One pack that cannot be read is told once, and all others are there; the store goes on behind it."""
    for n in range(3):
        add_state(store, n, {"x": b"%d" % n})
    path = store.folder / "00000002.tm"
    if damage == "flipped":
        flip_byte(path, path.stat().st_size - 70)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(b"" if damage == "emptied" else b"text" * 100)
    store.close()
    with Store.take_over(store.folder) as later:
        for _ in range(2):
            assert list(read_states(later)) == [0, 2]
            assert len(later.damaged) == 1
            assert str(path) in later.damaged[0]
        assert add_state(later, 3, {"x": b"3"}).sequence == 4
        assert list(read_states(later)) == [0, 2, 3]


def test_damaged_chunk_is_told(store):
    """A chunk whose bytes changed is found when it is read; what lies in others is read."""
    number = add_state(store, 0, {"x": os.urandom(9000), "y": os.urandom(9000)}).sequence
    flip_byte(store.folder / "00000001.tm", 100)
    with store.reader() as reader:
        kept = reader.pack(number).kept
        with pytest.raises(ArchiveDamaged, match=r"00000001.tm is damaged: chunk"):
            reader.read(number, kept[0].unit.stream)
        assert len(reader.read(number, kept[1].unit.stream)) == 9000


def test_label_that_is_damaged_does_not_cost_the_packs(store):
    """Where the description of the session cannot be read, that is told, and the packs are there."""
    add_state(store, 0, {"x": b"abc"})
    store.close()
    (store.folder / "session.json").write_bytes(b"{")
    opened = Store.open(store.folder)
    assert opened.about.id == "s"
    assert "session.json is damaged" in opened.damaged[0]
    assert read_states(opened)[0]["x"] == b"abc"
    with Store.take_over(store.folder) as later:
        assert read_states(later)[0]["x"] == b"abc"


def test_older_description_is_read(store):
    """Fields that are not known are ignored."""
    (store.folder / "session.json").write_bytes(msgspec.json.encode({**msgspec.to_builtins(ABOUT), "colour": "blue"}))
    assert Store.open(store.folder).about == ABOUT


def test_vanished_folder_is_told(store):
    """A folder that is gone gives one clear error, to writers and readers."""
    add_state(store, 0, {"x": b"abc"})
    reader = store.reader()
    store.folder.rename(store.folder.with_name("gone"))
    with pytest.raises(DestinationError, match="its folder is no longer there"), store.writer():
        pass
    with pytest.raises(ArchiveMissing, match="cannot be read: No such file"):
        list(store.packs())
    with pytest.raises(ArchiveError, match="cannot be read"):
        reader.read(1, Blob((0,), 0, 1))
    with pytest.raises(ArchiveMissing):
        store.size  # noqa: B018
    assert store.merge_due() == []


def test_folder_that_cannot_be_made_is_told(tmp_path):
    """A store that cannot be made gives one clear error."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DestinationError, match="was not written"):
        create(tmp_path / "file" / "s")


def test_size_is_that_on_the_disk(store):
    """The size is that of all files, and follows what is written and merged."""

    def on_disk():
        return sum(path.stat().st_size for path in store.folder.iterdir())

    assert store.size == on_disk()
    for n in range(3):
        add_state(store, n, {"x": os.urandom(5000)})
        assert store.size == on_disk()
    store.merge([1, 2, 3], lambda kept: kept.at == 2)
    assert store.size == on_disk()
    assert store.size < 8000


def test_blob_of_another_pack_is_refused(store):
    """A blob that a pack does not have is told, as is a pack that is not there."""
    add_state(store, 0, {"x": b"abc"})
    with store.reader() as reader:
        with pytest.raises(ArchiveDamaged, match="refers to chunk 5"):
            reader.read(1, Blob((5,), 0, 1))
        with pytest.raises(ArchiveMissing, match="There is no pack 9"):
            reader.pack(9)
    assert pack_files(store.folder) == ["00000001.tm"]


def test_few_files_are_open_at_once(store, noise, open_files):
    """However many packs hold the pieces of a blob, few are open at a time and none afterwards."""
    data = bytearray(noise(90 * 50_000))
    before = open_files()
    for n in range(90):
        data[n * 50_000] ^= 1
        add_state(store, n, {"x": data}, flowing=True)
    with store.reader() as reader:
        *_, (number, pack) = reader.packs()
        memory = reader.read(number, pack.kept[0].unit.stream)
        assert memory == data
        assert open_files() - before <= 70
        memory[:10] = bytes(10)
    assert open_files() == before
