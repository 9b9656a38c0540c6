"""Memory put together from files: private, writable, and of the files' names independent."""

from __future__ import annotations

import gc
import mmap
import random
import sys
from pathlib import Path

import pytest

from elastictm.storage import assembly
from elastictm.storage.assembly import Run, assemble, can_assemble
from elastictm.storage.cutting import PIECE
from elastictm.storage.source import Source
from elastictm.storage.store import Store
from elastictm.testing.stores import add_state, create

PAGE = mmap.PAGESIZE

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="mapped in pieces on Linux alone")


@pytest.fixture
def sources(tmp_path, noise):
    """Two files of noise."""
    opened = []
    for i in range(2):
        (tmp_path / f"{i}").write_bytes(noise(20 * PAGE + 100, i))
        opened.append(Source(tmp_path / f"{i}"))
    yield opened
    for source in opened:
        source.close()


@on_linux
def test_runs_follow_each_other(tmp_path, sources, noise):
    """Runs of several files become one piece of memory, which may begin and end inside a page."""
    a, b = sources
    runs = [Run(a, PAGE + 30, PAGE - 30), Run(b, 4 * PAGE, 2 * PAGE), Run(a, 0, PAGE), Run(b, 0, 77)]
    memory = assemble(runs)
    content = b"".join(
        noise(20 * PAGE + 100, i)[at : at + size]
        for i, at, size in [
            (0, PAGE + 30, PAGE - 30),
            (1, 4 * PAGE, 2 * PAGE),
            (0, 0, PAGE),
            (1, 0, 77),
        ]
    )
    assert memory == content
    for i in range(2):
        (tmp_path / f"{i}").unlink()
    memory[::100] = bytes(len(memory[::100]))
    assert sources[0].read(PAGE + 30, 5) == content[:5]
    changed = bytearray(content)
    changed[::100] = bytes(len(changed[::100]))
    assert memory == changed


@on_linux
def test_memory_goes_with_its_last_user(sources):
    """Thousands of mappings leave nothing behind when their users are gone."""

    def mappings():
        with Path("/proc/self/maps").open() as maps:
            return sum("test_memory_goes" in line for line in maps)

    memories = [assemble([Run(sources[i % 2], PAGE * (i % 7), PAGE) for i in range(50)]) for _ in range(40)]
    assert mappings() >= 1000
    del memories
    gc.collect()
    assert mappings() == 0


@pytest.mark.parametrize(
    "runs",
    [[], [(0, 0, 10), (1, 0, 10)], [(0, 0, PAGE), (1, 10, 10)], [(0, 10, PAGE), (1, 0, PAGE)]],
    ids=["none", "ends inside a page", "begins inside a page", "shifted"],
)
def test_runs_that_do_not_meet_at_pages_are_not_assembled(sources, runs):
    """What the system cannot put side by side is left to be copied."""
    runs = [Run(sources[i], offset, size) for i, offset, size in runs]
    assert not can_assemble(runs)
    assert assemble(runs) is None


def test_refusal_in_the_middle_is_survived(sources, monkeypatch):
    """Where the system refuses one of the runs, there is no memory, and nothing breaks."""
    good = [Run(sources[0], 0, PAGE), Run(sources[1], 0, PAGE)]
    monkeypatch.setattr(assembly, "_MAP_FIXED", 0x10 | 0x03)  # shared, private, and neither: invalid
    assert assemble(good) is None


def test_closed_files_are_not_mapped(sources):
    """A file that was closed cannot be mapped."""
    sources[0].close()
    assert assemble([Run(sources[0], 0, PAGE)]) is None


@pytest.mark.parametrize("mapped", [True, False])
def test_array_spread_over_packs(tmp_path, noise, monkeypatch, mapped):
    """A large array of which packs hold a piece each is one piece of memory, mapped or copied, that outlives the files."""
    if not mapped:
        monkeypatch.setattr("elastictm.storage.pieces.can_assemble", lambda runs: False)
    data = bytearray(noise(8 * PIECE + 12345))
    with create(tmp_path / "s") as store:
        for n in range(6):
            data[random.Random(n).randrange(len(data))] ^= 0xFF
            add_state(store, n, {"x": data})
    store = Store.open(tmp_path / "s")
    with store.reader() as reader:
        *_, (number, pack) = reader.packs()
        memory = reader.read(number, pack.kept[0].unit.stream)
        again = reader.read(number, pack.kept[0].unit.stream)
    assert isinstance(memory.obj, mmap.mmap) is (mapped and sys.platform == "linux")
    for path in store.folder.glob("*.tm"):
        path.unlink()
    assert memory == data
    memory[:] = bytes(len(memory))
    assert again == data
