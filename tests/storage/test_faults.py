"""Whatever operation fails, the destination holds the old file or the whole new one, and nothing else is left."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap

import pytest

from elastictm.errors import DestinationError
from elastictm.storage.files import LocalFiles
from elastictm.storage.writer import ArchiveWriter
from elastictm.testing.faults import FaultyFiles, flip_byte

ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "the file system is read-only",
    errno.EIO: "the device failed",
    errno.EACCES: "you have no permission",
}


@pytest.fixture
def save(tmp_path, noise, manifest_of):
    """A function that saves over an old file through given files."""
    contents = [b"small", noise(100_000), bytes(9_000_000), b"small too"]

    def run(files):
        (tmp_path / "a").write_bytes(b"old")
        with ArchiveWriter(tmp_path / "a", force=True, bandwidth=1e8, files=files) as writer:
            writer.commit(manifest_of([writer.put(content) for content in contents]))

    return run


@pytest.fixture
def check(tmp_path, names, read_archive):
    """A function that checks what a save leaves whose given operation failed."""

    def left_by(operation):
        assert names() == ["a"]
        if operation == "sync_folder":  # the last one: all was in place
            assert len(read_archive(tmp_path / "a")) == 4
        else:
            assert (tmp_path / "a").read_bytes() == b"old"

    return left_by


@pytest.fixture
def calls(save):
    """The operations of a save in which nothing fails."""
    files = FaultyFiles()
    save(files)
    return files.calls


def test_operations_of_a_save(calls):
    """A save creates, writes, syncs once, closes, replaces and syncs the folder, in this order."""
    steps = list(dict.fromkeys(calls))
    assert steps == ["create", "write", "sync", "close", "replace", "sync_folder"]
    assert calls.count("write") >= 6
    assert len(calls) - calls.count("write") == 5


def test_committed_archive_is_left_alone(tmp_path, manifest_of):
    """After commit nothing is removed and nothing is closed again, whose number another file may have by then."""
    removed = []

    class Watched(LocalFiles):
        def remove(self, path):
            removed.append(path)

    files = FaultyFiles(inner=Watched())
    with ArchiveWriter(tmp_path / "a", files=files) as writer:
        writer.commit(manifest_of())
        before = list(files.calls)
    assert files.calls == before
    assert removed == []


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_every_failure_leaves_old_or_new(save, calls, check, number):
    """At each operation: a DestinationError, the old file or all of the new one, no temporary file."""
    for n, operation in enumerate(calls, start=1):
        words = "a power cut now" if operation == "sync_folder" else ERRORS[number]
        with pytest.raises(DestinationError, match=rf"/a was .*written.*{words}"):
            save(FaultyFiles(fail_at=n, error=number))
        check(operation)


def test_every_interrupt_leaves_old_or_new(save, calls, check):
    """Ctrl-C during any operation leaves the old file or all of the new one, and no temporary file."""
    for n, operation in enumerate(calls, start=1):
        with pytest.raises(KeyboardInterrupt):
            save(FaultyFiles(fail_at=n, error=KeyboardInterrupt()))
        check(operation)


@pytest.mark.parametrize("operation", ["write", "sync", "replace"])
def test_chosen_operations_are_counted_alone(tmp_path, save, operation):
    """A fault can be placed at the n-th operation of one kind."""
    files = FaultyFiles(fail_at=1, operations={operation})
    with pytest.raises(DestinationError):
        save(files)
    assert files.calls == [operation]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_no_descriptor_leaks(save, calls, open_files):
    """Failed saves leave no file open."""
    before = open_files()
    for n in range(1, len(calls) + 1):
        with pytest.raises(DestinationError):
            save(FaultyFiles(fail_at=n))
    assert open_files() == before


@pytest.mark.parametrize("operation", ["sync", "replace"])
def test_killed_process_leaves_the_old_file(tmp_path, operation):
    """A process that is killed before the new name is given leaves the old file as it was."""
    (tmp_path / "a").write_bytes(b"old")
    script = f"""
        import os, sys
        from elastictm.storage.files import LocalFiles
        from elastictm.storage.manifest import Blob, Environment, Manifest
        from elastictm.storage.writer import ArchiveWriter

        class Deadly(LocalFiles):
            def {operation}(self, *args):
                os._exit(9)

        with ArchiveWriter(sys.argv[1], force=True, files=Deadly()) as writer:
            writer.put(bytes(100_000))
            writer.commit(Manifest(0.0, Environment("", "", "", "", {{}}, ""), Blob((), 0, 0), 0, (), (), ()))
    """
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "a")],
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 9
    assert (tmp_path / "a").read_bytes() == b"old"


def test_flipping_changes_exactly_one_byte(tmp_path):
    """A flipped byte differs, its neighbours do not, and flipping again brings it back."""
    (tmp_path / "a").write_bytes(b"abc")
    flip_byte(tmp_path / "a", 1, 0x20)
    assert (tmp_path / "a").read_bytes() == b"aBc"
    flip_byte(tmp_path / "a", 1, 0x20)
    assert (tmp_path / "a").read_bytes() == b"abc"
