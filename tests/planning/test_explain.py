"""Why each variable is loaded, re-run, kept or lost: figures and words."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, FileRead, Refusal, VersionRecord
from elastictm.model.reports import Choice
from elastictm.planning.build import migration_problem
from elastictm.planning.closures import below
from elastictm.planning.explain import explain
from elastictm.planning.policies import solve
from elastictm.planning.problem import CellTerm, Problem, VersionTerm

GENERATOR = Refusal("g.gi_frame", "cannot pickle 'generator' object")


def v(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def session(*rows: dict) -> History:
    history = History()
    for n, given in enumerate(rows, 1):
        row = dict(given)
        writes = (VersionRecord(Name(name), RunNumber(n), "ndarray", 8, 0.5) for name in row.pop("writes").split())
        history.append(
            CellRun(
                RunNumber(n),
                source="pass",
                started=0.0,
                seconds=row.pop("seconds", 1.0),
                reads=tuple(map(v, row.pop("reads", "").split())),
                writes=tuple(writes),
                groups=tuple(tuple(map(v, group.split())) for group in row.pop("groups", ())),
                **row,
            )
        )
    return history


def explained(history: History, loads: dict[str, float], policy: str = "optimal", **more) -> dict[str, Choice]:
    refusals = {name: GENERATOR for name in history.live if name not in loads}
    sizes = {Name(name): (8, 0.5) for name in loads}
    versions = {history.live[Name(name)].version: seconds for name, seconds in loads.items()}
    problem = migration_problem(history, loads=versions, **more)
    choices = explain(history, problem, solve(problem, policy), sizes, refusals)
    return {choice.report.name: choice for choice in choices}


def test_choices_come_in_the_order_of_the_session():
    """Each target has one choice, ordered by the cell that produced it."""
    history = session({"writes": "z y"}, {"writes": "a"}, {"writes": "z"})
    assert list(explained(history, {"a": 1.0, "y": 1.0, "z": 1.0})) == ["y", "a", "z"]


def test_a_choice_has_its_figures():
    """The report carries what the variable takes, and both ways are priced, with the cells that one of them needs."""
    history = session({"writes": "x", "seconds": 2.0}, {"writes": "x t", "reads": "x@1", "seconds": 3.0})
    choice = explained(history, {"x": 1.5, "t": 1.0})["x"]
    assert (choice.report.outcome, choice.report.kind) == ("stored", "ndarray")
    assert (choice.report.bytes, choice.report.seconds) == (8, 0.5)
    assert (choice.n, choice.store_seconds, choice.rerun_seconds, choice.rerun_cells) == (2, 1.5, 5.0, (1, 2))


def test_inputs_with_bytes_are_not_run_for():
    """The cells of a re-run are those needed when all else that has bytes is loaded."""
    history = session({"writes": "x", "seconds": 50.0}, {"writes": "y", "reads": "x@1", "seconds": 3.0})
    assert explained(history, {"x": 1.0, "y": 9.0})["y"].rerun_cells == (2,)


def test_re_running_a_group_takes_the_cells_of_all():
    """What shares data is re-run with it, and that counts."""
    history = session({"writes": "x"}, {"writes": "y", "reads": "x@1", "groups": ["x@1 y@2"]})
    assert explained(history, {"x": 1.0, "y": 9.0})["x"].rerun_cells == (1, 2)


ROWS = [
    ("stored", "loading is 4.0 s cheaper", {"writes": "x", "seconds": 5.0}, {"x": 1.0}, {}),
    ("stored", "loading costs no more", {"writes": "x", "seconds": 1.0}, {"x": 1.0}, {}),
    ("rerun", "re-running is 3.0 s cheaper", {"writes": "x", "seconds": 1.0}, {"x": 4.0}, {}),
    ("rerun", "cannot be stored: g.gi_frame: cannot pickle 'generator' object", {"writes": "x"}, {}, {}),
    ("stored", "not repeatable: time() (cell 1)", {"writes": "x", "unrepeatable": ("time()",)}, {"x": 4.0}, {}),
    (
        "stored",
        "cannot be re-run: cell 1 wrote out.csv",
        {"writes": "x", "effects": (Effect("write", "out.csv"),)},
        {"x": 4.0},
        {},
    ),
    (
        "stored",
        "cannot be re-run: /in.csv is gone, or not what it was when it was read",
        {"writes": "x", "files": (FileRead("/in.csv", 1, 0),)},
        {"x": 4.0},
        {"missing_files": {"/in.csv": math.inf}},
    ),
    (
        "lost",
        "cannot be stored: g.gi_frame: cannot pickle 'generator' object; cannot be re-run: cell 1 was interrupted",
        {"writes": "x", "status": "interrupted"},
        {},
        {},
    ),
    (
        "stored",
        "the policy loads what it can; re-running is 3.0 s cheaper",
        {"writes": "x", "seconds": 1.0},
        {"x": 4.0},
        {"policy": "store-all"},
    ),
    (
        "rerun",
        "its cells run again anyway",
        {"writes": "x y", "seconds": 5.0},
        {"x": 1.0},
        {},
    ),
]


@pytest.mark.parametrize(("outcome", "why", "row", "loads", "more"), ROWS, ids=[row[1] for row in ROWS])
def test_a_choice_says_why(outcome, why, row, loads, more):
    """The reason is what forced the choice, or by how much it won."""
    choice = explained(session(row), loads, **more)["x"]
    assert (choice.report.outcome, choice.why) == (outcome, why)


def test_what_is_tied_says_to_what():
    """A variable that follows another says which one, whichever way both go."""
    rows = ({"writes": "x"}, {"writes": "y", "reads": "x@1", "groups": ["x@1 y@2"]})
    both = explained(session(*rows), {"x": 0.1})
    assert (both["x"].report.outcome, both["x"].why) == ("rerun", "shares data with y")
    young = {"writes": "y", "reads": "x@1", "groups": ["x@1 y@2"], "effects": (Effect("network", "host"),)}
    both = explained(session({"writes": "x"}, young), {"x": 9.0, "y": 9.0})
    assert (both["x"].report.outcome, both["x"].why) == ("stored", "shares data with what cannot be re-run")
    assert both["x"].rerun_cells == ()
    both = explained(session({"writes": "x"}, young), {"y": 9.0})
    assert both["x"].report.outcome == "lost"
    assert both["x"].why.endswith(
        "cannot be re-run: it shares data with y, and they cannot be re-run together: cell 2 used the network: host"
    )


def test_a_loss_shows_its_path_beside_its_reason():
    """A report has the path of what refused apart, and does not repeat it in the reason."""
    report = explained(session({"writes": "x", "status": "interrupted"}), {})["x"].report
    assert report.path == "g.gi_frame"
    assert report.reason == "cannot pickle 'generator' object; cannot be re-run: cell 1 was interrupted"


def test_a_version_without_bytes_or_refusal_says_so():
    """Where nobody says why there are no bytes, the plain fact is told."""
    history = session({"writes": "x", "status": "interrupted"})
    problem = migration_problem(history, loads={})
    (choice,) = explain(history, problem, solve(problem), {}, {})
    assert choice.why == "there are no bytes of it; cannot be re-run: cell 1 was interrupted"


def test_a_class_made_anew_is_named_as_the_reason():
    """A variable that is only re-run because its class is says so."""
    history = session({"writes": "g x"}, {"writes": "y"})
    problem = migration_problem(history, loads={v("x@1"): 0.1, v("y@2"): 0.1})
    bound = Problem(
        problem.versions, problem.cells, problem.ship, problem.targets, displaces=((RunNumber(1), v("y@2")),)
    )
    choices = explain(history, bound, solve(bound), {}, {})
    assert [choice.why for choice in choices if choice.report.name == "y"] == ["cell 1 makes its class anew"]


def test_what_is_kept_is_in_place():
    """A variable that need not move has no other reason."""
    history = session({"writes": "x"})
    problem = Problem(
        versions={v("x@1"): VersionTerm(v("x@1"), RunNumber(1), 0.0, kept=True)},
        cells={RunNumber(1): CellTerm(RunNumber(1), 1.0, ())},
        targets=frozenset({v("x@1")}),
    )
    (choice,) = explain(history, problem, solve(problem), {}, {})
    assert (choice.report.outcome, choice.why) == ("kept", "it is in place already")


def test_sets_below_nodes_are_found():
    """What lies below each start is what a search from it finds, cycles and all."""
    for seed in range(60):
        draw = random.Random(seed)
        count = draw.randint(1, 30)
        pairs = [(draw.randrange(count), draw.randrange(count)) for _ in range(draw.randint(0, 50))]
        counted = np.array([draw.random() < 0.6 for _ in range(count)])
        starts = np.array(sorted(draw.sample(range(count), draw.randint(1, count))))
        tails, heads = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
        found = below(count, tails, heads, starts, counted)
        for start in starts.tolist():
            seen, left = set(), [start]
            while left:
                node = left.pop()
                if node not in seen:
                    seen.add(node)
                    left += [head for tail, head in pairs if tail == node]
            assert found[start].tolist() == sorted(node for node in seen if counted[node])
