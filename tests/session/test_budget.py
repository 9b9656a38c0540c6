"""The space that the past may take: it holds at once, and no session's past goes without its name being told first."""

from __future__ import annotations

import pytest

from elastictm.errors import ArchiveNotTrusted
from elastictm.session.archivist import Archivist
from elastictm.storage.store import About, Store


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of all pasts, for this test alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "elastictm" / "past"


@pytest.fixture
def notebook(root, notebook):
    """A notebook that keeps its past there."""
    return notebook


def other(root, name, size, began=1.0):
    """The past of a session that ended."""
    with Store.create(root / name, About(name, began, "3.12.1", "/elsewhere", None, 1, "host")):
        (root / name / "00000001.tm").write_bytes(bytes(size))


def test_a_budget_holds_at_once(notebook, root, capsys):
    """What cells can make again is dropped when the budget is set, and that is told in one line."""
    notebook.run("import numpy as np", *(f"a = np.random.default_rng({i}).random(50_000); i = {i}" for i in range(6)))
    past = notebook.session.past
    past.keeper.flush()
    assert past.bytes > 2_000_000
    capsys.readouterr()
    notebook.run("%past budget 1MB")
    assert past.bytes < 1_000_000
    dropped, *_, spent = capsys.readouterr().out.splitlines()
    assert dropped.startswith("dropped ")
    assert spent.startswith("the past takes ")
    assert " of 1.0 MB, " in spent
    assert notebook.session.history.runs[-1].settings == ()


def test_a_small_budget_holds_while_cells_run(notebook, root):
    """Nobody waits until many megabytes are there to look whether the budget holds."""
    notebook.run("%past budget 1MB", "import numpy as np")
    for i in range(12):
        notebook.run(f"a = np.random.default_rng({i}).random(50_000)")
        notebook.session.past.keeper.flush()
        assert notebook.session.past.bytes < 2_000_000


def test_other_sessions_stay_until_they_are_named(notebook, root, capsys):
    """A budget that leaves no room for sessions that ended changes nothing until the user agrees to lose these."""
    other(root, "older", 3_000_000, 1.0)
    other(root, "newer", 1_000_000, 2.0)
    notebook.run("a = 1")
    capsys.readouterr()
    notebook.run("%past budget 2MB")
    said = capsys.readouterr()
    assert "removed: older (3.0 MB). %past budget 2MB --yes" in said.out + said.err
    assert (root / "older").is_dir()
    assert notebook.session.budget is None
    notebook.run("%past budget 2MB --yes")
    assert "removed older" in capsys.readouterr().out
    assert not (root / "older").exists()
    assert (root / "newer").is_dir()


def test_nothing_is_dropped_from_a_damaged_past(notebook, root, capsys):
    """What cannot be read may be what others need: the budget says so, and the session goes on being kept."""
    notebook.run("a = bytes(300_000)", "b = [1]", "c = 2")
    past = notebook.session.past
    past.keeper.flush()
    path = sorted(past._store.folder.glob("*.tm"))[-2]
    path.write_bytes(path.read_bytes()[:50])
    capsys.readouterr()
    notebook.run("%past budget 1KB")
    assert "nothing of the past is dropped, as some of it cannot be read" in capsys.readouterr().out
    notebook.run("d = 4", "%past clear")
    assert "states forgotten, 0 B freed; nothing of the past is dropped" in capsys.readouterr().out
    assert past.keeper.stopped == ""


def test_an_archive_of_a_state_is_trusted_as_the_session_is(notebook, root, tmp_path):
    """What the user's own sessions kept needs no word of trust; a store from elsewhere does."""
    notebook.run("a = [1]")
    past = notebook.session.past
    past.keeper.flush()
    elsewhere = tmp_path / "elsewhere"
    root.rename(elsewhere)
    Archivist(str(elsewhere)).save(past.name, None, tmp_path / "other.tm", force=False)
    elsewhere.rename(root)
    (root / past.name).chmod(0o770)
    Archivist().save(past.name, None, tmp_path / "shared.tm", force=False)
    (root / past.name).chmod(0o700)
    for name in ("other.tm", "shared.tm"):
        with pytest.raises(ArchiveNotTrusted):
            notebook.session.restore(tmp_path / name)
    Archivist().save(past.name, None, tmp_path / "own.tm", force=False)
    notebook.run("a.append(2)")
    notebook.session.restore(tmp_path / "own.tm")
    assert notebook.ns["a"] == [1]
