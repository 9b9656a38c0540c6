"""The best of a few plans, where sharing leaves a choice that no cut can make."""

from __future__ import annotations

import math
from itertools import product
from typing import Protocol

from elastictm.model.reports import Policy
from elastictm.planning.offers import Offering
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem


class Drawn(Protocol):
    """Draws up a problem with the alias groups together or apart, with all dead versions or with few."""

    def __call__(self, *, apart: bool, offering: Offering) -> Problem:
        """The problem."""
        ...


def planned(draw: Drawn, policy: Policy = "optimal") -> tuple[Problem, ReplicationPlan]:
    """A problem and its plan.

    What shares data is re-run all or none, unless it is known that loading some of it does as well; and where a dead
    version may be loaded, others are bound to it even if it is not.  That must be decided before a cut can be found, so
    that the problem is drawn up each way, and the best plan is taken.

    Args:
        draw: Draws up the problem; apart, what is older than all that has no bytes is loaded, and the younger made
            again beside it; ``offering`` says which dead versions may be loaded.
        policy: What makes a plan the better one, besides fewer losses: ``optimal`` makes fewer versions differently,
            then costs less, ``store-all`` runs fewer cells; ``rerun-all`` loads nothing that it need not.
    """
    problem = draw(apart=False, offering="all")
    best = problem, solve(problem, policy)
    if policy == "rerun-all":
        return best
    offered, mixed = bool(problem.offers), _is_mixed(problem)
    offerings: tuple[Offering, ...] = ("all", "safe", "free") if offered else ("all",)
    ways = product(offerings, (True, False) if mixed else (False,))
    for offering, apart in ways:
        if (offering, apart) == ("all", False):
            continue
        other = draw(apart=apart, offering=offering)
        found = other, solve(other, policy)
        best = min(found, best, key=lambda each: _price(*each, policy=policy, unlike=offered))
    return best


def _is_mixed(problem: Problem) -> bool:
    """Whether a group has members with bytes and members without."""
    return any(len({math.isinf(problem.versions[v].load) for v in group}) > 1 for group in problem.groups)


def _price(problem: Problem, plan: ReplicationPlan, *, policy: Policy, unlike: bool) -> tuple[int, int, float]:
    """How bad a plan is; ``unlike`` counts what it makes differently."""
    if policy != "optimal":
        return len(plan.lost), 0, len(plan.reruns)
    made = (version for step in plan.reruns for version in step.writes) if unlike else ()
    return len(plan.lost), sum(problem.versions[version].differs for version in made), plan.seconds
