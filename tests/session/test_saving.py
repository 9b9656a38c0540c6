"""Saving beside a past: what its store has compressed is not compressed again, and all is as it is now."""

from __future__ import annotations

import numpy as np
import pytest

import elastictm as tm
from elastictm.storage import writer
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.faults import flip_byte

SLOW = {"bandwidth": "20MB/s", "policy": "store-all"}


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


def test_variables_that_got_the_same_object_from_a_library_share_it(notebook, tmp_path):
    """Nothing in the cells shows that the second one leads to the first one's data; a save finds it out."""
    notebook.run("import calendar", "x = calendar.mdays", "y = {'days': calendar.mdays}")
    tm.save(tmp_path / "one.tm", policy="store-all")
    notebook.run("del x, y")
    tm.restore(tmp_path / "one.tm")
    assert notebook.ns["y"]["days"] is notebook.ns["x"]


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


def test_the_prediction_has_what_was_spent_until_the_plan(notebook, tmp_path):
    """Freezing is over when a save is planned, so it counts as long as it took, and writing is added to that."""
    notebook.run(
        "import time\nclass Slow:\n    def __reduce__(self):\n        time.sleep(0.2)\n        return Slow, ()",
        "slow = Slow(); text = 'x' * 1_000_000",
    )
    plan = tm.plan(bandwidth="2MB/s", policy="store-all")
    saved = tm.save(tmp_path / "one.tm", bandwidth="2MB/s", policy="store-all")
    assert 0.2 + 0.5 < saved.predicted_seconds < saved.seconds + 0.6
    assert saved.predicted_bytes == plan.bytes
