"""Whatever goes wrong inside the recorder, the cell never hears of it, and the worst is assumed; so it is in a hurry."""

from __future__ import annotations

import pytest

from elastictm.session import recorder
from elastictm.session.between import Between
from elastictm.session.changes import ChangeDetector
from elastictm.session.lots import Freezing
from elastictm.session.recorder import Recorder

MEAN = """
class Mean:
    def __init__(self): self.n = 1
    {method}
v = Mean()
"""

METHODS = {
    "__reduce__": "def __reduce__(self): raise error('no')",
    "__reduce_ex__": "def __reduce_ex__(self, protocol): raise error('no')",
    "__getstate__": "def __getstate__(self): raise error('no')",
    "__getattr__": "def __getattr__(self, name): raise error('no')",
    "__getattribute__": "def __getattribute__(self, name): raise error('no')",
    "__class__": "__class__ = property(lambda self: 1 / 0)",
    "__hash__": "def __hash__(self): raise error('no')",
    "__eq__": "def __eq__(self, other): raise error('no')",
    "__bool__": "def __bool__(self): raise error('no')",
    "__len__": "def __len__(self): raise error('no')",
    "__repr__": "def __repr__(self): raise error('no')",
    "__dict__": "__dict__ = property(lambda self: 1 / 0)",
    "__module__": "__module__ = 5",
    "__slots__ of its own": "__slots__ = ('n',)",
    "__del__": "def __del__(self): raise error('no')",
    "__iter__": "def __iter__(self): raise error('no')",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("error", ["ValueError", "KeyboardInterrupt", "SystemExit", "RecursionError", "MemoryError"])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_mean_objects(unloaded, method, error, capsys):
    """An object whose methods raise hinders neither the cell nor recording, and a change in it is not missed."""
    unloaded.load()
    unloaded.run("other = [1]", f"error = {error}", MEAN.format(method=method))
    capsys.readouterr()
    made = unloaded.runs[-1]
    assert made.status == "ok"
    assert "v" in {record.name for record in made.writes}
    quiet = unloaded.run("pass")
    run = unloaded.run("object.__setattr__(v, 'n', 2)")
    assert run.status == "ok"
    assert "v" in {record.name for record in run.writes}
    last = unloaded.run("other.append(2)")
    assert "other" in {record.name for record in last.writes}
    assert unloaded.ns["other"] == [1, 2]
    assert capsys.readouterr().err == ""
    # That an object interrupts cannot be told from the user's doing it.
    assert error == "KeyboardInterrupt" or quiet.writes == ()


class Fault:
    """Makes a method raise at certain calls."""

    def __init__(self, monkeypatch, owner, name, *errors):
        original = getattr(owner, name)
        waiting = list(errors)

        def faulty(*arguments, **options):
            error = waiting.pop(0) if waiting else None
            if error is not None:
                raise error
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, faulty)


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(3), MemoryError()], ids=repr)
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (ChangeDetector, "compare"),
        (Freezing, "freeze"),
        (Recorder, "_recorded"),
        (recorder, "reasons_in_code"),
        (recorder, "named_files"),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_an_error_after_a_cell(unloaded, monkeypatch, capsys, owner, name, error):
    """The cell ends as it would have, all variables count as read and written, and recording goes on after it."""
    unloaded.load()
    unloaded.run("a = [1]; b = [a]; n = 1")
    capsys.readouterr()
    Fault(monkeypatch, owner, name, error)
    run = unloaded.run("a.append(2); del n; m = 3")
    assert run.status == "ok"
    assert {record.name for record in run.writes} == {"a", "b", "m"}
    assert all(record.assumed for record in run.writes)
    assert run.deletes == ("n",)
    assert {version.name for version in run.reads} == {"a", "b", "n"}
    assert run.unrepeatable == ("it was not recorded fully",)
    assert "assumed written" in run.notes[0]
    assert capsys.readouterr() == ("", "")
    assert len(unloaded.errors) == 1
    idle = unloaded.run("pass")
    assert (idle.writes, idle.notes, idle.unrepeatable) == ((), (), ())
    assert {record.name for record in unloaded.run("b[0].append(3)").writes} == {"a", "b"}
    assert unloaded.groups() == {frozenset({"a", "b"})}
    assert len(unloaded.errors) == 1


def test_a_module_without_a_name(notebook):
    """One that nobody has set up is a value like others."""
    notebook.run("import types\nm = types.ModuleType.__new__(types.ModuleType); y = [m, {}]; z = [1]")
    assert {record.name for record in notebook.run("z.append(2)").writes} == {"z"}
    assert "m" in {record.name for record in notebook.run("m.extra = 1").writes}


def test_a_class_that_does_not_tell_its_module(notebook):
    """What a metaclass answers is not asked for where values are walked through."""
    notebook.run(
        "class Nameless(type):\n    @property\n    def __module__(cls): raise AssertionError",
        "x = Nameless('Odd', (), {})(); y = [x]; z = [1]",
    )
    assert {record.name for record in notebook.run("z.append(2)").writes} == {"z"}
    assert notebook.tied("x", "y")


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()], ids=repr)
def test_an_error_before_a_cell(unloaded, monkeypatch, capsys, error):
    """A cell that could not be watched from its beginning may have done anything."""
    unloaded.load()
    unloaded.run("a = [1]; b = [2]")
    Fault(monkeypatch, Between, "look", error)
    capsys.readouterr()
    run = unloaded.run("a.append(1)")
    assert {record.name for record in run.writes} == {"a", "b"}
    assert run.notes == ("it could not be watched; every variable is assumed written",)
    assert capsys.readouterr() == ("", "")
    assert {record.name for record in unloaded.run("b.append(1)").writes} == {"b"}


def test_an_error_again_and_again(unloaded, monkeypatch, capsys):
    """An error that stays is noted once, and every cell run assumes the worst."""
    unloaded.load()
    unloaded.run("a = [1]")

    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(ChangeDetector, "compare", broken)
    for _ in range(3):
        assert {record.name for record in unloaded.run("pass").writes} == {"a"}
    assert len(unloaded.errors) <= 2
    monkeypatch.undo()
    monkeypatch.setenv("MPLBACKEND", "agg")
    unloaded.run("pass")
    assert unloaded.run("pass").writes == ()


def test_an_error_after_a_silent_cell(unloaded, monkeypatch):
    """Where nobody knows what a silent cell did, it may have done anything."""
    unloaded.load()
    unloaded.run("a = [1]; b = [2]")
    Fault(monkeypatch, Between, "_moved", RuntimeError("broken"))
    unloaded.shell.run_cell("a.append(2)", store_history=False)
    run = unloaded.run("len(b)")
    assert "a" in {record.name for record in run.writes}
    assert run.unrepeatable == ("something ran beside the cells",)


class Ticking:
    """A clock that moves on by a fixed step at every look."""

    def __init__(self, step):
        self.step = step
        self.time = 0.0

    def elapsed(self):
        self.time += self.step
        return self.time

    worked = elapsed

    def now(self):
        return 1e9 + self.time


@pytest.fixture
def hurried(unloaded):
    """A notebook that has had time to record a few values, and from then on has almost none."""
    unloaded.load()
    unloaded.run("a = [[i] for i in range(50)]; b = [a]; c = {'k': [1]}; n = 1", "import numpy as np; x = np.zeros(10)")
    clock = Ticking(0.004)
    recorder = unloaded.session.recorder
    recorder._clock = clock
    object.__setattr__(recorder._detector._tools, "clock", clock.elapsed)
    recorder._detector.freezer._clock = clock.elapsed
    recorder._budget.session = recorder._budget.spent = 0.0
    unloaded.settings.recording_floor = 0.001
    unloaded.settings.recording_share = 0.0
    return unloaded


def test_no_time_to_look(hurried):
    """What there is no time to look at is assumed written, with all that shares its data, and the notes say so."""
    run = hurried.run("len(a)")
    assert {"a", "b"} <= {record.name for record in run.writes}
    assert all(record.assumed for record in run.writes if record.name in {"a", "b"})
    assert any(note.startswith("assumed written: ") and "a" in note for note in run.notes)


def test_what_is_not_reached_needs_no_time(hurried):
    """A cell that cannot reach a variable leaves it alone however little time there is."""
    run = hurried.run("n = n + 1")
    assert {record.name for record in run.writes} == {"n"}


def test_new_values_without_time(hurried):
    """New values that cannot be looked at in time are recorded without a digest, and no change in them is missed."""
    made = hurried.run("big = [[i] for i in range(20000)]")
    record = next(record for record in made.writes if record.name == "big")
    assert record.fingerprint is None
    assert record.assumed
    assert any("not looked at: big" in note for note in made.notes)
    assert "big" in {record.name for record in hurried.run("big[5].append(1)").writes}


def test_sharing_that_there_is_no_time_to_find(hurried):
    """Names that might share data are tied where there is no time to find out."""
    hurried.run("d = [a, c]")
    assert hurried.tied("d", "a")
    assert hurried.tied("d", "c")


def test_time_comes_back(hurried):
    """With time again, recording is precise again."""
    hurried.run("len(a), len(c)")
    hurried.settings.recording_floor = 1e6
    hurried.run("a, b, c, x;")
    run = hurried.run("len(a), len(c)")
    assert {record.name for record in run.writes} <= {f"Out[{run.n}]"}
    assert hurried.groups() == {frozenset({"a", "b"})}


def test_the_allowance(notebook):
    """Recording may take its share of the session's time, less what it took already, and never less than the floor."""
    budget = notebook.session.recorder._budget
    settings = notebook.settings.settings
    notebook.settings.recording_share, notebook.settings.recording_floor = 0.5, 2.0
    budget.session, budget.spent = 100.0, 10.0
    assert budget.allowance(settings()) == 40.0
    budget.spent = 49.0
    assert budget.allowance(settings()) == 2.0
