"""The planner against exhaustive search, and its plans against sessions that they must rebuild."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from elastictm.planning.alternatives import planned
from elastictm.planning.mincut import relative_error
from elastictm.planning.oracle import exhaustive
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem
from elastictm.testing.fakehost import Rebuilt
from elastictm.testing.strategies import TANGLED, Session, problems, sessions

THOROUGH = settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
POLICIES = ("optimal", "store-all", "rerun-all")


def is_near(seconds: float, least: float, problem: Problem) -> bool:
    """Whether a plan's cost is the least one, but for what scaling to whole numbers may add."""
    terms = len(problem.versions) + len(problem.cells) + len(problem.ship)
    return least * (1 - 1e-12) <= seconds <= least * (1 + 1e-12) * (1 + relative_error(terms))


def lost(plan: ReplicationPlan) -> frozenset:
    return frozenset(loss.version for loss in plan.lost)


def check_against_search(problem: Problem) -> None:
    plan, best = solve(problem), exhaustive(problem)
    assert len(plan.lost) == best.losses
    least = best.seconds[lost(plan)]
    assert is_near(plan.seconds, least, problem)
    for policy in POLICIES[1:]:
        other = solve(problem, policy)
        assert other.lost == plan.lost
        assert other.seconds >= least * (1 - 1e-12)


def check_rebuilds(session: Session) -> None:
    drawn = [(session.problem, policy) for policy in POLICIES]
    drawn += [(session.drawn(apart=True), policy) for policy in POLICIES[:2]]
    for problem, policy in drawn:
        check_rebuilt(session, solve(problem, policy))


def check_rebuilt(session: Session, plan: ReplicationPlan) -> None:
    rebuilt = Rebuilt(session.host, plan)
    kept = session.targets - lost(plan)
    names = [version.name for version in kept]
    assert not rebuilt.missing(kept)
    assert rebuilt.shares_as_before(names)
    assert all(rebuilt.exact(name) for name in names if rebuilt.must_be_exact(name))


@pytest.mark.slow
@THOROUGH
@given(sessions())
def test_sessions_are_planned_as_well_as_can_be(session: Session):
    """A plan loses as few variables and costs as little as the best of all, baselines are no cheaper, all rebuild."""
    check_against_search(session.problem)
    check_rebuilds(session)


@pytest.mark.slow
@THOROUGH
@given(sessions(TANGLED, max_cells=8))
def test_sessions_that_share_much_are_rebuilt(session: Session):
    """Each policy's plan, executed, brings back every variable not lost: its value, its sharing, its classes."""
    check_rebuilds(session)


@settings(THOROUGH, max_examples=100)
@given(sessions(TANGLED, max_cells=6))
def test_the_better_way_is_taken(session: Session):
    """A plan is no worse than one that re-runs or loads all that shares data, and rebuilds as well."""
    whole = solve(session.problem)
    _, taken = planned(session.drawn)
    assert (len(taken.lost), taken.seconds) <= (len(whole.lost), whole.seconds)
    check_rebuilt(session, taken)


@settings(THOROUGH, max_examples=500)
@given(problems())
def test_any_problem_is_planned_as_well_as_can_be(problem: Problem):
    """A plan of a problem of any form loses as few targets and costs as little as the best of all."""
    check_against_search(problem)
