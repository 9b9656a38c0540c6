"""The operations on files that writing needs."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from elastictm.storage.files import LocalFiles


@pytest.fixture
def umask():
    """A function that sets the umask until the test ends."""
    before = os.umask(0)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_new_file_is_its_owners_alone(tmp_path, umask, mask):
    """A new file can be read and written by its owner and nobody else, whatever the umask."""
    umask(mask)
    descriptor = LocalFiles().create(tmp_path / "a")
    os.close(descriptor)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_existing_file_is_not_opened(tmp_path):
    """Creating a file never takes one that is there, nor follows a link."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "c")
    for name in ("a", "b"):
        with pytest.raises(FileExistsError):
            LocalFiles().create(tmp_path / name)
    assert not (tmp_path / "c").exists()


def test_all_is_written_in_small_steps(tmp_path, monkeypatch):
    """Where the system takes few bytes at a time, all of them are written all the same."""
    files = LocalFiles()
    descriptor = files.create(tmp_path / "a")
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    files.write(descriptor, b"0123456789")
    files.write(descriptor, b"")
    files.sync(descriptor)
    files.close(descriptor)
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_folder_without_sync_is_no_error(tmp_path, monkeypatch, open_files):
    """A file system that cannot sync folders does not make a save fail, and no descriptor leaks."""

    def refuse(descriptor):
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    before = open_files()
    LocalFiles().sync_folder(tmp_path)
    assert open_files() == before


def test_failing_folder_is_an_error(tmp_path, monkeypatch):
    """A device that fails while a folder is synced is reported."""

    def fail(descriptor):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no"):
        LocalFiles().sync_folder(tmp_path)


def test_replace_and_remove(tmp_path):
    """A file takes another's name in one step, and goes when it is removed."""
    files = LocalFiles()
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    files.replace(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    files.remove(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
