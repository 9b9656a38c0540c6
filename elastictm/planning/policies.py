"""From a problem to a plan, by one of three policies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from elastictm.ids import RunNumber, Version
from elastictm.model.reports import Policy
from elastictm.planning.arcs import Truths
from elastictm.planning.losses import losses
from elastictm.planning.numbering import Numbered, numbered
from elastictm.planning.plan import Keep, Load, Loss, ReplicationPlan, Rerun, Step
from elastictm.planning.problem import Problem
from elastictm.planning.rules import Rules, fewest_reruns, firm_rules, least_plan, most_reruns

_TRUTHS: Mapping[Policy, Callable[[Numbered, Rules, Truths], Truths]] = MappingProxyType(
    {"optimal": least_plan, "store-all": fewest_reruns, "rerun-all": most_reruns}
)


def solve(problem: Problem, policy: Policy = "optimal") -> ReplicationPlan:
    """Plan how to have all targets; whatever the policy, the same targets are lost, and as few as possible.

    Args:
        problem: What there is, what is wanted, and what it costs.
        policy: ``optimal`` costs least, and loads where that costs the same; ``store-all`` loads whatever has bytes;
            ``rerun-all`` loads only what cannot be re-run.

    Raises:
        ValueError: Where the problem refers to parts that it does not hold.
    """
    numbers = numbered(problem)
    rules = firm_rules(numbers)
    lost = losses(numbers, rules)
    kept = numbers.target.copy()
    kept[[numbers.index[loss.version] for loss in lost]] = False
    return _plan(numbers, kept, _TRUTHS[policy](numbers, rules, kept), lost)


def _plan(numbers: Numbered, kept: Truths, true: Truths, lost: tuple[Loss, ...]) -> ReplicationPlan:
    """The steps that make the truths true, in the original order."""
    versions, cells = len(numbers.versions), len(numbers.cells)
    rerun, run, shipped = np.split(true, [versions, versions + cells])
    needed = kept.copy()
    needed[numbers.reads[1][run[numbers.reads[0]]]] = True
    writes: dict[RunNumber, list[Version]] = {numbers.cells[c]: [] for c in np.flatnonzero(run).tolist()}
    for v in np.flatnonzero(needed & rerun).tolist():
        writes[numbers.cells[numbers.producer[v]]].append(numbers.versions[v])
    steps: list[tuple[RunNumber, str, Step]] = [(n, "", Rerun(n, tuple(sorted(made)))) for n, made in writes.items()]
    terms = numbers.problem.versions
    in_place = np.flatnonzero(needed & ~rerun)
    placed = [numbers.versions[v] for v in in_place.tolist()]
    steps += [(v.n, v.name, Keep(v) if terms[v].kept else Load(v)) for v in placed]
    # No variable's name is empty, so the re-run of a cell comes before what is loaded at it.
    steps.sort(key=lambda step: step[:2])
    costs = (numbers.load[in_place], numbers.seconds[run], numbers.ship[shipped])
    return ReplicationPlan(
        steps=tuple(step for _, _, step in steps),
        lost=lost,
        seconds=math.fsum(np.concatenate(costs).tolist()),
        shipped=tuple(sorted(numbers.files[f] for f in np.flatnonzero(shipped).tolist())),
    )
