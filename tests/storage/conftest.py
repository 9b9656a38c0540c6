"""Archives to test with: a plain manifest, a writer of blobs, and files with any footer one likes."""

from __future__ import annotations

import math
import random
import threading
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from elastictm.storage.layout import pack_header, pack_trailer
from elastictm.storage.manifest import Blob, Entry, Environment, Manifest, Unit
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter


def manifest_of(blobs=(), history=None, **changes) -> Manifest:
    """A manifest whose units hold these blobs as streams."""
    environment = Environment("3.12.1", "CPython", "Linux-x86_64", "0.1.0", {"numpy": "2.0"}, "/home/ada")
    units = tuple(Unit(blob, names=(f"v{i}",)) for i, blob in enumerate(blobs))
    entries = tuple(Entry(f"v{i}", i, "bytes", "stored", unit=i) for i in range(len(units)))
    plain = Manifest(1.5e9, environment, history or Blob((), 0, 0), 7, entries, units, ())
    return msgspec.structs.replace(plain, **changes)


def write_archive(path, contents, bandwidth=math.inf, **options) -> list[Blob]:
    """Write an archive with one unit for each content, and return their blobs."""
    with ArchiveWriter(path, bandwidth=bandwidth, **options) as writer:
        blobs = [writer.put(content) for content in contents]
        size = writer.commit(manifest_of(blobs))
    assert size == Path(path).stat().st_size
    return blobs


def read_archive(path) -> list[bytes]:
    """The contents of all units of an archive."""
    with ArchiveReader(path) as reader:
        return [bytes(reader.read(unit.stream)) for unit in reader.manifest.units]


def forge(path, footer, area=b"") -> Path:
    """A file with a sound frame around any footer, given as bytes or as something to write as JSON."""
    if not isinstance(footer, bytes):
        footer = msgspec.json.encode(footer)
    head = pack_header() + area
    Path(path).write_bytes(head + footer + pack_trailer(footer, len(head)))
    return Path(path)


def noise(size, seed=0) -> bytes:
    """Bytes that cannot be compressed."""
    return random.Random(seed).randbytes(size)


@pytest.fixture
def names(tmp_path):
    """A function that lists the names in the temporary folder."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())


@pytest.fixture
def open_files():
    """A function that counts the descriptors that this process has open."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc")
    return lambda: len(list(folder.iterdir()))


@pytest.fixture(name="manifest_of")
def _manifest_of():
    return manifest_of


@pytest.fixture(name="write_archive")
def _write_archive():
    return write_archive


@pytest.fixture(name="read_archive")
def _read_archive():
    return read_archive


@pytest.fixture(name="forge")
def _forge():
    return forge


@pytest.fixture(name="noise", scope="session")
def _noise():
    return noise


@pytest.fixture
def scribbled():
    """Have a thread write to a buffer, again and again, while a block runs."""

    @contextmanager
    def scribbling(buffer):
        done = threading.Event()

        def scribble():
            value = 0
            while not done.is_set():
                value = (value + 1) % 256
                buffer[::4096] = bytes([value]) * (len(buffer) // 4096)

        thread = threading.Thread(target=scribble)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    return scribbling
