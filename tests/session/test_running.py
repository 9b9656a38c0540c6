"""What runs on while its session goes from state to state: threads, and the names that they use."""

from __future__ import annotations

import threading

import pytest


@pytest.fixture
def running(notebook, monkeypatch):
    """A notebook in which a thread runs that a variable holds."""
    end = threading.Event()
    monkeypatch.setattr(threading, "left_behind", end, raising=False)
    notebook.run(
        "import threading",
        "def work():\n    while not threading.left_behind.wait(0.01): pass",
        "th = threading.Thread(target=work, name='left-behind-1', daemon=True); th.start()",
        "other = 1",
        "other += 1",
    )
    yield notebook
    end.set()


def go(notebook, n):
    """Go to a state; what is told of variables that are lost."""
    report = notebook.session.go(str(n))
    return report, {v.name for v in report.lost}


def test_a_thread_is_the_same_in_all_states_that_have_it(running):
    """It cannot go back, nor be stored: as long as it runs, it is there, there and back."""
    thread, n = running.ns["th"], running.runs[-1].n
    for state in (n - 1, n, n - 2, n):
        _, lost = go(running, state)
        assert running.ns.get("th") is thread, state
        assert "th" not in lost
    running.run("k = 1")
    assert running.ns["th"] is thread


def test_a_thread_goes_on_before_its_cell(running):
    """Before the cell that started it there is no such variable, and one line says that the thread goes on."""
    thread, n = running.ns["th"], running.runs[-1].n
    report, _ = go(running, n - 3)
    assert "th" not in running.ns
    assert [note for note in report.notes if "left-behind-1" in note] == [
        f"the thread left-behind-1 of cell {n - 2} still runs: it goes on, and sees the variables of this state"
    ]
    report, lost = go(running, n)
    assert running.ns["th"] is thread
    assert "th" not in lost
    assert not any("left-behind-1" in note for note in report.notes)


def test_what_stays_is_never_gone(notebook):
    """Names that stand for the same objects in both states are not taken away, not for a moment, nor by a failure."""
    notebook.run("kept = [1]; fn = len; changed = [2]", "changed.append(3)")

    class Watched(dict):
        """A namespace that notes what is taken out of it."""

        def __init__(self, inside):
            super().__init__(inside)
            self.gone = []

        def __delitem__(self, name):
            self.gone.append(name)
            super().__delitem__(name)

        def pop(self, name, *default):
            self.gone.append(name)
            return super().pop(name, *default)

    namespace = Watched(notebook.ns)
    notebook.shell.user_ns = namespace
    try:
        notebook.session.go("undo")
    finally:
        notebook.shell.user_ns = notebook.shell.user_module.__dict__
        notebook.shell.user_ns.update(namespace)
    assert namespace["changed"] == [2]
    assert "changed" in namespace.gone
    assert not {"kept", "fn"} & set(namespace.gone)


def test_a_cell_that_must_not_see_what_stays(notebook):
    """A variable that came later is not there while an earlier cell runs again, and is the same object afterwards."""
    notebook.run("gen = (i for i in 'ab'); early = 'late' in globals()", "late = [1]", "x = 1", "next(gen)")
    late = notebook.ns["late"]
    notebook.session.go("undo")
    assert notebook.ns["late"] is late
    assert notebook.ns["early"] is False
    assert next(notebook.ns["gen"]) == "a"


def test_names_of_the_modules_own_stay(notebook):
    """What Python itself notes in a namespace is no variable: it stays as it is."""
    notebook.run("x = 1", "x = 2")
    noted = notebook.ns["__warningregistry__"] = {}  # the shell takes it away before each cell
    notebook.session.go("undo")
    assert notebook.ns["__warningregistry__"] is noted
