"""Whatever operation fails while packs are written or merged, every state that was committed is there, whole."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import subprocess
import sys

import pytest

from elastictm.errors import DestinationError
from elastictm.storage.files import LocalFiles
from elastictm.storage.store import Store
from elastictm.testing.faults import FaultyFiles
from elastictm.testing.stores import add_state, create, pack_files, read_folder

MIB = 2**20


@pytest.fixture(scope="module")
def noise(noise):
    """The function for noise, which makes each only once."""
    return functools.cache(noise)


def contents_of(noise, n):
    """What state ``n`` holds: some of it is that of other states, some its own."""
    return {"same": noise(100_000), "own": noise(20_000, n), "small": b"value %d" % n}


def expected(noise, count):
    """What a store with this many states holds."""
    return {n: {"run": b'{"n": %d}' % n, **contents_of(noise, n)} for n in range(count)}


def write(folder, noise, files, sync, done):
    """Add states to a store through these files, and to ``done`` those that were committed."""
    with Store.take_over(folder, files=files) as store:
        for n in range(2, 5):
            add_state(store, n, contents_of(noise, n), sync=sync)
            done.append(n)


def merge(folder, noise, files):
    """Merge all packs of a store but the last one."""
    with Store.take_over(folder, files=files) as store:
        store.merge([number for number, _ in store.packs()][:-1], lambda kept: True)


@pytest.fixture
def prepared(tmp_path, noise):
    """A function that makes a store with some states, always the same, and returns its folder."""
    with create(tmp_path / "first") as store:
        for n in range(2):
            add_state(store, n, contents_of(noise, n))

    def copy(count=2):
        shutil.rmtree(tmp_path / "s", ignore_errors=True)
        shutil.copytree(tmp_path / "first", tmp_path / "s")
        with Store.take_over(tmp_path / "s") as store:
            for n in range(2, count):
                add_state(store, n, contents_of(noise, n))
        return tmp_path / "s"

    return copy


def test_operations_of_a_commit(prepared, noise):
    """A pack is created, written, closed and renamed; it is synced where that was asked for, and nothing more."""
    plain, synced = FaultyFiles(), FaultyFiles()
    write(prepared(), noise, plain, False, [])
    write(prepared(), noise, synced, True, [])
    first = plain.calls.index("create", 1)
    assert list(dict.fromkeys(plain.calls[first:])) == ["create", "write", "close", "replace"]
    assert plain.calls.count("sync") == 0
    assert synced.calls.count("sync") == 3
    assert synced.calls.count("sync_folder") == 3


@pytest.mark.parametrize(
    "error", [errno.ENOSPC, errno.EROFS, KeyboardInterrupt()], ids=["full", "read-only", "interrupt"]
)
@pytest.mark.parametrize("sync", [False, True])
def test_every_failure_of_writing(prepared, noise, error, sync):
    """At each operation of writing: a clear error, every committed state is there, and the store can go on."""
    calls = FaultyFiles()
    write(prepared(), noise, calls, sync, [])
    kinds = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else DestinationError
    for n in range(1, len(calls.calls) + 1):
        folder = prepared()
        done = []
        with pytest.raises(kinds):
            write(folder, noise, FaultyFiles(fail_at=n, error=error), sync, done)
        found = read_folder(folder)
        assert found == expected(noise, len(found))
        # One more where it has its name, but nobody could be told.
        assert len(found) - len(done) in ({2, 3} if sync else {2})
        assert not list(folder.glob(".*"))
        with Store.take_over(folder) as store:
            add_state(store, len(found), contents_of(noise, len(found)))
        assert read_folder(folder) == expected(noise, len(found) + 1)


@pytest.mark.parametrize("error", [errno.ENOSPC, KeyboardInterrupt()], ids=["full", "interrupt"])
def test_every_failure_of_merging(prepared, noise, error):
    """At each operation of merging: every state is there, before and after the store is taken over, which can go on."""
    calls = FaultyFiles()
    merge(prepared(5), noise, calls)
    assert calls.calls.count("sync_folder") == 1
    kinds = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else DestinationError
    for n in range(1, len(calls.calls) + 1):
        folder = prepared(5)
        with pytest.raises(kinds):
            merge(folder, noise, FaultyFiles(fail_at=n, error=error))
        assert read_folder(folder) == expected(noise, 5)
        with Store.take_over(folder) as store:
            add_state(store, 5, contents_of(noise, 5))
            assert len(pack_files(folder)) in {3, 6}
            store.merge([number for number, _ in store.packs()], lambda kept: True)
        assert read_folder(folder) == expected(noise, 6)


def test_failure_of_merging_leaves_the_store_usable(prepared, noise):
    """After a merge that failed, the same owner writes on, and refers to nothing that is gone."""
    for n in range(1, 12):
        folder = prepared(4)
        files = FaultyFiles(error=errno.ENOSPC)
        with Store.take_over(folder, files=files) as store:
            list(store.packs())
            files.calls.clear()
            files.fail_at = n
            with contextlib.suppress(DestinationError):
                store.merge([1, 2, 3], lambda kept: kept.at == 1)
            files.fail_at = 0
            add_state(store, 4, contents_of(noise, 0) | {"small": b"value 4", "own": noise(20_000, 4)})
            store.merge([number for number, _ in store.packs()], lambda kept: True)
        found = read_folder(folder)
        assert {n: found[n] for n in (1, 3, 4)} == {n: expected(noise, 5)[n] for n in (1, 3, 4)}


@pytest.mark.parametrize("operation", ["replace", "sync_folder"])
def test_interrupt_right_after_a_pack_got_its_name(prepared, noise, operation):
    """A pack that has its name counts, although its writer was interrupted, and what it refers to is not dropped."""

    class Late(LocalFiles):
        armed = False

        def replace(self, temporary, final):
            super().replace(temporary, final)
            self.strike("replace")

        def sync_folder(self, folder):
            self.strike("sync_folder")

        def strike(self, now):
            if Late.armed and now == operation:
                Late.armed = False
                raise KeyboardInterrupt

    folder = prepared(3)
    with Store.take_over(folder, files=Late()) as store:
        Late.armed = True
        with pytest.raises(KeyboardInterrupt):
            add_state(store, 3, contents_of(noise, 1), sync=True)
        assert read_folder(folder)[3]["own"] == noise(20_000, 1)
        store.merge([1, 2, 3], lambda kept: False)
        Late.armed = True
        with pytest.raises(KeyboardInterrupt):
            store.merge([number for number, _ in store.packs()], lambda kept: True)
        add_state(store, 4, contents_of(noise, 1))
        store.merge([number for number, _ in store.packs()], lambda kept: True)
        found = read_folder(folder)
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert found[3] | {"run": b""} == found[4] | {"run": b""}
    assert len(pack_files(folder)) == 1


def test_files_that_cannot_be_removed_are_removed_later(prepared, noise):
    """Packs that were merged but could not be removed count no more, and go when the store is taken over."""

    class Sticky(LocalFiles):
        def remove(self, path):
            raise PermissionError(errno.EPERM, "no")

    folder = prepared(5)
    merge(folder, noise, Sticky())
    assert len(pack_files(folder)) == 6
    assert read_folder(folder) == expected(noise, 5)
    with Store.take_over(folder) as store:
        add_state(store, 5, contents_of(noise, 5))
    assert len(pack_files(folder)) == 3
    assert read_folder(folder) == expected(noise, 6)


def test_no_descriptor_leaks(prepared, noise, open_files):
    """Failed writes and merges leave no file open."""
    folder = prepared(5)
    before = open_files()
    for n in range(1, 12):
        with pytest.raises(DestinationError):
            merge(folder, noise, FaultyFiles(fail_at=n))
        with pytest.raises(DestinationError):
            write(folder, noise, FaultyFiles(fail_at=n), True, [])
    assert open_files() == before


CHILDREN = """
import os, sys
from pathlib import Path
from elastictm.storage.files import LocalFiles
from elastictm.testing.stores import add_state, create

left = 10**9

def counted(name):
    def call(self, *args):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return getattr(LocalFiles, name)(self, *args)
    return call

Deadly = type("Deadly", (LocalFiles,), {n: counted(n) for n in ("create", "write", "close", "replace", "remove")})
for at in range(80):
    if not os.fork():
        with create(Path(sys.argv[1]) / str(at), Deadly()) as store:
            left = at
            for n in range(8):
                add_state(store, n, {"x": b"%d" % n * 5000, "y": bytes(9000)})
                (Path(sys.argv[1]) / f"told {at}").write_text(str(n + 1))
                if n == 3:
                    store.merge([1, 2, 3, 4], lambda kept: True)
            os._exit(0)
    os.wait()
"""


def test_killed_processes_leave_what_they_committed(tmp_path):
    """A process that is killed at any operation leaves each state that it had told to be committed."""
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", CHILDREN, str(tmp_path)], env=environment, check=True)
    counts = []
    for at in range(80):
        note = tmp_path / f"told {at}"
        told = int(note.read_text()) if note.exists() else 0
        with Store.take_over(tmp_path / str(at)) as store:
            found = read_folder(store.folder)
            assert [state["x"] for state in found.values()] == [b"%d" % n * 5000 for n in range(len(found))]
            assert len(found) in {told, told + 1}
            add_state(store, 100, {"x": b"more"})
            assert not list(store.folder.glob(".*"))
        assert read_folder(store.folder)[100]["x"] == b"more"
        counts.append(told)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 8)
