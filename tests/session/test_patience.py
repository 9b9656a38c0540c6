"""How long large values may keep a cell waiting: for the look at them, and for keeping them in the past."""

from __future__ import annotations

import itertools
import threading
from math import inf

import pytest

from elastictm.ids import Name
from elastictm.session.environment import describe_environment
from elastictm.session.patience import Patience
from elastictm.session.stock import NO_TIME
from elastictm.session.tracked import Group
from elastictm.settings import Settings
from elastictm.values.freeze import Freezer, OutOfTime, Surroundings
from elastictm.values.survey import Surveyor

NAMES = [Name("x")]


class Watch:
    """A clock that is set by hand."""

    time = 0.0

    def __call__(self):
        """Seconds."""
        return self.time


@pytest.fixture
def watch():
    """A clock at zero."""
    return Watch()


def frozen_for(seconds, patience, watch, values):
    """Have a group that no look had time for take so long, and say what was allowed."""
    with patience.timed(Group(NAMES), NAMES, values) as left:
        allowed = left()
        watch.time += seconds
    return allowed


def test_a_new_value(watch):
    """A new value has the whole time, and the same one later only its share of the session's, or the floor."""
    patience = Patience(watch, lambda: Settings(recording_floor=0.25, recording_share=0.0625))
    first = {Name("x"): [1]}
    assert frozen_for(1.0, patience, watch, first) == 2.0
    assert patience.allowance(Group(NAMES), NAMES, first) == 0.0
    watch.time = 16.0
    assert frozen_for(0.75, patience, watch, first) == 1.0
    assert patience.allowance(Group(NAMES), NAMES, first) == 0.0
    watch.time = 32.0
    assert patience.allowance(Group(NAMES), NAMES, first) == 1.25
    assert patience.allowance(Group(NAMES), NAMES, {Name("x"): [1]}) == 2.0


def test_what_was_given_up(watch):
    """What took all of its time is not tried again: nobody knows how much longer it takes."""
    patience = Patience(watch, Settings)
    values = {Name("x"): [1]}
    frozen_for(2.5, patience, watch, values)
    watch.time = 1e6
    assert patience.allowance(Group(NAMES), NAMES, values) == 0.0


def test_what_was_looked_at(watch):
    """What the look had time for is frozen without a limit, unless the look alone took longer than is allowed."""
    patience = Patience(watch, Settings)
    looked = Group(NAMES, {Name("x"): "digest"}, seconds=1.0)
    with patience.timed(looked, NAMES, {Name("x"): [1]}) as left:
        assert left is None
    looked.seconds = 2.5
    assert patience.allowance(looked, NAMES, {Name("x"): [1]}) == 0.0


def test_a_survey_asks_within_a_level():
    """A level of many objects does not keep a survey from ending once its time is over."""
    surveyor = Surveyor(Surroundings({}))
    asked = []
    many = [[] for _ in range(100_000)]
    with pytest.raises(OutOfTime):
        surveyor.survey([many], out_of_time=lambda: asked.append(1) or len(asked) == 3)
    whole = surveyor.survey([many], out_of_time=lambda: asked.append(1) or False)
    assert len(whole.objects) == 100_001
    assert len(asked) > 6


def test_a_group_that_takes_too_long():
    """Freezing a group with its bytes ends when its time is over."""
    values = {Name("x"): [[i] for i in range(100_000)]}
    with pytest.raises(OutOfTime):
        Freezer(Surroundings({})).group(values, keep=True, left=lambda: 0.0)
    group = Freezer(Surroundings({})).group(values, keep=True, left=lambda: inf)
    assert group.parts.keys() == {"x"}


def test_keeping_gives_up(notebook):
    """What takes longer to keep than is allowed is not kept, which its state says; what is small is kept."""
    notebook.run("x = 1")
    past = notebook.session.past
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    past.keeper._patience = Patience(itertools.count().__next__, lambda: Settings(keeping_seconds=0.5))
    notebook.run("big = [[i] for i in range(200_000)]; small = 1")
    kept = {variable["name"]: variable for variable in past.room().contents(past.here()).to_json()["variables"]}
    assert NO_TIME in str(kept["big"])
    assert NO_TIME not in str(kept["small"])


def test_code_inside_what_was_not_looked_at(notebook):
    """A value without a look may have inside what its cell came at, and not just anything."""
    notebook.run("other = {'k': 1}; seen = [0]", "def touch(): seen.append(1)")
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    notebook.run("big = [[touch] for i in range(200_000)]")
    run = notebook.run("big[0][0]();")
    written = {str(record.name) for record in run.writes}
    assert "big" in written
    assert "other" not in {str(version.name) for version in run.reads}
    assert not any(note.startswith("may touch every variable") for note in run.notes)
    assert "seen" in written


def test_functions_of_the_cell_itself(notebook):
    """Functions that the cell itself puts into a value that nobody looks at may do anything."""
    notebook.settings.recording_floor = notebook.settings.recording_share = 0.0
    notebook.run("big = [[lambda: later.append(1)] for i in range(200_000)]", "later = []")
    assert "later" in {str(record.name) for record in notebook.run("big[0][0]();").writes}


def test_no_cell_waits_for_the_list_of_libraries(unloaded, monkeypatch):
    """Looking through all that is installed takes a while, and goes on beside the first cells."""
    looked = threading.Event()

    def slow(*given):
        assert looked.wait(60)
        return describe_environment(*given)

    monkeypatch.setattr("elastictm.session.keeping.describe_environment", slow)
    unloaded.load()
    unloaded.run("x = 1", "y = [x]")
    keeper = unloaded.session.past.keeper
    assert keeper._background._open == 1
    looked.set()
    keeper.flush()
    assert unloaded.session.past.trouble == keeper.stopped == ""
