"""Archives that take the states of the past along."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import numpy as np
import pytest

import elastictm as tm
from elastictm.errors import ArchiveDamaged, UsageError
from elastictm.extension import find
from elastictm.ids import is_variable
from elastictm.storage.manifest import Manifest
from elastictm.storage.reader import ArchiveReader
from elastictm.testing.faults import flip_byte

CHILD = """
import sys
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
HistoryManager.enabled = False
shell = InteractiveShell.instance()
shell.run_cell("%load_ext elastictm", store_history=True)
import elastictm as tm
report = tm.restore(sys.argv[1], trust=True)
assert any("3 states came along" in note for note in report.notes), report.notes
assert shell.user_ns["x"].tolist() == [0, 5, 2], shell.user_ns["x"]
tm.past("first")
assert shell.user_ns["x"].tolist() == [0, 1, 2]
assert shell.user_ns["f"]() == 3 and "y" not in shell.user_ns
shell.run_cell("z = f()", store_history=True)
tm.past(2)
assert "z" not in shell.user_ns
print("fine")
"""


def live(notebook):
    """The user's variables."""
    return {n: v for n, v in notebook.ns.items() if is_variable(n) and not notebook.session.host.is_own(n)}


def states(notebook):
    """The numbers of the states that differ from their parents."""
    return [state.n for state in notebook.session.past.tree if state.is_new]


@pytest.fixture
def other(unloaded):
    """Begin another session in the same shell, as if in another process: a fresh namespace, a fresh store."""

    def begin():
        find(unloaded.shell).session.close()
        unloaded.shell.run_cell("%unload_ext elastictm")
        unloaded.shell.reset(new_session=True)
        unloaded.load()
        return unloaded

    return begin


def test_every_state_can_be_gone_to_where_the_archive_is_restored(notebook, other, tmp_path):
    """States on all branches come along with their tags, are gone to both ways, and go on from there."""
    notebook.run("x = [1]; keep = x", "x.append(2)", "y = {'a': x}")
    at = notebook.runs[-1].n
    notebook.session.go(str(at - 1))
    notebook.run("z = 'branch'")
    notebook.session.past.tag("start", at - 2)
    before = states(notebook)
    report = tm.save(tmp_path / "work.tm", with_past=True)
    assert any("states of the past" in note for note in report.notes)

    notebook = other()
    report = tm.restore(tmp_path / "work.tm", trust=True)
    assert f"{len(before)} states came along: %past lists them" in report.notes
    assert live(notebook) == {"x": [1, 2], "keep": [1, 2], "z": "branch"}
    assert states(notebook) == before
    notebook.session.go(str(at))
    assert live(notebook) == {"x": [1, 2], "keep": [1, 2], "y": {"a": [1, 2]}}
    assert notebook.ns["y"]["a"] is notebook.ns["keep"]
    notebook.session.go("start")
    assert live(notebook) == {"x": [1], "keep": [1]}
    notebook.run("w = x * 2")
    notebook.session.go(str(before[-1]))
    assert live(notebook) == {"x": [1, 2], "keep": [1, 2], "z": "branch"}
    notebook.session.go(str(states(notebook)[-1]))
    assert live(notebook) == {"x": [1], "keep": [1], "w": [1, 1]}


def test_a_save_inside_a_cell_that_changes_something(notebook, other, tmp_path):
    """What the saving cell did before is in the archive, in a state after those that came along."""
    path = tmp_path / "work.tm"
    notebook.run(
        "x = [1]", "x.append(2)", f"import elastictm as tm; x.append(3); tm.save({str(path)!r}, with_past=True)"
    )
    notebook = other()
    tm.restore(path, trust=True)
    assert notebook.ns["x"] == [1, 2, 3]
    notebook.session.go("undo")
    assert notebook.ns["x"] == [1, 2]
    notebook.session.go("redo")
    assert notebook.ns["x"] == [1, 2, 3]
    notebook.session.go("undo")
    notebook.session.go("undo")
    assert notebook.ns["x"] == [1]


def test_what_is_alive_and_in_states_is_stored_once(notebook, tmp_path):
    """An archive with states whose arrays are alive now takes about the bytes of the arrays once."""
    notebook.run("import numpy as np\nx = np.random.default_rng(1).random(2_000_000)", "x[0] = 1", "x[1_999_999] = 2")
    tm.save(tmp_path / "work.tm", with_past=True, policy="store-all")
    assert (tmp_path / "work.tm").stat().st_size < 2_000_000 * 8 + 5 * 2**20
    with ArchiveReader(tmp_path / "work.tm") as reader:
        reader.verify()
    x = notebook.ns["x"]
    notebook.run("del x")
    tm.restore(tmp_path / "work.tm")
    assert np.array_equal(notebook.ns["x"], x)


def test_another_process_goes_to_the_states(notebook, tmp_path):
    """A process without the first one's memory and store has its states."""
    path = tmp_path / "work.tm"
    notebook.run(
        "import numpy as np\nx = np.arange(3)\ndef f():\n    return len(x)",
        "x[1] = 5; y = 1",
    )
    notebook.session.past.tag("first", notebook.runs[-2].n)
    tm.save(path, with_past=True)
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False)
    assert "fine" in done.stdout, done.stdout + done.stderr


def test_cleared_states_do_not_travel(notebook, other, tmp_path):
    """What was cleared cannot be gone to there either, and its bytes are not in the archive."""
    notebook.run("x = 'a ' + 'password'", "x = 2", "x = 3")
    n = notebook.runs[-1].n
    notebook.session.past.clear((n - 2, n - 2))
    tm.save(tmp_path / "work.tm", with_past=True)
    with ArchiveReader(tmp_path / "work.tm") as reader:
        contents = b"".join(reader.find(chunk.digest).content() for chunk in reader.manifest.chunks)
        assert b"a password" not in contents
        assert reader.manifest.past.states == len(states(notebook)) - 1
    notebook = other()
    tm.restore(tmp_path / "work.tm", trust=True)
    with pytest.raises(UsageError, match="was cleared"):
        notebook.session.go(str(n - 2))
    notebook.session.go("undo")
    assert notebook.ns["x"] == 2


def test_where_no_past_is_kept_the_states_are_left_out(notebook, tmp_path):
    """One line says so, and the session comes back without them; pausing outlasts the restore."""
    notebook.run("x = [1]", "x.append(2)")
    tm.save(tmp_path / "work.tm", with_past=True)
    tm.saving(False)
    report = tm.restore(tmp_path / "work.tm")
    assert sum("states were left out: this session keeps no past" in note for note in report.notes) == 1
    assert notebook.ns["x"] == [1, 2]
    assert not notebook.session.past.saving


def past_chunk(path):
    """A chunk that nothing but the past of an archive needs: one whose content no other part refers to."""
    with ArchiveReader(path) as reader:
        manifest = reader.manifest
        units = [*manifest.units, *(d.unit for d in manifest.definitions)]
        blobs = [manifest.history, manifest.sources, *manifest.generators.values(), *manifest.past.packs]
        blobs += [blob for unit in units for blob in (unit.stream, *unit.segments)]
        used = {index for blob in blobs for index in blob.chunks}
        return next(chunk for i, chunk in enumerate(manifest.chunks) if i not in used)


def test_a_damaged_past_is_told_and_the_rest_restored(notebook, tmp_path):
    """A bad chunk of the past is found by a check, and costs a restore the states alone."""
    path = tmp_path / "work.tm"
    notebook.run("x = list(range(100_000))", "x[5] = 'other'")
    tm.save(path, with_past=True, policy="store-all")
    chunk = past_chunk(path)
    flip_byte(path, chunk.offset + chunk.stored // 2)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveDamaged):
        reader.verify()
    root = notebook.session._stores.root
    before = set(root.iterdir())
    report = tm.restore(path, trust=True)
    assert any("states were left out" in note and "damaged" in note for note in report.notes)
    assert notebook.ns["x"][5] == "other"
    assert set(root.iterdir()) - before == {root / notebook.session.past.name}
    notebook.run("y = 1")
    notebook.session.go("undo")
    assert "y" not in notebook.ns


def rewritten(path, changed):
    """An archive with another footer."""
    from elastictm.storage.layout import TRAILER, pack_trailer

    data = path.read_bytes()
    with ArchiveReader(path) as reader:
        manifest = reader.manifest
    offset = int.from_bytes(data[-TRAILER.size : -TRAILER.size + 8], "little")
    footer = msgspec.json.encode(changed(manifest))
    path.write_bytes(data[:offset] + footer + pack_trailer(footer, offset))


@pytest.mark.parametrize(
    "changed",
    [
        lambda past, m: msgspec.structs.replace(past, packs=past.packs[1:]),
        lambda past, m: msgspec.structs.replace(past, packs=(m.history, *past.packs)),
        lambda past, m: msgspec.structs.replace(past, packs=()),
    ],
    ids=["a pack is missing", "a pack is none", "no pack"],
)
def test_a_past_that_makes_no_sense_is_told(notebook, tmp_path, changed):
    """Packs with good digests that do not fit cost a restore the states alone."""
    path = tmp_path / "work.tm"
    notebook.run("x = [1]", "x.append(2)")
    tm.save(path, with_past=True)
    rewritten(path, lambda m: msgspec.structs.replace(m, past=changed(m.past, m)))
    with ArchiveReader(path) as reader:
        if any(blob == reader.manifest.history for blob in reader.manifest.past.packs):
            with pytest.raises(ArchiveDamaged):
                reader.verify()
    report = tm.restore(path, trust=True)
    assert any("states were left out" in note for note in report.notes), report.notes
    assert notebook.ns["x"] == [1, 2]


def test_older_readers_do_without_the_past(notebook, tmp_path):
    """The manifest without its optional part is a whole one."""
    path = tmp_path / "work.tm"
    notebook.run("x = [1]", "x.append(2)")
    tm.save(path, with_past=True)
    rewritten(path, lambda m: msgspec.structs.replace(m, past=None))
    with ArchiveReader(path) as reader:
        reader.verify()
        assert isinstance(reader.manifest, Manifest)
    tm.restore(path, trust=True)
    assert notebook.ns["x"] == [1, 2]


def test_states_hold_all_variables(notebook, tmp_path):
    """Leaving variables behind while states with them travel is refused."""
    notebook.run("x = [1]", "y = 2")
    with pytest.raises(UsageError, match="with-past"):
        tm.save(tmp_path / "work.tm", with_past=True, exclude=["y"])
    assert not (tmp_path / "work.tm").exists()


def test_states_that_only_came_along_leave_no_store(notebook, other, tmp_path):
    """A session that restored an archive with states and changed nothing leaves none behind: the archive has them."""
    notebook.run("x = [1]", "x.append(2)")
    tm.save(tmp_path / "work.tm", with_past=True)
    root = notebook.session._stores.root

    def left():
        """The stores of sessions that ended."""
        return {folder.name for folder in root.iterdir()} - {notebook.session.past.name}

    notebook = other()
    before = left()
    tm.restore(tmp_path / "work.tm", trust=True)
    notebook.session.go("undo")
    notebook = other()
    assert left() == before
    tm.restore(tmp_path / "work.tm", trust=True)
    notebook.run("y = 1")
    notebook = other()
    assert len(left() - before) == 1


def test_a_rehearsal_leaves_no_store(notebook, tmp_path):
    """The process that rehearses a restore takes the states in, and what it keeps goes with it."""
    notebook.run("x = [1]", "x.append(2)")
    root = notebook.session._stores.root
    before = set(root.iterdir())
    report = tm.save(tmp_path / "work.tm", with_past=True, rehearse=True)
    assert any("states came along" in note for note in report.rehearsal.notes)
    assert set(root.iterdir()) == before


def test_a_damaged_store_is_told_by_a_save(notebook, tmp_path):
    """A pack that cannot be read is told as left behind; a chunk that others need stops the save, which says why."""
    told = []
    notebook.session.tell = told.append
    notebook.run("x = list(range(100_000))", "y = 1", "y = 2")
    past = notebook.session.past
    past.keeper.flush()
    packs = sorted((notebook.session._stores.root / past.name).glob("*.tm"))
    flip_byte(packs[-1], packs[-1].stat().st_size - 8)
    tm.save(tmp_path / "one.tm", with_past=True)
    notebook.run("pass")
    assert any("do not travel" in line and packs[-1].name in line for line in told), told
    large = max(packs, key=lambda pack: pack.stat().st_size)
    flip_byte(large, large.stat().st_size // 2)
    with pytest.raises(ArchiveDamaged, match="save without --with-past"):
        tm.save(tmp_path / "two.tm", with_past=True)
    assert not (tmp_path / "two.tm").exists()
    tm.save(tmp_path / "two.tm")
