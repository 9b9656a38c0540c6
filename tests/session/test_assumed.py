"""What is assumed where there is no time to look: it is undone once there is, and small values stay out of it."""

from __future__ import annotations

import sys

import pytest

from elastictm.ids import Name, RunNumber
from elastictm.session.changes import ChangeDetector, Question
from elastictm.session.tracked import Variables
from elastictm.values.freeze import Freezer, Surroundings

from .conftest import read, wrote


class Watch:
    """A clock that goes on by a step each time that it is asked: the greater, the slower the machine."""

    time = step = 0.0

    def __call__(self):
        """Seconds."""
        self.time += self.step
        return self.time


@pytest.fixture
def watch():
    """A clock that stands still."""
    return Watch()


@pytest.fixture
def detector(watch):
    """What compares variables, under that clock."""
    return ChangeDetector(Variables(), Freezer(Surroundings({}), watch), watch)


NAMES = [Name(f"s{i}") for i in range(6)]
BIG = Name("big")


def asked(n, values, reached=(), stored=(), seconds=0.0):
    """A question about one cell run."""
    return Question(RunNumber(n), values, frozenset(reached), frozenset(stored), seconds)


def groups(detector):
    """The groups of names as they are remembered."""
    return {frozenset(group.members) for group in detector.variables.groups_of(detector.variables)}


@pytest.fixture
def united(detector, watch):
    """Values that a cell had in its reach while the machine was so slow that nothing could be looked at."""
    values = {name: [[name]] for name in NAMES} | {BIG: [[[i]] for i in range(50_000)]}
    values[NAMES[1]].append(values[NAMES[0]])
    # Others hold them as well: by themselves, they could share data with anything.
    held = [value[0] for value in values.values()]
    detector.compare(asked(0, values, seconds=10.0))
    watch.step = 1.0
    changes = detector.compare(asked(1, values, reached=values))
    watch.step = 0.0
    assert {record.name for record in changes.writes} == values.keys()
    assert groups(detector) == {frozenset(values)}
    yield values
    held.clear()


def test_what_is_only_assumed_to_share_comes_apart(detector, united):
    """At the next look with time for it, each name is again with those alone that it shares data with."""
    changes = detector.compare(asked(2, united, seconds=10.0))
    assert changes.writes == ()
    assert groups(detector) == {frozenset(NAMES[:2]), *(frozenset({name}) for name in (*NAMES[2:], BIG))}
    ties = {frozenset(version.name for version in tie) for tie in changes.groups}
    assert ties == groups(detector)
    assert all(version.n == 1 for tie in changes.groups for version in tie)
    united[NAMES[3]].append(1)
    changes = detector.compare(asked(3, united, reached=[NAMES[3]], seconds=10.0))
    assert [record.name for record in changes.writes] == [NAMES[3]]


def test_what_is_assumed_is_not_written_again(detector, united, watch):
    """A cell that comes at none of them has not written them, however slow the machine is."""
    watch.step = 1.0
    fresh = united | {Name("new"): [1]}
    changes = detector.compare(asked(2, fresh, stored=["new"]))
    assert [record.name for record in changes.writes] == ["new"]
    watch.step = 0.0
    detector.compare(asked(3, fresh, seconds=10.0))
    assert frozenset({"new"}) in groups(detector)


def test_names_leave_what_is_assumed(detector, united, watch):
    """A name that is deleted or bound anew leaves its group, whether or not there is time to look."""
    del united[NAMES[5]]
    united[NAMES[4]] = ["other"]
    watch.step = 1.0
    changes = detector.compare(asked(2, united, stored=[NAMES[4]]))
    assert changes.deletes == (NAMES[5],)
    assert NAMES[4] in {record.name for record in changes.writes}
    watch.step = 0.0
    detector.compare(asked(3, united, seconds=10.0))
    assert groups(detector) == {frozenset(NAMES[:2]), *(frozenset({name}) for name in (*NAMES[2:5], BIG))}


def test_small_values_are_looked_at_whatever_large_ones_take(notebook):
    """No time at all is allowed for a cell that may touch everything: small values are seen not to have changed."""
    notebook.run("big = [[i] for i in range(100_000)]", *(f"s{i} = [{i}]" for i in range(8)))
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    run = notebook.run("exec('s3.append(1)')")
    assert wrote(run) - {"big"} == {"s3"}
    assert not any(name.startswith("s") for group in notebook.groups() for name in group)


def test_a_star_import_touches_no_variable(notebook):
    """It binds the names of its module: what there is stays unread and unwritten, and nothing has to be looked at."""
    notebook.run("big = [[i] for i in range(100_000)]; d = {}; pi = 3")
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    run = notebook.run("from math import *\nnew = [1]")
    assert {"pi", "tau", "sin", "new"} <= wrote(run)
    assert wrote(run).isdisjoint({"big", "d"})
    assert read(run) == set()
    assert not any("no time" in note or "assumed" in note for note in run.notes)


def test_a_star_import_of_what_is_no_module(notebook, monkeypatch):
    """Where nobody knows which names come, each may have come."""
    monkeypatch.setitem(sys.modules, "odd", type("Odd", (), {"__all__": ["k"], "k": 1})())
    run = notebook.run("k = 5", "from odd import *")
    assert wrote(run) == {"k"}
    assert notebook.ns["k"] == 1


def test_what_changed_in_place_needs_what_it_was(notebook):
    """A cell that is only assumed to have written a variable cannot make it: what was there before belongs to it."""
    notebook.run(
        "import threading; stop = threading.Event(); seen = []",
        "th = threading.Thread(target=lambda: (seen.append(1), stop.wait(20)), name='left-behind'); th.start()",
    )
    run = notebook.run("other = 1")
    for name in wrote(run) - {"other"}:
        assert name in read(run)
    assert "th" in wrote(run)
    notebook.run("stop.set(); th.join()")


def test_states_of_what_was_assumed(notebook, watch):
    """States that were recorded while the machine was slow come back like any other, and so do those after them."""
    notebook.run("big = [[[i]] for i in range(50_000)]", "a = [[1]]; b = [a[0]]; c = [[2]]; gen = (i for i in c)")
    held = [notebook.ns[name][0] for name in "abc"]
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    tools = notebook.session.recorder._detector._tools
    clock = tools.clock
    object.__setattr__(tools, "clock", watch)
    watch.step = 1.0
    united = notebook.run("exec('a[0].append(3)')")
    assert notebook.tied("a", "c")
    slow = notebook.run("d = [c[0]]")
    object.__setattr__(tools, "clock", clock)
    notebook.settings.recording_floor = 600.0
    apart = notebook.run("k = 1")
    assert not notebook.tied("a", "c")
    assert notebook.tied("a", "b")
    assert notebook.tied("c", "d")
    assert wrote(apart) == {"k"}
    notebook.run("a[0].append(4); c[0].append(5)", "big = None")
    last = notebook.runs[-1]
    for run, inner in ((united, [1, 3]), (last, [1, 3, 4]), (slow, [1, 3]), (apart, [1, 3]), (united, [1, 3])):
        report = notebook.session.go(str(run.n))
        assert {v.name for v in report.lost} <= {"gen"}, report
        ns = notebook.ns
        assert ns["a"] == [inner]
        assert ns["b"][0] is ns["a"][0]
        assert ns["c"] == [[2, 5] if run is last else [2]]
        assert ns.get("d", [ns["c"][0]])[0] is ns["c"][0]
        assert (ns["big"] is None) == (run is last)
    assert held
