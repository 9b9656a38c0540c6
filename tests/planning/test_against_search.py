"""The planner against exhaustive search, and its plans against a session that they must rebuild."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from elastictm.planning.mincut import relative_error
from elastictm.planning.oracle import exhaustive
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem
from elastictm.testing.fakehost import Rebuilt
from elastictm.testing.strategies import Session, sessions

THOROUGH = settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def is_near(seconds: float, least: float, problem: Problem) -> bool:
    terms = len(problem.versions) + len(problem.cells) + len(problem.ship)
    return least * (1 - 1e-12) <= seconds <= least * (1 + relative_error(terms))


def lost(plan: ReplicationPlan) -> frozenset:
    return frozenset(loss.version for loss in plan.lost)


@THOROUGH
@given(sessions())
def test_no_plan_is_better_than_the_planner_s(session: Session):
    """A plan loses as few variables and costs as little as the best of all plans, and baselines are never cheaper."""
    problem = session.problem
    plan, best = solve(problem), exhaustive(problem)
    assert len(plan.lost) == best.losses
    assert is_near(plan.seconds, best.seconds[lost(plan)], problem)
    for policy in ("store-all", "rerun-all"):
        other = solve(problem, policy)
        assert other.lost == plan.lost
        assert other.seconds >= best.seconds[lost(plan)] * (1 - 1e-12)


@THOROUGH
@given(sessions())
def test_plans_rebuild_the_session(session: Session):
    """Each policy's plan, executed, brings back every variable not lost: its value, its sharing, its classes."""
    problem = session.problem
    for policy in ("optimal", "store-all", "rerun-all"):
        plan = solve(problem, policy)
        rebuilt = Rebuilt(session.host, plan)
        kept = session.targets - lost(plan)
        names = [version.name for version in kept]
        assert not rebuilt.missing(kept)
        assert rebuilt.shares_as_before(names)
        for name in names:
            assert rebuilt.exact(name) or not rebuilt.must_be_exact(name)
