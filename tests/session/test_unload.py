"""Loading and unloading the extension: at any moment, more than once, and without a trace."""

from __future__ import annotations

import gc
import sys
import weakref

from IPython.core.displayhook import DisplayHook

from elastictm.extension import find


def look(shell):
    """All of a shell that loading could change; the magic that loads is there once it was used."""
    magics = {kind: sorted(table) for kind, table in shell.magics_manager.magics.items()}
    return {
        "events": {name: len(handlers) for name, handlers in shell.events.callbacks.items()},
        "configurables": [type(c).__name__ for c in shell.configurables if type(c).__name__ != "ExtensionMagics"],
        "magics": magics,
        "registry": sorted(set(shell.magics_manager.registry) - {"ExtensionMagics"}),
        "transformers": len(shell.ast_transformers),
        "names": sorted(
            set(shell.user_ns) - {"_i", "_ii", "_iii", "_dh", "_exit_code"} - {f"_i{n}" for n in range(20)}
        ),
        "type": type(shell.user_ns),
        "hooks": (sys.displayhook, sys.excepthook, type(shell.displayhook) is DisplayHook),
    }


def test_no_trace(unloaded):
    """After unloading, the shell is as it was."""
    before = look(unloaded.shell)
    unloaded.load()
    assert look(unloaded.shell) != before
    unloaded.run("a = [1]", "a.append(2)", "del a")
    unloaded.shell.run_cell("%unload_ext elastictm", store_history=True)
    assert look(unloaded.shell) == before
    assert find(unloaded.shell) is None


def test_nothing_is_recorded_after(unloaded):
    """Cells after unloading are nobody's business, and run as ever."""
    unloaded.load()
    history = unloaded.session.history
    count = len(history.runs)
    unloaded.shell.run_cell("%unload_ext elastictm", store_history=True)
    result = unloaded.shell.run_cell("a = 1; open('f.txt', 'w').close(); a", store_history=True)
    assert result.success
    assert result.result == 1
    assert len(history.runs) <= count + 1


def test_the_session_is_let_go(unloaded):
    """Nothing holds on to the recorder of a session that was unloaded."""
    unloaded.load()
    unloaded.run("a = [1]")
    recorder = weakref.ref(unloaded.session.recorder)
    unloaded.shell.run_cell("%unload_ext elastictm", store_history=True)
    gc.collect()
    assert recorder() is None


def test_loading_again(unloaded):
    """Loading again starts a new session with what is there."""
    unloaded.load()
    unloaded.run("a = [1]; b = [a]")
    unloaded.shell.run_cell("%unload_ext elastictm", store_history=True)
    unloaded.shell.run_cell("c = [b]; a.append(2)", store_history=True)
    unloaded.load()
    zero = unloaded.runs[0]
    assert (len(unloaded.runs), zero.n) == (1, 0)
    assert {record.name for record in zero.writes} == {"a", "b", "c"}
    assert {record.name for record in unloaded.run("a.append(3)").writes} == {"a", "b", "c"}


def test_loading_twice(unloaded):
    """Loading what is loaded changes nothing."""
    unloaded.load()
    unloaded.run("a = 1")
    before, session = look(unloaded.shell), unloaded.session
    unloaded.shell.run_cell("%load_ext elastictm", store_history=True)
    unloaded.shell.run_cell("%reload_ext elastictm", store_history=True)
    assert look(unloaded.shell)["events"] == before["events"]
    assert unloaded.runs[0].n == 0
    assert session is unloaded.session or len(unloaded.runs) >= 1


def test_loading_in_a_cell_that_binds(unloaded):
    """What the loading cell binds, before and after it loads, was there before the first recorded cell."""
    unloaded.shell.run_cell("a = [1]", store_history=True)
    unloaded.shell.run_cell("b = [a]\n%load_ext elastictm\nc = [b]; a.append(2)", store_history=True)
    run = unloaded.run("d = c")
    assert [r.n for r in unloaded.runs] == [0, 3]
    assert {record.name for record in unloaded.runs[0].writes} == {"a", "b", "c"}
    assert {record.name for record in run.writes} == {"d"}


def test_loading_before_the_first_cell(unloaded):
    """A session that is recorded from the start begins with an empty cell run 0."""
    unloaded.load()
    unloaded.run("a = 1")
    assert unloaded.runs[0].writes == ()
    assert [r.n for r in unloaded.runs] == [0, 2]


def test_loading_by_call(unloaded):
    """Loading without a cell, as a profile's configuration does, records from the next cell on."""
    unloaded.shell.run_cell("a = [1]", store_history=True)
    unloaded.shell.extension_manager.load_extension("elastictm")
    run = unloaded.run("a.append(2)")
    assert {record.name for record in unloaded.runs[0].writes} == {"a"}
    assert {record.name for record in run.writes} == {"a"}


def test_unloading_in_a_cell_that_goes_on(unloaded):
    """A cell that unloads and goes on runs to its end."""
    unloaded.load()
    result = unloaded.shell.run_cell("a = 1\n%unload_ext elastictm\nb = a + 1", store_history=True)
    assert result.success
    assert unloaded.ns["b"] == 2


def test_one_listener(unloaded):
    """Loading many times leaves no more than one listener in the interpreter."""
    from elastictm.session import effects

    unloaded.load()
    unloaded.run("pass")
    assert effects._EARS.watch is None
    for _ in range(3):
        unloaded.shell.run_cell("%unload_ext elastictm", store_history=True)
        unloaded.load()
        unloaded.run("pass")
    assert effects._EARS.watch is None
