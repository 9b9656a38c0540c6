"""Saving with what is known already: who shares data, and which chunks the store of the past has compressed."""

from __future__ import annotations

import numpy as np
import pytest

import elastictm as tm
from elastictm.session import stock
from elastictm.storage import writer
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.faults import flip_byte
from elastictm.values.survey import Surveyor

SLOW = {"bandwidth": "20MB/s", "policy": "store-all"}


class Counting(Surveyor):
    """Counts how many surveys are made."""

    made = 0

    def survey(self, values, **options):
        """Count, and survey."""
        type(self).made += 1
        return super().survey(values, **options)


@pytest.fixture
def surveys(monkeypatch):
    """The surveys of one test's saves."""
    monkeypatch.setattr(Counting, "made", 0)
    monkeypatch.setattr(stock, "Surveyor", Counting)
    return Counting


@pytest.fixture
def compressed(monkeypatch):
    """The sizes of what a save compresses itself."""
    sizes = []
    prepare = writer.prepare

    def counting(data, *, compressed):
        if compressed:
            sizes.append(data.nbytes)
        return prepare(data, compressed=compressed)

    monkeypatch.setattr(writer, "prepare", counting)
    return sizes


def test_what_recording_knows_is_not_surveyed(notebook, surveys, tmp_path):
    """Where every value is as recording left it, nobody walks them for shared data; a new tie is found all the same."""
    notebook.run("a = [1]", "b = {'a': [2]}")
    tm.save(tmp_path / "one.tm")
    assert surveys.made == 0
    notebook.ns["b"]["a"] = notebook.ns["a"]
    tm.save(tmp_path / "two.tm")
    assert surveys.made
    notebook.run("del a, b")
    tm.restore(tmp_path / "two.tm")
    assert notebook.ns["b"]["a"] is notebook.ns["a"]


def test_what_a_thread_may_reach_is_surveyed(notebook, surveys, tmp_path):
    """A thread may make two variables share what looks as before."""
    notebook.run(
        "import threading\ngo, done = threading.Event(), threading.Event()",
        "a = [[1]]\nb = [[1]]\n"
        "def work():\n    go.wait(10)\n    b[0] = a[0]\n    done.set()\n"
        "thread = threading.Thread(target=work, name='left-behind')\nthread.start()",
    )
    notebook.ns["go"].set()
    assert notebook.ns["done"].wait(10)
    tm.save(tmp_path / "one.tm", policy="store-all", only=["a", "b"])
    assert surveys.made
    notebook.run("del a, b")
    tm.restore(tmp_path / "one.tm")
    assert notebook.ns["b"][0] is notebook.ns["a"][0]


def test_what_the_store_has_compressed_is_not_compressed_again(notebook, compressed, tmp_path):
    """Chunks of the store go into an archive that travels slowly, and it holds what the same save without them does."""
    notebook.run("import numpy as np\nx = np.arange(1_000_000)\ntext = ['word %d' % (i % 99) for i in range(200_000)]")
    notebook.session.past.keeper.flush()
    tm.save(tmp_path / "one.tm", **SLOW)
    assert not [size for size in compressed if size > 2**19]
    with ArchiveReader(tmp_path / "one.tm") as reader:
        reader.verify()
    notebook.run("del x, text")
    tm.restore(tmp_path / "one.tm")
    assert np.array_equal(notebook.ns["x"], np.arange(1_000_000))
    assert notebook.ns["text"] == [f"word {i % 99}" for i in range(200_000)]


def test_what_changed_beside_the_cells_is_saved_as_it_is(notebook, tmp_path):
    """The store is asked for content, so what is not as it was when it was stored does not come from there."""
    notebook.run("import numpy as np\nx = np.zeros(1_000_000)")
    notebook.session.past.keeper.flush()
    notebook.ns["x"][700_000] = 1
    tm.save(tmp_path / "one.tm", **SLOW)
    notebook.run("del x")
    tm.restore(tmp_path / "one.tm")
    assert np.flatnonzero(notebook.ns["x"]).tolist() == [700_000]


def test_a_damaged_chunk_of_the_store_is_compressed_anew(notebook, compressed, tmp_path):
    """What does not hold in the store is written from memory."""
    notebook.run("import numpy as np\nx = np.arange(1_000_000)")
    past = notebook.session.past
    past.keeper.flush()
    folder = notebook.session._stores.root / past.name
    for pack in folder.glob("*.tm"):
        if pack.stat().st_size > 2**16:
            flip_byte(pack, 2**14)
    tm.save(tmp_path / "one.tm", **SLOW)
    assert [size for size in compressed if size > 2**19]
    with ArchiveReader(tmp_path / "one.tm") as reader:
        reader.verify()


def test_what_was_compressed_before_travels_so_where_compressing_would_not_pay(notebook, compressed, tmp_path):
    """At a bandwidth at which compressing takes longer than it saves, a copy of the store still saves time."""
    notebook.run("import numpy as np\nx = np.arange(1_000_000)\ny = np.random.default_rng(1).random(1_000_000)")
    notebook.session.past.keeper.flush()
    tm.save(tmp_path / "one.tm", bandwidth="400MB/s", policy="store-all")
    assert not compressed
    assert 8_000_000 < (tmp_path / "one.tm").stat().st_size < 12_000_000
    tm.save(tmp_path / "two.tm", bandwidth="2GB/s", policy="store-all")
    assert (tmp_path / "two.tm").stat().st_size > 16_000_000
    notebook.run("del x, y")
    tm.restore(tmp_path / "one.tm")
    assert np.array_equal(notebook.ns["x"], np.arange(1_000_000))
