"""Plans: their steps and order, what each policy does, what is lost and why, and that they repeat."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest

from elastictm.ids import Name, RunNumber, Version
from elastictm.planning.oracle import exhaustive
from elastictm.planning.plan import (
    Displaced,
    FileMissing,
    Keep,
    Load,
    MustNotRun,
    NoSource,
    NotAllowed,
    Rerun,
    Tied,
)
from elastictm.planning.policies import solve
from elastictm.planning.problem import CellTerm, Problem, VersionTerm

INF = math.inf


def v(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def problem_of(loads: dict[str, float], cells: dict[int, tuple], targets: str, **more) -> Problem:
    """A problem from words: seconds to load each version; seconds, reads and files of each cell."""
    barred = set(more.pop("barred", "").split())
    kept = set(more.pop("kept", "").split())
    versions = {
        v(text): VersionTerm(
            v(text),
            v(text).n if v(text).n in cells else None,
            load,
            rerun_allowed=text not in barred,
            kept=text in kept,
        )
        for text, load in loads.items()
    }
    terms = {
        RunNumber(n): CellTerm(RunNumber(n), seconds, tuple(map(v, reads.split())), tuple(files.split()))
        for n, (seconds, reads, files) in cells.items()
    }
    return Problem(
        versions=versions,
        cells=terms,
        ship=more.pop("ship", {}),
        targets=frozenset(map(v, targets.split())),
        groups=tuple(frozenset(map(v, group.split())) for group in more.pop("groups", ())),
        follows=tuple((v(a), v(b)) for a, b in more.pop("follows", ())),
        displaces=tuple((RunNumber(n), v(b)) for n, b in more.pop("displaces", ())),
    )


def test_steps_come_in_the_order_of_the_session():
    """A loaded version comes where it was produced, after the re-run of that cell, and before what reads it."""
    problem = problem_of(
        {"a@2": INF, "b@2": 0.1, "c@3": 0.1, "d@10": INF, "b@1": INF},
        {1: (1, "", ""), 2: (1, "b@1", ""), 3: (50, "", ""), 10: (1, "a@2 c@3", "")},
        "b@2 c@3 d@10",
        barred="b@2",
    )
    assert solve(problem).steps == (
        Rerun(RunNumber(1), (v("b@1"),)),
        Rerun(RunNumber(2), (v("a@2"),)),
        Load(v("b@2")),
        Load(v("c@3")),
        Rerun(RunNumber(10), (v("d@10"),)),
    )


def test_a_plan_tells_its_parts():
    """Re-runs, loads and kept versions can be asked for apart, and the seconds are those of all that is done."""
    problem = problem_of(
        {"a@1": 0.0, "b@2": 5.0, "c@3": 2.0},
        {1: (1, "", ""), 2: (3, "a@1", "f"), 3: (9, "", "")},
        "a@1 b@2 c@3",
        kept="a@1",
        ship={"f": 0.5, "g": 0.1},
    )
    plan = solve(problem)
    assert plan.keeps == (v("a@1"),)
    assert plan.steps[0] == Keep(v("a@1"))
    assert plan.reruns == (Rerun(RunNumber(2), (v("b@2"),)),)
    assert plan.loads == (v("c@3"),)
    assert (plan.shipped, plan.seconds, plan.lost) == (("f",), 5.5, ())


def test_what_costs_the_same_is_loaded():
    """A tie goes to loading, also where the cell runs for another version and loading is free."""
    assert solve(problem_of({"a@1": 1.0}, {1: (1, "", "")}, "a@1")).loads == (v("a@1"),)
    both = solve(problem_of({"a@1": 0.0, "b@1": INF}, {1: (1, "", "")}, "a@1 b@1"))
    assert both.steps == (Rerun(RunNumber(1), (v("b@1"),)), Load(v("a@1")))


def test_policies_differ():
    """The baselines load whatever has bytes, or re-run whatever can be, and cost no less than the best plan."""
    problem = problem_of(
        {"a@1": 1.0, "b@2": 9.0, "c@3": INF, "d@4": 2.0},
        {1: (5, "", ""), 2: (1, "a@1", ""), 3: (1, "", ""), 4: (INF, "", "")},
        "a@1 b@2 c@3 d@4",
    )
    plans = {policy: solve(problem, policy) for policy in ("optimal", "store-all", "rerun-all")}
    assert {policy: plan.loads for policy, plan in plans.items()} == {
        "optimal": (v("a@1"), v("d@4")),
        "store-all": (v("a@1"), v("b@2"), v("d@4")),
        "rerun-all": (v("d@4"),),
    }
    assert [plan.seconds for plan in plans.values()] == [5.0, 13.0, 9.0]


def test_baselines_obey_ties():
    """Also a baseline stores or re-runs a group as one."""
    problem = problem_of(
        {"a@1": 1.0, "b@2": INF, "c@3": 1.0, "d@3": 1.0},
        {1: (1, "", ""), 2: (1, "", ""), 3: (INF, "", ""), 4: (1, "", "")},
        "a@1 b@2 c@3 d@3",
        groups=["a@1 b@2", "c@3 d@3"],
    )
    assert solve(problem, "store-all").loads == (v("c@3"), v("d@3"))
    assert solve(problem, "rerun-all").loads == (v("c@3"), v("d@3"))


A_IS_LOST = [
    ("its cell must not run", {"a@1": INF}, {1: (INF, "", "")}, {}, MustNotRun(RunNumber(1))),
    ("an input's cell must not run", {"x@1": INF, "a@2": INF}, {1: (INF, "", ""), 2: (1, "x@1", "")}, {}, MustNotRun(1)),
    ("nothing makes it", {"a@1": INF}, {}, {}, NoSource(v("a@1"))),
    ("an input is barred", {"x@1": INF, "a@2": INF}, {1: (1, "", ""), 2: (1, "x@1", "")}, {"barred": "x@1"},
     NotAllowed(v("x@1"))),
    ("a file is missing", {"a@1": INF}, {1: (1, "", "f")}, {"ship": {"f": INF}}, FileMissing("f")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "loads", "cells", "more", "cause"), A_IS_LOST, ids=[row[0] for row in A_IS_LOST])
def test_a_loss_has_its_cause(name, loads, cells, more, cause):
    """What cannot be had is lost, the rest is not, and the cause is what stands in the way."""
    lost = next(text for text in loads if text.startswith("a"))
    problem = problem_of(loads | {"z@9": 1.0}, cells, f"{lost} z@9", **more)
    for policy in ("optimal", "store-all", "rerun-all"):
        plan = solve(problem, policy)
        assert [(loss.version, loss.cause) for loss in plan.lost] == [(v(lost), cause)]
        assert plan.loads == (v("z@9"),)


def test_a_tie_that_cannot_be_kept_loses_the_fewer():
    """Of a group that can be neither loaded nor re-run as a whole, the smaller side is lost, tied to the other."""
    cells = {1: (1, "", ""), 2: (INF, "", "")}
    few = solve(problem_of({"a@1": INF, "b@2": 1.0, "c@2": 1.0}, cells, "a@1 b@2 c@2", groups=["a@1 b@2 c@2"]))
    assert [(loss.version, loss.cause) for loss in few.lost] == [(v("a@1"), Tied(v("b@2"), MustNotRun(RunNumber(2))))]
    many = solve(problem_of({"a@1": INF, "d@1": INF, "b@2": 1.0}, cells, "a@1 d@1 b@2", groups=["a@1 d@1 b@2"]))
    assert [(loss.version, loss.cause) for loss in many.lost] == [(v("b@2"), Tied(v("a@1"), MustNotRun(RunNumber(2))))]
    assert many.reruns == (Rerun(RunNumber(1), (v("a@1"), v("d@1"))),)


def test_a_class_that_must_be_made_anew_loses_the_fewer():
    """What holds a class that a needed cell makes anew, and cannot be re-run, is lost, or else what needs the cell."""
    cells = {1: (1, "", ""), 2: (INF, "", "")}
    one = solve(problem_of({"a@1": INF, "d@1": INF, "b@2": 1.0}, cells, "a@1 d@1 b@2", displaces=[(1, "b@2")]))
    cause = Displaced(RunNumber(1), v("b@2"), MustNotRun(RunNumber(2)))
    assert [(loss.version, loss.cause) for loss in one.lost] == [(v("b@2"), cause)]
    other = solve(problem_of({"a@1": INF, "b@2": 1.0}, cells, "a@1 b@2", displaces=[(1, "b@2")]))
    assert [(loss.version, loss.cause) for loss in other.lost] == [(v("a@1"), cause)]


def test_a_loss_frees_those_tied_to_it():
    """What is tied only to a lost variable is not bound by it."""
    problem = problem_of(
        {"a@1": INF, "b@2": 1.0, "c@3": 1.0, "d@3": 1.0},
        {1: (1, "", ""), 2: (INF, "", ""), 3: (0.1, "", "")},
        "a@1 b@2 c@3 d@3",
        groups=["a@1 b@2", "a@1 c@3", "b@2 d@3"],
    )
    plan = solve(problem)
    assert [loss.version for loss in plan.lost] == [v("a@1")]
    assert plan.loads == (v("b@2"), v("d@3"))
    assert plan.reruns == (Rerun(RunNumber(3), (v("c@3"),)),)


def test_causes_lead_to_something_real():
    """Whatever is lost in random problems, its cause ends in a cell, version or file that indeed cannot be had."""
    for seed in range(200):
        problem = _random_problem(random.Random(seed))
        for loss in solve(problem).lost:
            cause = loss.cause
            while isinstance(cause, (Tied, Displaced)):
                cause = cause.cause
            match cause:
                case MustNotRun(n):
                    assert problem.cells[n].seconds == INF
                case NoSource(version):
                    assert problem.versions[version].producer is None
                case NotAllowed(version):
                    assert not problem.versions[version].rerun_allowed
                case FileMissing(path):
                    assert problem.ship[path] == INF


def _random_problem(draw: random.Random, cells: int = 12) -> Problem:
    loads: dict[str, float] = {}
    rows: dict[int, tuple] = {}
    for n in range(1, cells + 1):
        reads = " ".join(draw.sample(sorted(loads), min(len(loads), draw.randint(0, 3))))
        rows[n] = (draw.choice([1.0, 2.0, 5.0, INF]), reads, draw.choice(["", "", "f", "g"]))
        for name in draw.sample("abcde", draw.randint(1, 2)):
            loads[f"{name}@{n}"] = draw.choice([0.5, 3.0, INF, INF])
    texts = sorted(loads)
    return problem_of(
        loads,
        rows,
        " ".join(draw.sample(texts, len(texts) // 2)),
        barred=" ".join(draw.sample(texts, 2)),
        groups=[" ".join(draw.sample(texts, 3)) for _ in range(3)],
        follows=[draw.sample(texts, 2) for _ in range(2)],
        displaces=[(draw.randint(1, cells), draw.choice(texts)) for _ in range(3)],
        ship={"f": 1.0, "g": INF},
    )


def test_the_same_problem_has_the_same_plan():
    """A plan does not depend on the order in which the problem holds its parts."""
    for seed in range(100):
        problem = _random_problem(random.Random(seed))
        draw = random.Random(-seed)
        versions, cells = list(problem.versions.items()), list(problem.cells.items())
        draw.shuffle(versions)
        draw.shuffle(cells)
        shuffled = Problem(
            dict(versions),
            dict(cells),
            problem.ship,
            problem.targets,
            problem.groups[::-1],
            problem.follows[::-1],
            problem.displaces[::-1],
        )
        plan, other = solve(problem), solve(shuffled)
        assert (plan.steps, plan.shipped) == (other.steps, other.shipped)
        assert [loss.version for loss in plan.lost] == [loss.version for loss in other.lost]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"targets": "q@1"}, "q"),
        ({"follows": [("a@1", "q@1")]}, "q"),
        ({"displaces": [(7, "a@1")]}, "7"),
        ({"groups": ["a@1 q@1"]}, "q"),
    ],
)
def test_a_problem_must_hold_what_it_refers_to(more, what):
    """A version or cell that is named but not there is refused by name."""
    with pytest.raises(ValueError, match=f"refers to .*{what}.*not part of it"):
        solve(problem_of({"a@1": 1.0}, {1: (1, "", "")}, more.pop("targets", "a@1"), **more))


def test_an_empty_problem_has_an_empty_plan():
    """Nothing wanted takes no steps."""
    plan = solve(Problem({}, {}))
    assert (plan.steps, plan.lost, plan.seconds) == ((), (), 0.0)


def test_the_search_knows_the_answer_to_a_known_problem():
    """Exhaustive search finds the fewest losses and the least seconds that can be told by hand."""
    problem = problem_of(
        {"a@1": INF, "b@2": 1.0, "c@3": 4.0},
        {1: (INF, "", ""), 2: (5, "", ""), 3: (2, "b@2", "")},
        "a@1 b@2 c@3",
    )
    assert exhaustive(problem) == (1, {frozenset({v("a@1")}): 3.0})


def test_problems_and_plans_are_cheap_to_import():
    """What reports need of planning loads neither scipy nor numpy."""
    code = (
        "import sys, elastictm.planning.problem, elastictm.planning.plan; print({'scipy', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
