"""An interrupt in any long step leaves things in one state or the other, and its message says in which."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from elastictm.errors import Interrupted
from elastictm.magics.working import file_left, session_left, working
from elastictm.session.options import SaveOptions
from elastictm.session.shield import Shield

STORE = SaveOptions(bandwidth=1e9, policy="store-all")
RERUN = SaveOptions(bandwidth=1e6, policy="rerun-all")


@pytest.fixture(autouse=True)
def heard():
    """Ctrl-C is heard, also where the tests run in the background of a shell, which has its programs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    """Ctrl-C, heard before this returns."""
    signal.raise_signal(signal.SIGINT)


class Stopper:
    """Progress that is interrupted where a stage begins, or once something of it is done."""

    def __init__(self, at, *, done=False):
        self.at, self.done, self.stages = at, done, []

    def stage(self, what, total=None, unit="bytes"):
        """A stage begins."""
        self.stages.append(what)
        if not self.done and what.startswith(self.at):
            interrupt()

    def __call__(self, done):
        """Some of it is done."""
        if self.done and self.stages[-1].startswith(self.at):
            interrupt()


def look(notebook):
    """What a session is: its variables, its history, the inputs and the results of its shell, and its settings."""
    shell = notebook.shell
    names = {name: id(value) for name, value in notebook.ns.items()}
    return names, notebook.session.history, list(shell.user_ns["_ih"]), dict(shell.user_ns["_oh"]), Path.cwd()


@pytest.fixture
def work(notebook, tmp_path):
    """A session with something large, something that cells make, an archive that loads and one that runs cells."""
    notebook.run("import os", "big = bytearray(300_000)", "many = [[i] for i in range(2000)]", "total = len(many)")
    notebook.session.save(tmp_path / "stored.tm", STORE)
    notebook.session.save(tmp_path / "rerun.tm", RERUN)
    notebook.run("many.append(1)", "mine = ['mine']")
    return notebook


@pytest.mark.parametrize(("stage", "before"), [
    ("freezing", None), ("trying", b"old"), ("planning", None), ("writing", b"old"), ("writing", None), ("waiting", b"old"),
])  # fmt: skip
def test_a_save_that_is_interrupted_leaves_the_file_as_it_was(work, tmp_path, stage, before):
    """Whichever step it is in, there is no new file and nothing beside it, and the one of that name is untouched."""
    path = tmp_path / "saves" / "new.tm"
    path.parent.mkdir()
    if before is not None:
        path.write_bytes(before)
    seen = look(work)
    work.session.progress = Stopper(stage)
    with pytest.raises(KeyboardInterrupt):
        work.session.save(path, STORE, force=True)
    assert [each.read_bytes() for each in path.parent.iterdir()] == ([] if before is None else [before])
    assert look(work) == seen
    work.session.progress = Stopper("nothing")
    work.session.save(path, STORE, force=True)
    assert work.session.progress.stages[:2] == ["freezing variables", "trying out whether objects load"]


@pytest.mark.parametrize(("archive", "stage"), [
    *(("stored.tm", stage) for stage in ("planning", "loading", "comparing")),
    *(("rerun.tm", stage) for stage in ("loading", "running cell", "comparing")),
])  # fmt: skip
def test_a_restore_that_is_interrupted_leaves_the_session_as_it_was(work, tmp_path, archive, stage):
    """Variables are the very objects that they were, cells that had run again included; then it can be done."""
    seen = look(work)
    work.session.progress = stopper = Stopper(stage)
    with pytest.raises(KeyboardInterrupt):
        work.session.restore(tmp_path / archive)
    assert stopper.stages[-1].startswith(stage)
    assert look(work) == seen
    work.run("after = mine")
    work.session.progress = Stopper("nothing")
    assert work.session.restore(tmp_path / archive).lost == ()
    assert "mine" not in work.ns
    assert len(work.ns["many"]) == 2000


@pytest.mark.parametrize("stage", ["having", "planning", "loading", "comparing"])
def test_going_to_a_state_that_is_interrupted_leaves_one_where_one_was(work, stage):
    """The session stays in its state, and can go there afterwards."""
    seen = look(work)
    work.session.progress = Stopper(stage)
    with pytest.raises(KeyboardInterrupt):
        work.session.go("4")
    assert look(work) == seen
    work.session.progress = Stopper("nothing")
    work.session.go("4")
    assert len(work.ns["many"]) == 2000
    work.session.go("undo")
    work.session.go("redo")
    assert len(work.ns["many"]) == 2000


@pytest.mark.parametrize("what", ["restore", "go"])
def test_an_interrupt_after_all_has_come_back_keeps_it(work, tmp_path, what):
    """Then the session is the other one, whole, and the next cell is recorded as any other."""
    work.session.progress = Stopper("looking at what has come")
    act = {"restore": lambda: work.session.restore(tmp_path / "stored.tm"), "go": lambda: work.session.go("4")}
    with pytest.raises(KeyboardInterrupt):
        act[what]()
    work.session.progress = Stopper("nothing")
    assert "mine" not in work.ns
    assert len(work.ns["many"]) == 2000
    last = work.run("many.append(7)")
    assert "many" in {record.name for record in last.writes}
    work.session.go("undo")
    assert len(work.ns["many"]) == 2000


@pytest.mark.parametrize("cell", ["time.sleep(0.05)", "await asyncio.sleep(0.05)"])
def test_a_cell_that_runs_again_hears_it(notebook, tmp_path, monkeypatch, cell):
    """A signal from outside ends a cell that waits, and the variables that were there stay."""
    notebook.run("import time, asyncio", "started = []", f"started.append(1); {cell}; made = 5")
    notebook.session.save(tmp_path / "a.tm", RERUN)
    notebook.run("mine = 1")
    wait, wait_aside = time.sleep, asyncio.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: wait(30))
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: wait_aside(30))
    ended = threading.Timer(0.6, lambda: os.kill(os.getpid(), signal.SIGINT))
    before = time.monotonic()
    ended.start()

    async def restore():
        notebook.session.restore(tmp_path / "a.tm")

    # As in a kernel, whose loop is running while a cell does.
    loop = asyncio.new_event_loop()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(restore()) if "await" in cell else notebook.session.restore(tmp_path / "a.tm")
    loop.close()
    assert [thread for thread in threading.enumerate() if thread.name.startswith("elastictm-cell")] == []
    assert time.monotonic() - before < 20
    assert notebook.ns["mine"] == 1


def test_messages_say_what_is_left(work, tmp_path, capsys):
    """A save tells of the file, a restore and %past of the session; each as it turns out."""
    new, old = tmp_path / "new.tm", tmp_path / "stored.tm"

    def told(left, action):
        def run():
            with working(work.session, "x", left):
                action()
                interrupt()

        with pytest.raises(Interrupted) as caught:
            run()
        return str(caught.value)

    assert (
        told(file_left(new), lambda: None)
        == f"interrupted: nothing was written, there is no {new}; the session is as it was"
    )
    assert told(file_left(old), lambda: None).startswith(f"interrupted: {old} is the file that it was before")
    assert "was written whole" in told(file_left(new), lambda: new.write_text("x"))
    assert told(session_left(work.session, "by then"), lambda: None) == "interrupted: the session is as it was"
    assert told(session_left(work.session, "by then"), lambda: work.session.go("4")) == "interrupted: by then"


def test_a_magic_tells_it_in_one_line(work, tmp_path, capsys, monkeypatch):
    """The cell fails with the message, and no traceback of ours."""
    monkeypatch.setattr("elastictm.session.drafting.take_stock", lambda *_: interrupt())
    work.run(f"%migrate save {tmp_path / 'new.tm'}")
    said = capsys.readouterr()
    assert "interrupted: nothing was written" in said.out + said.err
    assert "Traceback" not in said.out + said.err


def test_a_shield_holds_and_lets_go():
    """Inside an interrupt waits, where it is open it is heard, and afterwards all is as before."""
    handler = signal.getsignal(signal.SIGINT)
    done = []

    def work():
        with Shield() as shield:
            interrupt()
            done.append("held")
            with pytest.raises(KeyboardInterrupt), shield.open():
                done.append("never")
            interrupt()
            done.append("still held")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["held", "still held"]
    assert signal.getsignal(signal.SIGINT) is handler


def test_no_shield_is_needed_elsewhere():
    """Threads have no interrupts, so there a shield changes nothing."""
    seen = []

    def run():
        with Shield() as shield, shield.open():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_another_process_does_not_outlive_who_waits_for_it(tmp_path):
    """An interrupt ends the process that was asked, at once."""
    from elastictm.session.child import run_module

    ended = threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    ended.start()
    with pytest.raises(KeyboardInterrupt):
        run_module("time import sleep; sleep(60); from os", tmp_path, "", None)


def test_waiting_for_a_disk_hears_it(tmp_path, monkeypatch):
    """A sync that takes its time ends with an interrupt, and goes on with a descriptor of its own."""
    from elastictm.storage.files import LocalFiles

    over = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda file: (os.fstat(file), over.wait(20)))
    files = LocalFiles()
    descriptor = files.create(tmp_path / "x")
    ended = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    ended.start()
    with pytest.raises(KeyboardInterrupt):
        files.sync(descriptor)
    files.close(descriptor)
    over.set()
