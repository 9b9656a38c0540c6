"""Destinations are refused before any work, each with words that help."""

from __future__ import annotations

import errno
import math
import os

import pytest

from elastictm.errors import DestinationError, DestinationExists, UsageError
from elastictm.storage.destination import destination, refused, temporary_name
from elastictm.storage.writer import ArchiveWriter


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_new_name_is_accepted(tmp_path):
    """A name that is free in a folder that is there is accepted, relative or not, and nothing is made yet."""
    assert destination("work.tm", force=False) == tmp_path / "work.tm"
    assert destination(tmp_path / "work.tm", force=True) == tmp_path / "work.tm"
    ArchiveWriter("work.tm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["s3://bucket/work.tm", "file:///tmp/work.tm", "https://x/y"])
def test_addresses_are_not_supported(path):
    """An address is refused with the words that only local paths are supported."""
    with pytest.raises(UsageError, match="only paths of this machine are supported"):
        ArchiveWriter(path, force=True)


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_names_that_are_none(path):
    """What cannot be a file's name is refused as such."""
    with pytest.raises(UsageError, match="is no file name"):
        ArchiveWriter(path)


def test_existing_file_needs_force(tmp_path):
    """A file is replaced only with force; the message says so."""
    (tmp_path / "work.tm").write_bytes(b"old")
    with pytest.raises(DestinationExists, match=r"^work\.tm exists\. Use force \(--force\) to replace it"):
        ArchiveWriter("work.tm")
    ArchiveWriter("work.tm", force=True)
    assert (tmp_path / "work.tm").read_bytes() == b"old"


def test_missing_folder(tmp_path):
    """A folder that is not there is named."""
    with pytest.raises(DestinationError, match=r"there is no folder .*/later\. Create it first"):
        ArchiveWriter("later/work.tm")


def test_file_as_folder(tmp_path):
    """A file where a folder is needed is named."""
    (tmp_path / "notes").write_text("x")
    with pytest.raises(DestinationError, match="notes is not a folder"):
        ArchiveWriter("notes/work.tm")


@pytest.mark.parametrize("force", [False, True])
def test_folder_as_destination(tmp_path, force):
    """A folder is never replaced."""
    (tmp_path / "data").mkdir()
    with pytest.raises(DestinationError, match=r"^data is a folder.*such as data/work\.tm"):
        ArchiveWriter("data", force=force)


def test_devices_are_not_replaced(tmp_path):
    """A pipe or device is never replaced by a file."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DestinationError, match="is a device or pipe"):
        ArchiveWriter("pipe", force=True)


def test_folder_that_refuses_files(tmp_path, monkeypatch):
    """A folder in which one may not create files is refused before any work."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DestinationError, match=r"you may not create files in"):
        ArchiveWriter("work.tm")


def test_links_are_followed(tmp_path, write_archive):
    """Saving to a link replaces the file that it leads to, and the link stays."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "work.tm").symlink_to(tmp_path / "disk" / "real.tm")
    write_archive("work.tm", [])
    assert (tmp_path / "work.tm").is_symlink()
    assert (tmp_path / "disk" / "real.tm").is_file()
    with pytest.raises(DestinationExists):
        ArchiveWriter("work.tm")


@pytest.mark.parametrize("force", [False, True])
def test_link_to_itself(tmp_path, force):
    """A link that leads to itself is refused, not followed for ever."""
    (tmp_path / "work.tm").symlink_to(tmp_path / "work.tm")
    with pytest.raises(DestinationError):
        ArchiveWriter("work.tm", force=force)


def test_name_that_is_too_long():
    """A name that the file system does not allow is a destination error."""
    with pytest.raises(DestinationError):
        ArchiveWriter("x" * 5000)


def test_long_names_have_short_temporary_ones(tmp_path, write_archive, read_archive):
    """A name of the greatest length, in letters of several bytes too, can be written."""
    for name in ("x" * 255, "\u65e5" * 85):
        write_archive(name, [b"a"])
        assert read_archive(name) == [b"a"]


def test_temporary_names_differ(tmp_path):
    """Two saves to one name do not meet in one temporary file, which is hidden and in the same folder."""
    first, second = (temporary_name(tmp_path / "work.tm") for _ in range(2))
    assert first != second
    assert first.parent == tmp_path
    assert first.name.startswith(".work.tm.")


@pytest.mark.parametrize("bandwidth", [0, -1.0, math.nan])
def test_bandwidth_must_be_positive(bandwidth):
    """A bandwidth that means nothing is refused."""
    with pytest.raises(UsageError, match="bytes per second has no meaning"):
        ArchiveWriter("work.tm", bandwidth=bandwidth)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "your disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "you have no permission"),
        (errno.EIO, "the device failed"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_system_errors_become_words(number, words):
    """Each error of the system is told in words with the file's name, known ones with a remedy."""
    text = str(refused("work.tm", OSError(number, os.strerror(number))))
    assert text.startswith("work.tm was not written: ")
    assert words in text
