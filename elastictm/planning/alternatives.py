"""The better of two plans where variables that have bytes share data with others that have none."""

from __future__ import annotations

import math
from typing import Protocol

from elastictm.model.reports import Policy
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem


class Drawn(Protocol):
    """Draws up a problem with the alias groups together or apart."""

    def __call__(self, *, apart: bool) -> Problem:
        """The problem."""
        ...


def planned(draw: Drawn, policy: Policy = "optimal") -> tuple[Problem, ReplicationPlan]:
    """A problem and its plan.

    What shares data is re-run all or none, unless it is known that loading some of it does as well.  That must be
    decided before a cut can be found, so that the problem is drawn up both ways, and the better plan is taken.

    Args:
        draw: Draws up the problem; apart, what is older than all that has no bytes is loaded, and the younger made
            again beside it.
        policy: What makes a plan the better one, besides fewer losses: ``optimal`` costs less, ``store-all`` runs fewer
            cells; ``rerun-all`` loads nothing that it need not.
    """
    problem = draw(apart=False)
    plan = solve(problem, policy)
    if policy == "rerun-all" or not _is_mixed(problem):
        return problem, plan
    apart = draw(apart=True)
    beside = solve(apart, policy)
    return (apart, beside) if _price(beside, policy) < _price(plan, policy) else (problem, plan)


def _is_mixed(problem: Problem) -> bool:
    """Whether a group has members with bytes and members without."""
    return any(len({math.isinf(problem.versions[v].load) for v in group}) > 1 for group in problem.groups)


def _price(plan: ReplicationPlan, policy: Policy) -> tuple[int, float]:
    return len(plan.lost), plan.seconds if policy == "optimal" else len(plan.reruns)
