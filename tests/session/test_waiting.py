"""What waits for something to happen between cells: callbacks of timers, signals, comms and of the shell's events."""

from __future__ import annotations

import asyncio
import signal

import comm
import pytest
from comm.base_comm import BaseComm

from elastictm.ids import is_variable
from elastictm.session.waiting import Waiting

START = "log = []; count = {'n': 0}; other = {'k': [0]}"
HANDLER = "def handle(*_):\n    log.append(1)\n    count['n'] += 1"
NAMELESS = "(lambda f: (lambda *_: f(1)))(lambda v: (log.append(v), count.update(n=v)))"


class Connection(BaseComm):
    """A comm without a front end."""

    def publish_msg(self, *_args, **_options):
        """Send nothing."""


@pytest.fixture
def loop():
    """An event loop that waits while cells run."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture
def connection():
    """An open comm."""
    made = Connection(target_name="slider", primary=False)
    comm.get_comm_manager().register_comm(made)
    yield made
    comm.get_comm_manager().unregister_comm(made)


def wrote(run):
    """The names of the variables that a cell run wrote."""
    return {str(record.name) for record in run.writes if is_variable(record.name)}


def is_seen(notebook, happen):
    """Whether what happens between cells is seen, once, and nothing else is said to have changed."""
    quiet = notebook.run("1 + 1")
    happen()
    loud = notebook.run("z = count['n'] * 10")
    return (wrote(quiet), quiet.unrepeatable, wrote(loud), loud.unrepeatable) == (
        set(),
        (),
        {"log", "count", "z"},
        ("changed outside of cells: count, log",),
    )


@pytest.mark.parametrize("handler", ["handle", NAMELESS])
def test_a_comm(notebook, connection, handler):
    """What a handler of a comm changes is a change of the next cell run, which is not repeatable then."""
    notebook.ns["connection"] = connection
    notebook.run(START, HANDLER, f"connection.on_msg({handler}); del connection")
    assert is_seen(notebook, lambda: connection.handle_msg({"content": {"data": {}}}))


def test_a_target_of_comms(notebook):
    """A function that a front end can have called by opening a comm is followed as well."""
    manager = comm.get_comm_manager()
    notebook.run(START, HANDLER, "import comm; comm.get_comm_manager().register_target('slider', handle)")
    try:
        assert is_seen(notebook, lambda: manager.targets["slider"](None, {}))
    finally:
        manager.targets.clear()


@pytest.mark.parametrize("handler", ["handle", NAMELESS])
def test_a_timer_of_the_loop(notebook, loop, handler):
    """What a timer changes once, or in turns, after which nothing tells of it any more, is seen."""
    notebook.ns["loop"] = loop
    notebook.run(START, HANDLER, f"loop.call_later(0.001, {handler}); del loop")
    assert is_seen(notebook, lambda: loop.run_until_complete(asyncio.sleep(0.01)))
    assert notebook.run("log.append(2)").unrepeatable == ()


def test_a_method_of_a_variable(notebook, loop):
    """A timer may have nothing but a method of an object that a variable stands for."""
    notebook.ns["loop"] = loop
    notebook.run("log = []", "loop.call_later(0.001, log.append, 1); del loop")
    loop.run_until_complete(asyncio.sleep(0.01))
    assert wrote(notebook.run("z = 1")) == {"log", "z"}


def test_data_inside_of_a_variable(notebook, loop):
    """What only a callback holds of a variable's data was at hand where the callback was made."""
    notebook.ns["loop"] = loop
    notebook.run(
        "count = {'log': []}; other = {'k': [0]}",
        "def later():\n    inner = count['log']\n    loop.call_later(0.001, lambda: inner.append(1))\nlater(); del loop",
    )
    loop.run_until_complete(asyncio.sleep(0.01))
    assert wrote(notebook.run("z = 1")) == {"count", "z"}


def test_a_signal(notebook):
    """What a handler of a signal changes is seen."""
    before = signal.getsignal(signal.SIGUSR1)
    try:
        notebook.run(START, HANDLER, "import signal; signal.signal(signal.SIGUSR1, handle);")
        assert is_seen(notebook, lambda: signal.raise_signal(signal.SIGUSR1))
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_event_of_the_shell(notebook):
    """What a callback of the shell's own events changes after a cell is a change of the next one."""
    notebook.run(START, "get_ipython().events.register('post_run_cell', lambda _: log.append(1))")
    assert wrote(notebook.run("x = 1")) == {"x", "log"}
    assert wrote(notebook.run("y = 1")) == {"y", "log"}


def test_an_event_after_the_last_cell(notebook):
    """What a session's own callback does after a cell is in the state of that very cell, should the kernel die then."""
    notebook.run(START, "def note(_):\n    log.append(1)\nget_ipython().events.register('post_run_cell', note)")
    for n in (2, 3):
        run = notebook.run("x = 1")
        assert len(notebook.ns["log"]) == n
        assert notebook.session.past.variables(run.n)["log"] == [1] * n
        assert run.unrepeatable == ("changed outside of cells: log",)


def test_a_new_binding(notebook):
    """A name that a callback binds is one that is known to have been bound by it."""
    before = signal.getsignal(signal.SIGUSR1)
    try:
        notebook.run(
            "other = {'k': [0]}",
            "import signal\ndef bind(*_):\n    global fresh\n    fresh = other\nsignal.signal(signal.SIGUSR1, bind);",
        )
        signal.raise_signal(signal.SIGUSR1)
        run = notebook.run("x = 1")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert run.unrepeatable == ("changed outside of cells: fresh",)
    assert notebook.tied("fresh", "other")


def test_what_waits_for_programs(notebook, loop):
    """Callbacks that have nothing of the session's are no matter of its cells."""
    loop.call_later(60, print, "late")
    loop.call_soon(loop.stop)
    notebook.run(START, HANDLER)
    assert notebook.run("log.append(1)").unrepeatable == ()


class Mean(type):
    """A class of classes that do not tell where they are from."""

    @property
    def __module__(cls):
        """Nothing."""
        raise AssertionError


def test_a_class_that_will_not_be_asked():
    """What a callback holds may refuse to tell even of its class."""
    held = Mean("Held", (), {})()
    waiting = Waiting({}, lambda: [lambda: held])
    waiting.after(frozenset(), dict)
    assert (waiting.names, waiting.opaque) == (frozenset(), False)
