"""What is not in a store, as bytes changed or nothing was kept: it is told first, and what does not need it is had."""

from __future__ import annotations

import errno
import json
import random
import shutil

import pytest

from elastictm.errors import ArchiveDamaged
from elastictm.session.archivist import Archivist
from elastictm.session.options import SaveOptions
from elastictm.session.unwanted import Unwanted
from elastictm.storage.store import Store

CELLS = ("a = [1] * 1000", "a.append(2)", "b = {'x': list(range(3000))}", "a.append(3)", "b['y'] = 7")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of the user's data for this test alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "elastictm" / "past"


@pytest.fixture
def notebook(data, notebook):
    """A notebook that keeps its past in a folder of its own."""
    return notebook


def kill(notebook, name="killed"):
    """The store as a kernel leaves it that is killed now, under another name."""
    past = notebook.session.past
    past.keeper.flush()
    target = past._store.folder.with_name(name)
    shutil.copytree(past._store.folder, target)
    about = json.loads((target / "session.json").read_bytes())
    (target / "session.json").write_text(json.dumps({**about, "id": name}))
    return target


def pack_of(folder, n):
    """The file with the record of a state."""
    with Store.open(folder) as store:
        number = next(number for number, pack in store.packs() if any(state.n == n for state in pack.states))
    return folder / f"{number:08}.tm"


def flip(path, at=-60):
    """Change one byte, in what the file says of itself if no other is named."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def values(notebook):
    """What the cells made."""
    return len(notebook.ns.get("a", ())), len(notebook.ns.get("b", ()))


def test_states_that_cannot_be_read_are_told_first(notebook, data):
    """One flipped byte costs the states behind it; recovering goes to the latest other one and says so."""
    notebook.run(*CELLS)
    first = notebook.runs[1].n
    folder = kill(notebook)
    broken = pack_of(folder, first + 2)
    flip(broken)
    lost = f"LOST 3 states of the past, {first + 2} to {first + 4}, which cannot be read: "
    (session,) = (s for s in Archivist().sessions(0.0).sessions if s.id == "killed")
    assert f"killed: {lost}" in str(Archivist().sessions(0.0))
    listed = Archivist().timeline("killed", 0.0, everything=True)
    report = notebook.session.recover("killed", None)
    assert values(notebook) == (1001, 0)
    for gap in (session.gaps, listed.gaps, report.notes, notebook.session.past.timeline().gaps):
        assert gap[0].startswith(lost)
        assert broken.name in gap[0]
    assert str(report).splitlines()[1].strip().startswith(lost)
    assert str(listed).splitlines()[1].strip().startswith(lost)


def test_a_recovered_session_gives_no_number_twice(notebook, data):
    """What comes after the states that are lost is not taken for theirs, and is there when it is recovered again."""
    notebook.run(*CELLS)
    n = notebook.runs[1].n
    flip(pack_of(kill(notebook), n + 1))
    notebook.session.recover("killed", None)
    assert values(notebook) == (1000, 0)
    notebook.run("a.append('new')", "c = 1")
    assert [run.n for run in notebook.runs[-2:]] > [n + 4, n + 4]
    notebook.session.past.keeper.flush()
    kill(notebook, "again")
    report = notebook.session.recover("again", None)
    assert (notebook.ns["a"][-1], len(notebook.ns["a"]), notebook.ns["c"]) == ("new", 1001, 1)
    assert report.notes[0].startswith(f"LOST 4 states of the past, {n + 1} to {n + 4}, ")


def test_a_file_that_was_cut_off(notebook, data):
    """Of the last file nobody knows what it held: that is said, and the state before comes back."""
    notebook.run(*CELLS)
    folder = kill(notebook)
    last = max(folder.glob("*.tm"))
    last.write_bytes(last.read_bytes()[:100])
    report = notebook.session.recover("killed", None)
    assert values(notebook) == (1002, 1)
    assert report.notes[0].startswith(
        f"LOST states after {notebook.runs[-1].n}, if there were any, which cannot be read: "
    )
    assert last.name in report.notes[0]
    assert "Put it back from a backup, if there is one" in report.notes[0]
    assert "Copy it again" not in str(report)


def test_a_file_that_is_gone(notebook, data):
    """States whose line has a hole are told, though no file is damaged."""
    notebook.run(*CELLS)
    n = notebook.runs[1].n
    folder = kill(notebook)
    pack_of(folder, n + 3).unlink()
    report = notebook.session.recover("killed", None)
    assert values(notebook) == (1001, 1)
    assert report.notes[0].startswith(f"LOST 2 states of the past, {n + 3} to {n + 4}, which cannot be read: a file")


def test_every_byte(notebook, data):
    """Wherever a byte is changed, what is recovered is a state as it was, the last one or one before a loss."""
    notebook.run(
        "import numpy as np",
        "a = [1]; r = np.arange(4)",
        "def f():\n    return a",
        "a.append(2)",
        "r[0] = 7",
        "np.random.seed(3); a.append(3)",
    )
    truth = {}
    for run in notebook.runs:
        notebook.session.go(str(run.n))
        truth[run.n] = shown(notebook)
    reached = 0
    clean = kill(notebook, "clean")
    chance = random.Random(4)
    for turn in range(40):
        folder = clean.with_name(f"flipped-{turn}")
        shutil.copytree(clean, folder)
        (folder / "session.json").write_text((folder / "session.json").read_text().replace("clean", folder.name))
        path = chance.choice(sorted(folder.glob("*.tm")))
        at = chance.randrange(path.stat().st_size)
        flip(path, at)
        try:
            report = notebook.session.recover(folder.name, None)
        except ArchiveDamaged:  # of the first state, from which all others come
            continue
        reached += 1
        n = notebook.session.past.tree.at
        assert shown(notebook) == truth[n] or any(v.outcome == "lost" for v in report.variables), (
            path,
            at,
            str(report),
        )
        assert n == max(truth) or report.notes[0].startswith("LOST"), (path, at)
    assert reached > 20


def shown(notebook):
    """All that the session of the test for every byte holds."""
    ns = notebook.ns
    drawn = repr(ns["np"].random.get_state()) if "np" in ns else ""
    return ns.get("a"), repr(ns.get("r")), ns["f"]() if "f" in ns else None, drawn


def test_values_that_are_damaged_are_made_again(notebook, data, tmp_path):
    """Where only the bytes of a value changed, all states are there, and its cell runs again."""
    notebook.run("a = list(range(5000))", "b = [1]")
    n = notebook.runs[1].n
    folder = kill(notebook)
    flip(pack_of(folder, n), 2000)
    saved = Archivist().save("killed", None, tmp_path / "state.tm", force=False)
    assert saved.notes[0].startswith("LOST some of what was kept, which cannot be read: ")
    report = notebook.session.recover("killed", None)
    assert report.notes[0].startswith("LOST some of what was kept, which cannot be read: ")
    assert (notebook.ns["a"], notebook.ns["b"]) == (list(range(5000)), [1])
    for each in (saved, report):
        assert {v.name: v.outcome for v in each.variables} == {"a": "rerun", "b": "stored"}
    notebook.session.restore(tmp_path / "state.tm")
    assert (notebook.ns["a"], notebook.ns["b"]) == (list(range(5000)), [1])


def test_a_living_session_does_without_values_that_are_damaged(notebook, data):
    """Going to a state whose bytes changed makes the values again, and the list of states says what is damaged."""
    notebook.run("a = list(range(5000))", "a.append(1); b = [1]")
    n, past = notebook.runs[1].n, notebook.session.past
    past.keeper.flush()
    flip(pack_of(past._store.folder, n), 2000)
    report = notebook.session.go(str(n))
    assert (len(notebook.ns["a"]), "b" in notebook.ns) == (5000, False)
    assert [(v.name, v.outcome) for v in report.variables] == [("a", "rerun")]
    assert past.timeline().gaps[0].startswith("LOST some of what was kept, which cannot be read: ")


def test_a_damaged_past_travels_with_what_it_lost(notebook, data, tmp_path):
    """An archive with the past of a damaged store has the states that are there, and says that others are not."""
    notebook.run(*CELLS)
    n = notebook.runs[1].n
    flip(pack_of(kill(notebook), n + 2))
    notebook.session.recover("killed", None)
    notebook.run("c = 1")
    notebook.session.save(tmp_path / "work.tm", SaveOptions(with_past=True))
    notebook.session.restore(tmp_path / "work.tm")
    past = notebook.session.past
    assert past.tree.lost == {n + 2, n + 3, n + 4}
    assert past.timeline().gaps[0].startswith(f"LOST 3 states of the past, {n + 2} to {n + 4}, ")


def test_a_living_session_tells_what_is_damaged(notebook, data):
    """Going to a state some of whose records cannot be read says what may be otherwise."""
    notebook.run(*CELLS)
    n = notebook.runs[1].n
    past = notebook.session.past
    past.keeper.flush()
    flip(pack_of(past._store.folder, n + 1))
    assert past.timeline().gaps[0].startswith(f"LOST 4 states of the past, {n + 1} to {n + 4}, ")
    report = notebook.session.go(str(n + 1))
    assert values(notebook) == (1001, 0)
    assert report.notes[0].startswith(
        f"MAY DIFFER random generators, functions, classes and modules that cells {n + 1}"
    )


def test_a_machine_that_is_not_known(notebook, data):
    """Where the pack that describes the machine is damaged, no difference is made up."""
    notebook.run("a = 1")
    folder = kill(notebook)
    with Store.open(folder) as store:
        number = next(number for number, pack in store.packs() if pack.environment is not None)
    flip(folder / f"{number:08}.tm")
    report = notebook.session.recover("killed", None)
    assert report.differences == ("which Python, platform and libraries there were is not known",)


def test_saving_that_is_off(notebook, data, capsys):
    """Since which cell nothing is kept is shown while it is so, and told when the session is recovered."""
    notebook.run("a = [1]", "print(a)", "%past saving off", "a.append(2)", "%past saving")
    last = notebook.runs[-3].n
    assert f"saving is off since cell {last}: " in capsys.readouterr().out
    assert notebook.session.past.timeline().gaps[0].startswith(f"saving is off since cell {last}: ")
    kill(notebook)
    said = f"cells after {last - 1} were not kept: saving was off"
    assert [s.gaps for s in Archivist().sessions(0.0).sessions if s.id == "killed"] == [(said,)]
    report = notebook.session.recover("killed", None)
    assert notebook.ns["a"] == [1]
    assert said in report.notes


def test_saving_that_is_on_again(notebook, data, capsys):
    """Nothing is told of a pause that is over, also not after a merge."""
    notebook.run("a = [1]", "%past saving off", "a.append(2)", "%past saving on", "a.append(3)", "%past saving")
    assert capsys.readouterr().out.splitlines()[-1] == "saving is on"
    store = notebook.session.past._store
    notebook.session.past.keeper.flush()
    store.merge([number for number, _ in store.packs()], lambda kept: True)
    kill(notebook)
    report = notebook.session.recover("killed", None)
    assert (notebook.ns["a"], report.notes) == ([1, 2, 3], ())


def test_a_disk_that_was_full(notebook, data):
    """Where there is room for one line more, recovering says from which cell on nothing was kept, and why."""
    notebook.run("a = [1]")
    keeper, n = notebook.session.past.keeper, notebook.runs[-1].n
    keep, refused = keeper._keep, OSError(errno.ENOSPC, "No space left on device")

    def full(*_, **__):
        raise refused

    keeper._keep = full
    notebook.run("a.append(2)", "a.append(3)")
    keeper._keep = keep
    kill(notebook)
    report = notebook.session.recover("killed", None)
    assert notebook.ns["a"] == [1]
    assert report.notes[0].startswith(f"cells after {n} were not kept: [Errno 28] No space left")


def test_variables_that_are_not_to_be_kept(notebook, data, capsys):
    """What leaving a variable out does is said, with what was kept before, and how that goes away."""
    notebook.run("token = 'hun' + 'ter2'; other = 1", "%past dontsave token nosuch")
    n = notebook.runs[1].n
    one, two = capsys.readouterr().out.splitlines()
    assert one == (
        f"token: no bytes of it are kept from now on; what it was after cell {n} may be kept: "
        "del token and then %past clear take that away"
    )
    assert two == "nosuch: there is no such variable now; should there be one, no bytes of it are kept"
    notebook.run("%past dontsave")
    assert capsys.readouterr().out.strip() == "no bytes are kept of: nosuch, token"
    notebook.run("token = token + '!'")
    kill(notebook)
    notebook.session.past.unwanted = Unwanted()
    report = notebook.session.recover("killed", None)
    assert "%past dontsave token held for the session that ended, and has to be said once more" in report.notes
    folder = notebook.session.past._store.folder
    assert any(b"hunter2" in path.read_bytes() for path in folder.glob("*.tm"))
    notebook.run("del token", "%past clear")
    assert not any(b"hunter2" in path.read_bytes() for path in folder.glob("*.tm"))


def test_tags_that_move_and_go(notebook, data, capsys):
    """A tag is drawn wherever it is put, and moving or taking it away says where it was."""
    notebook.run("a = [1]", "a.append(2)")
    n = notebook.runs[-2].n
    notebook.session.go(str(n))
    notebook.run("print(a)", "%past tag here")
    (line,) = (line for line in notebook.session.past.timeline().states if line.tags)
    assert (line.n, line.tags, line.here) == (n, ("here",), True)
    capsys.readouterr()
    notebook.run(f"%past tag here {n + 1}", "%past untag here", "%past untag", "%past untag here")
    out = capsys.readouterr().out
    assert f"state {n + 1} is now called here; before, that was state {n}\n" in out
    assert f"state {n + 1} is no longer called here\n" in out
    assert notebook.session.past.tree.tags == {}
