"""From a history to a problem: what may run again, what may be loaded, and what must come back together."""

from __future__ import annotations

import math
from functools import partial

import pytest

from elastictm.errors import UsageError
from elastictm.ids import DefinitionKey, Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, FileRead, Remark, VersionRecord
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.policies import solve
from elastictm.planning.unrepeatable import doubtful

INF = math.inf


def version(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def history_of(*runs: dict) -> History:
    """A history from rows: ``n``, ``reads`` and ``writes`` and ``groups`` as words, anything else as it is recorded."""
    history = History()
    for row in runs:
        given = dict(row)
        n = RunNumber(given.pop("n"))
        classes = given.pop("classes", {})
        writes = [
            VersionRecord(Name(name), n, "int", 10, 0.1, definitions=tuple(map(DefinitionKey, classes.get(name, ()))))
            for name in given.pop("writes", "").split()
        ]
        history.append(
            CellRun(
                n=n,
                source=given.pop("source", "pass"),
                started=0.0,
                seconds=given.pop("seconds", 1.0),
                reads=tuple(map(version, given.pop("reads", "").split())),
                writes=tuple(writes),
                groups=tuple(tuple(map(version, group.split())) for group in given.pop("groups", ())),
                created=tuple(map(DefinitionKey, given.pop("created", ()))),
                **given,
            )
        )
    return history


def all_loads(history: History, *bare: str) -> dict[Version, float]:
    return {record.version: 1.0 for name, record in history.live.items() if name not in bare}


@pytest.mark.parametrize(
    ("row", "obstacle"),
    [
        ({"n": 0}, "it was there before recording began"),
        ({"n": 3, "status": "unparsed"}, "cell 3 is not valid code"),
        ({"n": 3, "status": "interrupted"}, "cell 3 was interrupted"),
        ({"n": 3, "source": "# tm: not-repeatable\nx = 1"}, "cell 3 is marked # tm: not-repeatable"),
        ({"n": 3, "effects": (Effect("write", "out.csv"),)}, "cell 3 wrote out.csv"),
        ({"n": 3, "effects": (Effect("remove", "a"),)}, "cell 3 removed a"),
        ({"n": 3, "effects": (Effect("rename", "a to b"),)}, "cell 3 renamed a to b"),
        ({"n": 3, "effects": (Effect("network", "host"),)}, "cell 3 used the network: host"),
        (
            {"n": 3, "effects": (Effect("environment", "X"), Effect("process", "ls"))},
            "cell 3 started a process: ls",
        ),
    ],
)
def test_cells_that_must_not_run_again(row, obstacle):
    """What is no cell, did not end, or acts on the world outside is not run again, and the problem says why."""
    problem = migration_problem(history_of(row | {"writes": "x"}), loads={})
    term = problem.cells[row["n"]]
    assert (term.seconds, term.obstacle) == (INF, obstacle)


@pytest.mark.parametrize(
    "row",
    [
        {"status": "error", "error": "ValueError"},
        {"effects": (Effect("environment", "X"), Effect("directory", "/tmp"), Effect("path", "/lib"))},
        {"unrepeatable": ("time.time()",)},
        {"source": "# tm: repeatable\nx = 1", "effects": (Effect("write", "out.csv"),)},
    ],
)
def test_cells_that_may_run_again(row):
    """A failed cell fails again the same way, and what stays inside the process can be repeated."""
    problem = migration_problem(history_of(row | {"n": 3, "writes": "x", "seconds": 2.0}), loads={})
    assert problem.cells[RunNumber(3)].seconds == 2.0
    assert problem.versions[version("x@3")].rerun_allowed


def test_effects_can_be_allowed():
    """Cells that act on the world outside run again where the user says so."""
    history = history_of({"n": 1, "writes": "x", "effects": (Effect("write", "out.csv"),)})
    assert migration_problem(history, loads={}, allow_effects=True).cells[RunNumber(1)].seconds == 1.0


def test_the_target_machine_has_a_say():
    """A cell that cannot run at the target is not run, for the reason given there."""
    history = history_of({"n": 1, "writes": "x"})
    problem = migration_problem(history, loads={}, runnable=lambda run: "no torch here" if run.n == 1 else None)
    assert problem.cells[RunNumber(1)].obstacle == "cell 1: no torch here"


def test_files_are_shipped_where_they_are_missing():
    """Only files that are not at the target cost anything, and one that cannot be had forbids the cell."""
    files = tuple(FileRead(path, 5, 0) for path in ("here", "far", "gone", "far"))
    history = history_of({"n": 1, "writes": "x", "files": files})
    problem = migration_problem(history, loads={}, missing_files={"far": 2.5, "gone": INF, "other": 1.0})
    assert problem.ship == {"far": 2.5, "gone": INF}
    assert problem.cells[RunNumber(1)].files == ("far", "gone")
    problem = migration_problem(history, loads={}, missing_files={"far": 2.5})
    plan = solve(problem)
    assert (plan.shipped, plan.seconds) == (("far",), 3.5)


def test_only_what_targets_could_need_is_in_the_problem():
    """Cells and versions that no target is made from are left out, and so is what stands behind a forbidden cell."""
    history = history_of(
        {"n": 1, "writes": "a"},
        {"n": 2, "writes": "b", "reads": "a@1"},
        {"n": 3, "writes": "c"},
        {"n": 4, "writes": "d", "reads": "c@3", "effects": (Effect("network", "host"),)},
    )
    problem = migration_problem(history, loads={}, targets=frozenset({version("b@2"), version("d@4")}))
    assert set(problem.versions) == {version("a@1"), version("b@2"), version("d@4")}
    assert set(problem.cells) == {1, 2, 4}


def test_all_live_variables_are_wanted_unless_told_otherwise():
    """Without a choice, the targets are the live versions; deleted and lapsed variables are not among them."""
    history = history_of({"n": 1, "writes": "a b c"}, {"n": 2, "writes": "a", "deletes": (Name("b"),)})
    history.lapse([Name("c")])
    assert migration_problem(history, loads={}).targets == {version("a@2")}


def test_what_comes_out_differently_is_loaded():
    """A version that has bytes is not made again if that gives another value; the reason goes with it."""
    history = history_of(
        {"n": 1, "writes": "a", "unrepeatable": ("time.time()", "uuid4()")},
        {"n": 2, "writes": "b", "reads": "a@1"},
        {"n": 3, "writes": "a"},
        {"n": 4, "writes": "c", "reads": "b@2"},
    )
    versions = migration_problem(history, loads=all_loads(history)).versions
    reason = "not repeatable: time.time(), uuid4() (cell 1)"
    assert versions[version("b@2")].obstacle == reason
    assert not versions[version("b@2")].rerun_allowed
    # c was made from b, which is loaded as it was.
    assert versions[version("c@4")].rerun_allowed
    # Without bytes of b, c comes out differently too; and b itself can come back in no other way.
    versions = migration_problem(history, loads=all_loads(history, "b")).versions
    assert versions[version("b@2")].rerun_allowed
    assert versions[version("c@4")].obstacle == reason


def test_what_depends_on_the_machine_is_loaded_unless_its_bytes_are_dear():
    """A value that another machine may make otherwise is stored; where that takes long it may be made again instead."""
    history = history_of(
        {"n": 1, "writes": "a b", "unrepeatable": ("os.getcwd() depends on the machine",)},
        {"n": 2, "writes": "c", "reads": "b@1"},
        {"n": 3, "writes": "d", "unrepeatable": ("os.getcwd() depends on the machine", "time.time()")},
    )
    loads = all_loads(history) | {version("b@1"): 60.0, version("d@3"): 60.0}
    versions = migration_problem(history, loads=loads).versions
    reason = "not repeatable: os.getcwd() depends on the machine (cell 1)"
    assert versions[version("a@1")].obstacle == reason
    assert versions[version("b@1")].rerun_allowed
    # b may be made anew, and with it another c; another reason weighs whatever the price.
    assert versions[version("c@2")].obstacle == reason
    assert versions[version("d@3")].obstacle == "not repeatable: time.time() (cell 3)"
    assert migration_problem(history, loads=loads | {version("c@2"): 60.0}).versions[version("c@2")].rerun_allowed


def test_what_a_doubtful_cell_makes_may_differ():
    """What runs again and is not repeatable, or reads what such a cell makes anew, is named; what is loaded is not."""
    history = history_of(
        {"n": 1, "writes": "a g", "unrepeatable": ("os.getcwd() depends on the machine",)},
        {"n": 2, "writes": "h", "reads": "g@1"},
        {"n": 3, "writes": "i", "reads": "a@1"},
    )
    problem = migration_problem(history, loads=all_loads(history, "g", "h", "i"))
    steps = solve(problem).reruns
    found = [(step.n, [str(v.name) for v in step.writes], cause) for step, cause in doubtful(history, steps, {1})]
    assert found == [(1, ["g"], 1), (2, ["h"], 1)]


def test_what_was_learned_of_a_cell_counts():
    """A cell whose re-run once gave another result counts as not repeatable."""
    history = history_of({"n": 1, "writes": "a"})
    history.remark(Remark(RunNumber(1), "running it again gave another value of a"))
    term = migration_problem(history, loads=all_loads(history)).versions[version("a@1")]
    assert term.obstacle == "not repeatable: running it again gave another value of a (cell 1)"


def test_what_went_astray_is_loaded_or_lost():
    """A variable changed outside of cells is never made again, and what was made from it comes out differently."""
    history = history_of({"n": 1, "writes": "a"}, {"n": 2, "writes": "b", "reads": "a@1"}, {"n": 3, "writes": "c"})
    astray = frozenset({version("a@1")})
    versions = migration_problem(history, loads=all_loads(history), astray=astray).versions
    assert versions[version("a@1")].obstacle == "changed outside of recorded cells"
    assert versions[version("b@2")].obstacle == "made from a, which was changed outside of recorded cells"
    assert versions[version("c@3")].rerun_allowed


def test_astray_members_hold_their_group_to_loading():
    """Where one of a group went astray, no other is made again beside it, not even one without bytes."""
    history = history_of(
        {"n": 1, "writes": "a"},
        {"n": 2, "writes": "b", "reads": "a@1", "groups": ["a@1 b@2"]},
    )
    plan = solve(migration_problem(history, loads=all_loads(history, "b"), astray=frozenset({version("a@1")})))
    assert [loss.version for loss in plan.lost] == [version("b@2")]
    assert plan.loads == (version("a@1"),)


def test_groups_are_those_of_wanted_variables():
    """Alias groups bind the targets among them, and nothing where only one is wanted."""
    history = history_of({"n": 1, "writes": "a b c", "groups": ["a@1 b@1 c@1"]})
    wanted = frozenset({version("a@1"), version("b@1")})
    assert migration_problem(history, loads=all_loads(history), targets=wanted).groups == (wanted,)
    assert migration_problem(history, loads=all_loads(history), targets=frozenset({version("a@1")})).groups == ()


def test_groups_that_overlap_are_one():
    """A name left in an older group is still bound to those that went on to a newer one."""
    history = history_of(
        {"n": 1, "writes": "a b", "groups": ["a@1 b@1"]},
        {"n": 2, "writes": "c", "reads": "b@1", "groups": ["b@1 c@2"]},
    )
    assert migration_problem(history, loads=all_loads(history)).groups == (
        frozenset({version("a@1"), version("b@1"), version("c@2")}),
    )


def test_a_class_binds_its_instances_to_the_cell_that_defines_it():
    """Each version that can be loaded is bound to the cells that create what it refers to, its own included."""
    history = history_of(
        {"n": 1, "writes": "K", "created": (7,), "classes": {"K": (7,)}},
        {"n": 2, "writes": "x y", "reads": "K@1", "classes": {"x": (7,), "y": (7, 8)}},
    )
    problem = migration_problem(history, loads=all_loads(history, "y"))
    assert set(problem.displaces) == {(1, version("K@1")), (1, version("x@2"))}


def test_a_deleted_name_is_an_input():
    """A cell that deletes a name needs it, the version that was alive then."""
    history = history_of(
        {"n": 1, "writes": "t"}, {"n": 2, "writes": "t"}, {"n": 3, "writes": "x", "deletes": (Name("t"),)}
    )
    assert migration_problem(history, loads={}).cells[RunNumber(3)].reads == (version("t@2"),)


def test_a_name_changed_through_another_is_an_input():
    """A cell that gives a name a new version through another that shares its data needs both."""
    history = history_of(
        {"n": 1, "writes": "a b", "groups": ["a@1 b@1"]},
        {"n": 2, "writes": "a b", "reads": "a@1", "groups": ["a@2 b@2"]},
    )
    assert migration_problem(history, loads={}).cells[RunNumber(2)].reads == (version("a@1"), version("b@1"))


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_costs_must_be_costs(wrong):
    """A negative cost, or one that is no number, is refused wherever it comes from."""
    history = history_of({"n": 1, "writes": "x", "files": (FileRead("f", 1, 0),)})
    with pytest.raises(ValueError, match=r"loading x@1 costs .* expected 0 or more"):
        migration_problem(history, loads={version("x@1"): wrong})
    with pytest.raises(ValueError, match=r"shipping f costs .* expected 0 or more"):
        migration_problem(history, loads={}, missing_files={"f": wrong})
    with pytest.raises(ValueError, match=r"running cell 1 costs .* expected 0 or more"):
        migration_problem(history_of({"n": 1, "writes": "x", "seconds": wrong}), loads={})


def test_moving_a_value_costs_both_ways():
    """Serialising, sending up and down, and loading all count; alpha weighs the first two, up to nothing at all."""
    assert transfer_seconds(100, 2.0, 50.0) == 8.0
    assert transfer_seconds(100, 2.0, 50.0, alpha=0.0) == 4.0
    assert transfer_seconds(100, 2.0, 50.0, alpha=0.05) == pytest.approx(4.2)
    assert transfer_seconds(100, 0.0, INF) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 1.0, 0.0), "bandwidth is 0.0 bytes per second"),
        ((1, 1.0, math.nan), "bandwidth is nan"),
        ((1, 1.0, 1.0, -0.5), "alpha is -0.5"),
        ((1, 1.0, 1.0, math.nan), "alpha is nan"),
        ((1, -9.0, 1.0), "take -9.0 s to serialise"),
    ],
)
def test_terms_of_moving_must_make_sense(arguments, message):
    """A bandwidth, alpha or time that means nothing is a mistake of usage, named with its value."""
    with pytest.raises(UsageError, match=message):
        transfer_seconds(*arguments)


def test_functions_and_classes_are_made_again_by_the_same_source():
    """A cell that is not repeatable still defines the same function; a value that holds it comes out differently."""
    history = History()
    key = DefinitionKey(5)
    writes = (
        VersionRecord(Name("f"), RunNumber(1), "function", 10, 0.1, definitions=(key,), defines=key),
        VersionRecord(Name("x"), RunNumber(1), "partial", 10, 0.1, definitions=(key,)),
    )
    history.append(CellRun(RunNumber(1), "pass", 0.0, 1.0, writes=writes, created=(key,), unrepeatable=("time()",)))
    versions = migration_problem(history, loads=all_loads(history)).versions
    assert versions[version("f@1")].rerun_allowed
    assert not versions[version("x@1")].rerun_allowed


def test_groups_can_be_those_that_somebody_saw():
    """Alias groups found by a look at the values stand in for the recorded ones."""
    history = history_of({"n": 1, "writes": "a b c", "groups": ["a@1 b@1"]})
    seen = frozenset({version("b@1"), version("c@1")})
    assert migration_problem(history, loads=all_loads(history), groups=[seen]).groups == (seen,)


def test_what_is_older_than_a_generator_can_be_loaded_beside_it():
    """Where a younger member of a group has no bytes, a plan need not run again what made the older ones."""
    history = history_of(
        {"n": 1, "writes": "data", "seconds": 60.0},
        {"n": 2, "writes": "model", "reads": "data@1", "seconds": 60.0, "groups": ["data@1 model@2"]},
        {"n": 3, "writes": "rows", "reads": "data@1", "groups": ["data@1 model@2 rows@3"]},
    )
    drawn = partial(migration_problem, history, loads=all_loads(history, "rows"))
    for policy in ("optimal", "store-all"):
        problem, plan = planned(drawn, policy)
        assert plan.loads == (version("data@1"), version("model@2"))
        assert [step.n for step in plan.reruns] == [3]
        assert problem.versions[version("data@1")].obstacle == "shares data with what can only be made again, beside it"
    assert [step.n for step in planned(drawn, "rerun-all")[1].reruns] == [1, 2, 3]


def test_what_is_quicker_to_make_again_is():
    """Older members are not loaded beside a generator where running all cells again costs less."""
    history = history_of(
        {"n": 1, "writes": "data", "seconds": 0.0},
        {"n": 2, "writes": "rows", "reads": "data@1", "seconds": 0.0, "groups": ["data@1 rows@2"]},
    )
    drawn = partial(migration_problem, history, loads={version("data@1"): 5.0})
    assert planned(drawn)[1].loads == ()
    assert planned(drawn, "store-all")[1].loads == (version("data@1"),)
