"""Reading archives: private memory, mapped where possible, and clear refusals."""

from __future__ import annotations

import errno
import gc
import math
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveMissing, NotAnArchive
from elastictm.storage.chunks import CHUNK, GATHERED, SMALL
from elastictm.storage.manifest import MOST, Blob
from elastictm.storage.reader import ArchiveReader

SIZES = st.sampled_from([0, 1, 10, SMALL - 1, SMALL, SMALL + 1, GATHERED - 1, GATHERED, GATHERED + 1, CHUNK + 1])
CONTENTS = st.builds(
    lambda size, seed, plain: bytes([seed]) * size if plain else (bytes(range(seed, 256)) * (size // 100 + 1))[:size],
    SIZES,
    st.integers(0, 5),
    st.booleans(),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CONTENTS, max_size=5), st.sampled_from([math.inf, 1e8, 1e5]))
def test_contents_come_back(tmp_path, write_archive, read_archive, contents, bandwidth):
    """Whatever the sizes, repetitions and bandwidth, every content comes back, and the file verifies."""
    write_archive(tmp_path / "a", contents, bandwidth=bandwidth, force=True)
    assert read_archive(tmp_path / "a") == contents
    with ArchiveReader(tmp_path / "a") as reader:
        reader.verify()


@pytest.fixture(params=["small", "large", "mapped", "compressed", "repeated"])
def opened(request, tmp_path, noise, write_archive):
    """An open archive with one content, of each way of being stored."""
    content = {
        "small": b"abc",
        "large": noise(SMALL),
        "mapped": noise(GATHERED + 1),
        "compressed": b"text " * 10**6,
        "repeated": bytes(2 * CHUNK),
    }[request.param]
    bandwidth = 1e6 if request.param == "compressed" else math.inf
    (blob,) = write_archive(tmp_path / "a", [content], bandwidth=bandwidth)
    with ArchiveReader(tmp_path / "a") as reader:
        yield reader, blob, content


def test_memory_is_the_callers_own(opened):
    """What a caller writes reaches neither the file nor other readers, past or future."""
    reader, blob, content = opened
    first, second = reader.read(blob), reader.read(blob)
    first[:] = bytes(len(first))
    assert second == content
    assert reader.read(blob) == content
    with ArchiveReader(reader._source.name) as other:
        assert other.read(blob) == content
        other.verify()


def test_memory_outlives_the_reader_and_the_file(opened):
    """Memory stays valid and writable after the reader is closed and the file is removed."""
    reader, blob, content = opened
    data = reader.read(blob)
    reader.close()
    Path(reader._source.name).unlink()
    gc.collect()
    assert data == content
    data[0] ^= 0xFF
    assert data[0] != content[0]


def test_memory_is_plain_bytes(opened):
    """Memory is one writable, contiguous row of bytes."""
    reader, blob, content = opened
    data = reader.read(blob)
    assert (data.readonly, data.contiguous, data.format, data.nbytes) == (False, True, "B", len(content))


def test_closed_reader_says_so(opened):
    """A closed reader refuses to read and to verify with an ArchiveError, and still knows its manifest and size."""
    reader, blob, _ = opened
    reader.close()
    with pytest.raises(ArchiveError, match="was closed"):
        reader.read(blob)
    with pytest.raises(ArchiveError, match="was closed"):
        reader.verify()
    assert reader.size == Path(reader._source.name).stat().st_size


def test_large_raw_blobs_are_mapped_and_no_others(tmp_path, noise, write_archive):
    """From 1 MiB on, a raw blob is mapped, on Linux a scattered one too; a smaller or compressed one is not."""
    contents = [noise(GATHERED), noise(GATHERED - 1, 1), bytes(2 * CHUNK), noise(2 * CHUNK + 1, 2)]
    write_archive(tmp_path / "a", contents)
    write_archive(tmp_path / "b", [b"text " * 10**6], bandwidth=1e6)
    kinds = []
    for name in ("a", "b"):
        with ArchiveReader(tmp_path / name) as reader:
            kinds += [isinstance(reader.read(unit.stream).obj, mmap.mmap) for unit in reader.manifest.units]
    assert kinds == [True, False, sys.platform == "linux", True, False]


def test_mapped_memory_starts_at_a_page(tmp_path, noise, write_archive):
    """Mapped arrays are aligned as numerical libraries like them."""
    numpy = pytest.importorskip("numpy")
    write_archive(tmp_path / "a", [b"x", noise(GATHERED + 8)])
    with ArchiveReader(tmp_path / "a") as reader:
        mapped = numpy.frombuffer(reader.read(reader.manifest.units[1].stream))
    assert mapped.ctypes.data % 4096 == 0


def test_many_mappings_do_not_use_up_descriptors(tmp_path, noise, write_archive, open_files):
    """Hundreds of large blobs leave descriptors for others, where a mapping holds one."""
    write_archive(tmp_path / "a", [noise(GATHERED, seed) for seed in range(100)])
    before = open_files()
    with ArchiveReader(tmp_path / "a") as reader:
        held = [reader.read(unit.stream) for unit in reader.manifest.units]
        assert open_files() - before <= 65
        assert [data[:9] for data in held] == [noise(GATHERED, seed)[:9] for seed in range(100)]


def test_file_system_that_cannot_map(tmp_path, noise, write_archive, monkeypatch):
    """Where mapping is refused, the bytes are read."""

    def refuse(*_, **__):
        raise OSError(errno.ENODEV, "no")

    write_archive(tmp_path / "a", [noise(GATHERED)])
    monkeypatch.setattr(mmap, "mmap", refuse)
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.read(reader.manifest.units[0].stream) == noise(GATHERED)


def watched(reader, monkeypatch):
    """A list that grows with each reading of the file."""
    reads = []
    read = reader._source.read
    monkeypatch.setattr(reader._source, "read", lambda *args: reads.append(args) or read(*args))
    return reads


def test_mapped_chunks_are_checked_once(tmp_path, noise, write_archive, monkeypatch):
    """Mapping the same blob again does not read it again."""
    (blob,) = write_archive(tmp_path / "a", [noise(CHUNK + 1)])
    with ArchiveReader(tmp_path / "a") as reader:
        reads = watched(reader, monkeypatch)
        assert reader.read(blob) == reader.read(blob) == noise(CHUNK + 1)
    assert len(reads) == 2


def test_any_part_of_any_chunks_can_be_read(tmp_path, noise, write_archive):
    """A blob may start inside its first chunk and end inside its last one, mapped or not."""
    contents = [noise(CHUNK + 100), bytes(2 * CHUNK)]
    mapped, repeated = write_archive(tmp_path / "a", contents)
    with ArchiveReader(tmp_path / "a") as reader:
        for blob, content in zip((mapped, repeated), contents, strict=True):
            part = Blob(blob.chunks, 5, CHUNK + 10)
            assert reader.read(part) == content[5 : CHUNK + 15]
        assert (
            reader.read(Blob((*repeated.chunks, *mapped.chunks), 7, 3 * CHUNK))
            == (contents[1] + contents[0])[7 : 3 * CHUNK + 7]
        )
        assert reader.read(Blob(mapped.chunks[:1], 9, 10)) == contents[0][9:19]
        assert not reader._pieces._kept, "a large chunk is not kept for the sake of a few bytes"


def test_parts_of_shared_chunks_are_checked_once(tmp_path, write_archive, monkeypatch):
    """Reading many small blobs reads their shared chunk once."""
    write_archive(tmp_path / "a", [str(i).encode() for i in range(1000)])
    with ArchiveReader(tmp_path / "a") as reader:
        reads = watched(reader, monkeypatch)
        assert [bytes(reader.read(unit.stream)) for unit in reader.manifest.units] == [b"%d" % i for i in range(1000)]
    assert len(reads) == 1


def test_contents_of_few_shared_chunks_are_kept(tmp_path, noise, write_archive):
    """However many shared chunks are read, a few megabytes of them are kept."""
    write_archive(tmp_path / "a", [noise(SMALL - 1, seed) for seed in range(200)])
    with ArchiveReader(tmp_path / "a") as reader:
        for unit in reader.manifest.units:
            reader.read(unit.stream)
        assert sum(map(len, reader._pieces._kept.values())) <= 8 * 2**20


def test_verify_tells_progress(tmp_path, noise, write_archive):
    """The progress of verifying adds up to the size of the file."""
    write_archive(tmp_path / "a", [b"x", noise(SMALL), bytes(10**6)], bandwidth=1e6)
    told = []
    with ArchiveReader(tmp_path / "a") as reader:
        reader.verify(told.append)
        assert sum(told) == reader.size


@pytest.mark.parametrize("blob", [Blob((0,), 0, 4), Blob((1,), 0, 1), Blob((), 0, 1), Blob((0,), 0, MOST)])
def test_foreign_blobs_are_refused(tmp_path, write_archive, blob):
    """A blob that this archive cannot have is refused with an ArchiveError."""
    write_archive(tmp_path / "a", [b"abc"])
    with ArchiveReader(tmp_path / "a") as reader, pytest.raises(ArchiveDamaged, match="the blob asked for"):
        reader.read(blob)


def test_missing_file(tmp_path):
    """A file that is not there is an ArchiveMissing, which is a FileNotFoundError."""
    with pytest.raises(ArchiveMissing, match=r"^There is no file .*work\.tm\.$") as caught:
        ArchiveReader(tmp_path / "work.tm")
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("name", ["s3://bucket/work.tm", "a\0b", "x" * 5000, "file/below"])
def test_names_that_cannot_be_opened(tmp_path, monkeypatch, name):
    """A name that cannot be that of a file here is an ArchiveMissing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArchiveMissing):
        ArchiveReader(name)


def test_file_that_may_not_be_opened(tmp_path, monkeypatch):
    """A file that may not be read is an ArchiveMissing that says why."""

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ArchiveMissing, match="cannot be opened: Permission denied"):
        ArchiveReader(tmp_path / "work.tm")


def test_folder_and_pipe_are_no_archives(tmp_path):
    """A folder or pipe is told as what it is, and a pipe does not block."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAnArchive, match="is a folder"):
        ArchiveReader(tmp_path)
    with pytest.raises(NotAnArchive, match="is a device or pipe"):
        ArchiveReader(tmp_path / "pipe")


def test_failing_disk_is_damage(tmp_path, noise, write_archive, monkeypatch):
    """A disk that fails while a blob is read, mapped ones too, gives an ArchiveError that says where."""
    write_archive(tmp_path / "a", [b"small", noise(GATHERED)])
    with ArchiveReader(tmp_path / "a") as reader:

        def fail(*_):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "pread", fail)
        for unit in reader.manifest.units:
            with pytest.raises(ArchiveDamaged, match=r"cannot be read at byte \d+: Input/output error"):
                reader.read(unit.stream)
        with pytest.raises(ArchiveDamaged):
            reader.verify()


def test_little_memory_is_told(tmp_path, write_archive, monkeypatch):
    """Where there is not the memory to read, verify or open, an ArchiveError says so."""
    write_archive(tmp_path / "a", [b"small"])
    with ArchiveReader(tmp_path / "a") as reader:

        def exhaust(*_):
            raise MemoryError

        monkeypatch.setattr(os, "pread", exhaust)
        with pytest.raises(ArchiveError, match="needs more memory"):
            reader.read(reader.manifest.units[0].stream)
        with pytest.raises(ArchiveError, match="needs more memory"):
            reader.verify()
        with pytest.raises(ArchiveError, match="needs more memory"):
            ArchiveReader(tmp_path / "a")


def test_file_that_shrinks_while_open(tmp_path, noise, write_archive):
    """A file that is cut short while it is open gives an ArchiveError."""
    write_archive(tmp_path / "a", [b"small", noise(GATHERED)])
    with ArchiveReader(tmp_path / "a") as reader:
        os.truncate(tmp_path / "a", 4200)
        with pytest.raises(ArchiveDamaged, match="cut short"):
            reader.read(reader.manifest.units[1].stream)
        with pytest.raises(ArchiveDamaged):
            reader.verify()


def test_file_that_is_overwritten_while_open(tmp_path, noise, write_archive):
    """Verifying notices that another archive was written into the open file."""
    write_archive(tmp_path / "a", [b"one"])
    write_archive(tmp_path / "b", [b"two, longer"])
    with ArchiveReader(tmp_path / "a") as reader:
        (tmp_path / "a").write_bytes((tmp_path / "b").read_bytes())
        with pytest.raises(ArchiveDamaged, match="overwritten in place"):
            reader.verify()


def test_no_reader_module_knows_pickle(tmp_path, write_archive):
    """Opening, reading and verifying an archive load no module that unpickles."""
    write_archive(tmp_path / "a", [b"abc" * 10**6], bandwidth=1e6)
    script = (
        "import sys\n"
        "from elastictm.storage.reader import ArchiveReader\n"
        "before = 'pickle' in sys.modules\n"
        "with ArchiveReader(sys.argv[1]) as reader:\n"
        "    reader.read(reader.manifest.units[0].stream)\n"
        "    reader.verify()\n"
        "print(before or 'pickle' in sys.modules or 'cloudpickle' in sys.modules)\n"
    )
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a")],
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n"
