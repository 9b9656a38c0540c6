"""Where a store cannot be written any more, one line says so, no cell fails, and keeping can go on."""

from __future__ import annotations

import errno
import os
import shutil
import stat

import pytest

from elastictm.storage.files import LocalFiles


class Refusing(LocalFiles):
    """Files of a disk that is full, or read-only, as long as ``error`` says so."""

    error = 0
    most = 0

    def create(self, path):
        """Create a file; a full disk has room for names."""
        if Refusing.error == errno.EROFS:
            raise OSError(Refusing.error, os.strerror(Refusing.error))
        return super().create(path)

    def write(self, descriptor, data):
        """Append data up to a size."""
        if Refusing.error and len(data) > Refusing.most:
            raise OSError(Refusing.error, os.strerror(Refusing.error))
        super().write(descriptor, data)


@pytest.fixture
def notebook(tmp_path, monkeypatch, notebook):
    """A notebook that keeps its past on a disk that can fill up."""
    notebook.run(f"%config ElasticTM.store = {str(tmp_path / 'stores')!r}")
    notebook.session.past.close()
    notebook.session.past = notebook.session._new_past()
    notebook.run("x = [1]")
    monkeypatch.setattr(Refusing, "error", 0)
    monkeypatch.setattr(Refusing, "most", 0)
    past(notebook)._store._files = Refusing()
    return notebook


def past(notebook):
    """The states of a notebook's session."""
    return notebook.session.past


def told(capsys):
    """The lines about keeping that were printed since the last look."""
    lines = capsys.readouterr().out.splitlines()
    return [line[line.index("the past is") :].strip() for line in lines if "kept:" in line]


def recovered(notebook, n):
    """The values of a state as another process finds them."""
    from elastictm.session.lookback import StateVariables
    from elastictm.session.states import Shelves, StateReader
    from elastictm.storage.store import Store

    past(notebook).keeper.flush()
    with Store.open(past(notebook)._store.folder) as store, store.reader() as reader:
        shelves = Shelves()
        shelves.refresh(reader)
        tree = shelves.tree(reader)
        found = StateVariables(StateReader(reader, shelves, tree, n, "it"), notebook.session.host, store.reader)
        return tree, {name: found[name] for name in ("x", "y")}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses(notebook, capsys, error):
    """It is told once and by ``%past``; once there is room all goes on, and the states between are known."""
    Refusing.error = error
    notebook.run("x.append(2)")
    (line,) = told(capsys)
    assert line.startswith("the past is no longer kept: ")
    assert {errno.ENOSPC: "the disk is full", errno.EROFS: "read-only"}[error] in line
    assert line.endswith("%past saving on goes on with it.")
    notebook.run("x.append(3)", "x.append(4)")
    assert (told(capsys), notebook.ns["x"]) == ([], [1, 2, 3, 4])
    notebook.run("%past")
    assert told(capsys) == [line]
    notebook.run("%past saving on")
    assert len(told(capsys)) == 1  # there is still no room
    Refusing.error = 0
    notebook.run("%past saving on", "y = x")
    n = past(notebook).tree.at
    notebook.run("%past")
    assert told(capsys) == []
    tree, values = recovered(notebook, n)
    assert values["x"] == [1, 2, 3, 4]
    assert values["x"] is values["y"]
    assert [state.n for state in tree if state.is_new] == [state.n for state in past(notebook).tree if state.is_new]
    notebook.session.go(str(n - 5))
    assert notebook.ns["x"] == [1, 2, 3]


def test_large_values_that_find_no_room(notebook, capsys):
    """What is written while cells go on is missed before the next cell, and is kept once there is room."""
    Refusing.error, Refusing.most = errno.ENOSPC, 100_000
    notebook.run("import numpy as np; y = np.arange(300_000.0)", "x.append(2)", "x.append(3)")
    assert len(told(capsys)) == 1
    Refusing.error = 0
    notebook.run("%past saving on", "x.append(4)")
    _, values = recovered(notebook, past(notebook).tree.at)
    assert values["x"] == [1, 2, 3, 4]
    assert values["y"].sum() == notebook.ns["y"].sum()


def test_a_folder_that_vanishes(notebook, capsys):
    """Keeping goes on in a new folder, with the history of all states and the values of the latest."""
    past(notebook).tag("one", past(notebook).tree.at)
    before = past(notebook)._store.folder
    shutil.rmtree(before)
    notebook.run("x.append(2)", "y = x", "%past")
    lines = told(capsys)
    assert len(lines) == 2
    assert lines[0] == lines[1]
    notebook.run("%past saving on", "x.append(3)")
    assert told(capsys) == []
    after = past(notebook)._store.folder
    assert (after != before, after.is_dir(), before.exists()) == (True, True, False)
    tree, values = recovered(notebook, past(notebook).tree.at)
    assert values["y"] == [1, 2, 3]
    assert tree.tags == past(notebook).tree.tags
    notebook.session.go("one")
    assert notebook.ns["x"] == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_folder_that_becomes_read_only(notebook, capsys):
    """Taking the right to write away and giving it back."""
    folder = past(notebook)._store.folder
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        notebook.run("x.append(2)", "x.append(3)")
        assert len(told(capsys)) == 1
    finally:
        folder.chmod(stat.S_IRWXU)
    notebook.run("%past saving on", "y = x")
    assert told(capsys) == []
    assert recovered(notebook, past(notebook).tree.at)[1]["x"] == [1, 2, 3]


def test_no_folder_can_be_made(unloaded, tmp_path, capsys):
    """A session whose store cannot be made says so once, runs, and keeps its states once it can."""
    (tmp_path / "stores").write_text("no folder")
    unloaded.shell.config.ElasticTM.store = str(tmp_path / "stores")
    unloaded.load()
    unloaded.run("x = [1]", "y = x")
    (line,) = told(capsys)
    assert line.startswith("the past is not kept: ")
    unloaded.run("%past")
    assert told(capsys) == [line]
    (tmp_path / "stores").unlink()
    unloaded.run("%past saving on", "x.append(2)")
    assert told(capsys) == []
    assert recovered(unloaded, past(unloaded).tree.at)[1]["y"] == [1, 2]
    assert unloaded.errors == []


def test_another_folder_is_chosen(notebook, tmp_path, capsys):
    """Where the disk stays full, keeping goes on in the folder that the user names."""
    Refusing.error = errno.ENOSPC
    notebook.run("x.append(2)", f"%config ElasticTM.store = {str(tmp_path / 'other')!r}", "%past saving on", "y = x")
    assert len(told(capsys)) == 1
    assert past(notebook)._store.folder.parent == tmp_path / "other"
    assert recovered(notebook, past(notebook).tree.at)[1]["y"] == [1, 2]


@pytest.mark.parametrize("trouble", ["full", "gone"])
def test_going_while_nothing_is_kept(notebook, trouble):
    """Where the store can be read, states can be gone to; where it cannot, the session stays as it is."""
    from elastictm.errors import ArchiveError

    notebook.run("x.append(2)")
    n = past(notebook).tree.at
    if trouble == "full":
        Refusing.error = errno.ENOSPC
        notebook.run("x.append(3)")
        notebook.session.go(str(n))
        assert notebook.ns["x"] == [1, 2]
        notebook.session.go("redo")
        assert notebook.ns["x"] == [1, 2, 3]
    else:
        shutil.rmtree(past(notebook)._store.folder)
        notebook.run("x.append(3)")
        with pytest.raises(ArchiveError, match="cannot be read"):
            notebook.session.go(str(n))
        assert notebook.ns["x"] == [1, 2, 3]
