"""The panel of the past: its buttons do what the magic does, between cells, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import weakref

import comm
import pytest
from comm.base_comm import BaseComm

from elastictm.extension import find, unload
from elastictm.magics import panels as panels_module
from elastictm.magics.panel import Click, Leave, Look, TakeBack, is_on_a_button, wish_of
from elastictm.magics.past import PastMagics


class FrontEnd(BaseComm):
    """A comm, and the front end at its other end."""

    def __init__(self, *args, **options):
        self.sent = []
        super().__init__(*args, **options)

    def publish_msg(self, msg_type, data=None, **options):
        """Keep what is sent."""
        self.sent.append((msg_type, data))

    @property
    def told(self):
        """What the panel's script hears, oldest first; nothing is heard twice."""
        found = [data["content"] for kind, data in self.sent if kind == "comm_msg" and data["method"] == "custom"]
        self.sent.clear()
        return found

    def say(self, **content):
        """Send what a script sends."""
        self.handle_msg({"content": {"data": {"method": "custom", "content": content}}})

    def click(self, *words, known="1"):
        """Send a click, and return what came of it."""
        self.say(id=known, words=list(words))
        return next((told for told in self.told if "answer" in told), None)


@pytest.fixture
def ends(monkeypatch, notebook):
    """The front ends of the panels that are opened from now on."""
    opened = []

    def create(*args, **options):
        opened.append(FrontEnd(*args, **options))
        comm.get_comm_manager().register_comm(opened[-1])
        return opened[-1]

    monkeypatch.setattr(comm, "create_comm", create)
    monkeypatch.setattr(panels_module, "anywidget_version", lambda: "~0.9.*")
    notebook.shell.kernel = object()
    yield opened
    del notebook.shell.kernel
    for each in opened:
        comm.get_comm_manager().comms.pop(each.comm_id, None)


@pytest.fixture
def end(notebook, ends):
    """The front end of a panel over a few states that is in sight."""
    notebook.run("a = [1]", "a.append(2)", "a", "b = a", "del b", "c = 3", "%past")
    ends[0].say(look=True, all=False)
    ends[0].sent.clear()
    return ends[0]


def panels(notebook):
    """What the magic knows of its panels."""
    return next(each for each in notebook.shell.configurables if isinstance(each, PastMagics))._panels


def standing(notebook):
    """What people can see of where a session stands."""
    ns = notebook.ns
    names = {name: ns[name] for name in ("a", "b", "c") if name in ns}
    return repr(names), dict(ns["_oh"]), repr(ns["_"]), repr(ns["__"]), notebook.session.past.tree.standing()


WORDS = {
    (): True,
    ("undo",): True,
    ("redo",): True,
    ("--all",): True,
    ("12",): True,
    ("vars", "3"): True,
    ("diff", "3", "4"): True,
    ("tag", "clean", "3"): True,
    ("tag", "--all", "3"): False,
    ("tag", "clean"): False,
    ("vars", "3", "secret"): False,
    ("clear",): False,
    ("budget", "1B", "--yes"): False,
    ("12", "--allow-effects"): False,
    ("--session",): False,
    ("dontsave", "a"): False,
    ("recover",): False,
    ("clean",): False,
}


@pytest.mark.parametrize(("words", "allowed"), WORDS.items(), ids=str)
def test_buttons_are_few(words, allowed):
    """Only what the panel has a button for is done, whoever sends it."""
    assert is_on_a_button(words) is allowed


def test_messages():
    """A message is one of four wishes, or none."""
    assert wish_of({"id": "1", "words": ["undo"]}) == Click("1", ("undo",))
    assert wish_of({"look": True, "all": 1}) == Look(everything=True)
    assert wish_of({"cancel": "1"}) == TakeBack("1")
    assert wish_of({"leave": True}) == Leave()
    for wrong in (None, "undo", [], {}, {"id": 1, "words": ["undo"]}, {"id": "1", "words": "undo"}, {"words": [1]}):
        assert wish_of(wrong) is None


@pytest.mark.parametrize("words", ["undo", "4", "0"])
def test_a_click_does_what_the_magic_does(notebook, end, words):
    """Variables, displayed results and where the session stands are the same, clicked or typed."""
    before = standing(notebook)
    answer = end.click(words)
    clicked = standing(notebook)
    assert "Restored state" in answer["report"]
    assert 'aria-current="true"' in answer["html"]
    assert end.click("7", known="2")["answer"] == "2"
    assert standing(notebook) == before
    notebook.run(f"%past {words}")
    assert standing(notebook) == clicked != before


def test_a_click_is_no_cell(notebook, end):
    """Nothing of it is in the history, among inputs and results, or takes a number."""
    notebook.run("ready = 1")
    tree, inputs = notebook.session.past.tree, list(notebook.ns["In"])
    runs = len(tree)
    count, names = notebook.shell.execution_count, set(notebook.ns)
    for words in (["vars", "3"], ["diff", "7", "3"], ["tag", "clean", "3"], ["undo"], ["redo"]):
        assert "error" not in end.click(*words), words
    assert (len(tree), notebook.ns["In"], notebook.shell.execution_count) == (runs, inputs, count)
    assert set(notebook.ns) == names
    run = notebook.run("d = c + 1")
    assert (run.n, run.unrepeatable, [record.name for record in run.writes]) == (count, (), ["d"])


def test_what_is_asked_for_is_shown(notebook, end):
    """A listing, a comparison and a tag come as HTML and text, and with them the states as they are then."""
    assert "3 variables" not in end.click("vars", "3")["report"]
    assert "state 3" in end.click("vars", "3")["report"]
    assert "state 7 → state 3" in end.click("diff", "7", "3")["report"]
    answer = end.click("tag", "clean", "3")
    assert "state 3 is now called clean" in answer["report"]
    assert 'class="etm-tag">clean<' in answer["html"]


def test_what_cannot_be_done_is_told(notebook, end):
    """The panel says why, and nothing was changed."""
    before = standing(notebook)
    assert "there is no state '99'" in end.click("99")["error"]
    assert "no button" in end.click("clear")["error"]
    assert standing(notebook) == before


def test_what_changed_outside_of_cells_is_noticed_first(notebook, end):
    """A change since the last cell is in a state of its own before a click leads away from it."""
    notebook.ns["a"].append("outside")
    notebook.ns["fresh"] = 1
    end.click("2")
    assert (notebook.ns["a"], "fresh" in notebook.ns) == ([1], False)
    end.click(str(notebook.session.past.tree.latest), known="2")
    assert (notebook.ns["a"], notebook.ns["fresh"]) == ([1, 2, "outside"], 1)


def test_what_cells_print_again_stays_in_the_panel(notebook, ends, capsys):
    """Cells that run again on the way print nothing anywhere."""
    notebook.run("print('loud'); g = (i for i in range(3))", "del g", "%past")
    ends[0].say(look=True)
    capsys.readouterr()
    answer = ends[0].click("2")
    assert "re-ran" in answer["report"] or "rerun" in answer["report"]
    assert next(notebook.ns["g"]) == 0
    assert capsys.readouterr().out == ""


def test_an_interrupt_leaves_all_as_it_was(notebook, ends, tmp_path):
    """An interrupt on the way is heard between cells, too, and told."""
    cell = (
        "import os, signal\ng = (i for i in range(3))\nif os.path.exists('again'): signal.raise_signal(signal.SIGINT)"
    )
    notebook.run("x = 1", cell, "del g; x = 2", "%past")
    ends[0].say(look=True)
    (tmp_path / "again").touch()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        answer = ends[0].click("3")
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in answer["error"]
    assert (notebook.ns["x"], "g" in notebook.ns) == (2, False)


def test_panels_hear_of_cells_once(notebook, end):
    """After cells the panel is told once that it is old, until it has looked."""
    notebook.run("x = 1", "y = 2")
    assert end.told == [{"moved": True}]
    end.say(look=True, all=False)
    assert "<code>y = 2</code>" in end.told[-1]["html"]
    notebook.run("z = 3")
    assert end.told == [{"moved": True}]


def test_a_panel_out_of_sight_is_told_nothing(notebook, end):
    """What nobody looks at costs nothing."""
    end.say(leave=True)
    notebook.run("x = 1")
    assert end.told == []


def test_another_panel_hears_of_a_click(notebook, ends, end):
    """What one panel does is news for the others."""
    notebook.run("%past")
    ends[1].say(look=True)
    end.say(look=True)
    for each in (end, ends[1]):
        each.sent.clear()
    end.click("undo")
    assert ends[1].told == [{"moved": True}]


def test_a_click_while_a_cell_runs_is_done_after_it(notebook, end, monkeypatch):
    """Where a kernel hears messages beside a cell, a click waits for the cell's end, and can be taken back."""
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(panels(notebook), "_loop", loop)
    seen = []

    def beside():
        end.say(id="first", words=["undo"])
        end.say(id="second", words=["tag", "never", "3"])
        end.say(cancel="second")
        seen.extend(end.told)

    def during():
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()

    notebook.shell.user_ns["during"] = during
    notebook.run("during(); late = 1")
    assert [next(iter(told.items())) for told in seen] == [
        ("queued", "first"),
        ("queued", "second"),
        ("cancelled", "second"),
    ]
    assert "late" in notebook.ns
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert "late" not in notebook.ns
    assert [told["answer"] for told in end.told if "answer" in told] == ["first"]
    end.say(cancel="first")
    assert end.told == []
    assert "never" not in notebook.session.past.tree.tags


def test_a_page_that_is_loaded_again_gets_its_panel(notebook, end):
    """A front end that asks for the panel's state gets what it needs to show it."""
    end.handle_msg({"content": {"data": {"method": "request_state"}}})
    kind, data = end.sent[-1]
    assert (kind, data["method"]) == ("comm_msg", "update")
    assert "customElements" in data["state"]["_esm"]
    assert data["state"]["panel"]


def test_few_panels_are_open(notebook, ends):
    """The oldest panels end when there are many, and say so."""
    notebook.run("x = 1", *["%past"] * 6)
    closed = [each for each in ends if any(kind == "comm_close" for kind, _ in each.sent)]
    assert closed == ends[:2]
    assert "Newer panels" in closed[0].told[-1]["closed"]


def test_a_panel_is_no_callback_of_the_users(notebook, end):
    """What comes over a panel's connection is no reason to take variables for changed."""
    notebook.run("log = [1]")
    end.click("diff", "7", "3")
    run = notebook.run("log.append(1)")
    assert ([record.name for record in run.writes], run.unrepeatable) == (["log"], ())


def test_listing_is_no_state(notebook, end):
    """A panel and what it shows change nothing, so they make no states; its files are none that cells read."""
    notebook.run("gen = (i for i in range(3))", "del gen")
    before = notebook.session.past.tree.standing()
    run = notebook.run("%past")
    assert notebook.session.past.tree.standing() == before
    assert run.files == ()


def test_a_panel_holds_no_values(notebook, end):
    """What is gone from the session is gone, whatever a panel showed of it."""
    notebook.run("class Thing: pass", "thing = Thing(); thing.a = [1]")
    known = weakref.ref(notebook.ns["thing"])
    for words in (["vars", "11"], ["diff", "11", "7"]):
        end.click(*words)
    notebook.run("del thing")
    notebook.session.past._passage.parked.clear()
    gc.collect()
    assert known() is None


def test_a_message_beside_code_in_silence_hides_nothing(notebook, end):
    """Where a kernel hears messages in a thread of their own, what other code changes meanwhile is seen all the same."""

    def during():
        thread = threading.Thread(target=lambda: end.say(leave=True))
        thread.start()
        thread.join()

    notebook.shell.user_ns["during"] = during
    notebook.run("log = [1]")
    notebook.shell.run_cell("during(); log.append(2)", silent=True)
    assert "log" in [record.name for record in notebook.run("z = 1").writes]


def test_unloading_closes_panels(notebook, end):
    """The extension takes its connections and hooks away, and the panel says why."""
    unload(notebook.shell)
    assert find(notebook.shell) is None
    assert [kind for kind, _ in end.sent] == ["comm_msg", "comm_close"]
    assert "unloaded" in end.sent[0][1]["content"]["closed"]
    left = [each for callbacks in notebook.shell.events.callbacks.values() for each in callbacks]
    assert not [each for each in left if type(getattr(each, "__self__", None)).__module__.startswith("elastictm")]
    assert not [each for each in notebook.shell.configurables if isinstance(each, PastMagics)]
    end.say(id="1", words=["undo"])
    assert notebook.ns["c"] == 3
    notebook.shell.extension_manager.loaded.discard("elastictm")
    notebook.load()


def test_without_a_front_end_there_is_no_panel(notebook, capsys):
    """A terminal has the text that it had."""
    notebook.run("x = 1")
    capsys.readouterr()
    notebook.run("%past")
    assert "The past of" in capsys.readouterr().out
    assert panels(notebook)._open == []
