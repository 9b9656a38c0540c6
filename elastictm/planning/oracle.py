"""The best plan by exhaustive search, straight from the definition in ``problem``, for small problems only.

It shares no code with the planner, so that each checks the other: it walks all sets of cells to run and all sets of
their versions to take, keeps those that obey every rule, and compares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, combinations
from typing import NamedTuple

from elastictm.ids import RunNumber, Version
from elastictm.planning.problem import Problem


class Answer(NamedTuple):
    """The least number of lost targets, and the sets of lost targets of that size with the least cost of each."""

    losses: int
    seconds: dict[frozenset[Version], float]


def exhaustive(problem: Problem) -> Answer:
    """The best that any plan can do; the time doubles with each cell and each version."""
    worlds = list(_worlds(problem))
    for size in range(len(problem.targets) + 1):
        found = {}
        for lost in map(frozenset, combinations(sorted(problem.targets), size)):
            costs = [_cost(problem, run, rerun, lost) for run, rerun in worlds if _fits(problem, run, rerun, lost)]
            if costs:
                found[lost] = min(costs)
        if found:
            return Answer(size, found)
    raise AssertionError(problem)


def _subsets(items: list[Version]) -> Iterator[tuple[Version, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def _worlds(problem: Problem) -> Iterator[tuple[frozenset[RunNumber], frozenset[Version]]]:
    """All sets of cells to run and versions to re-run that obey the rules which hold whatever is lost."""
    may_run = [n for n, cell in problem.cells.items() if math.isfinite(cell.seconds)]
    read_somewhere = {u for cell in problem.cells.values() for u in cell.reads}
    for size in range(len(may_run) + 1):
        for run in map(frozenset, combinations(may_run, size)):
            reads = {u for n in run for u in problem.cells[n].reads}
            files = {f for n in run for f in problem.cells[n].files}
            if any(math.isinf(problem.ship[f]) for f in files):
                continue
            made = [v for v, term in problem.versions.items() if term.rerun_allowed and term.producer in run]
            for rerun in map(frozenset, _subsets(made)):
                if (
                    all(u in rerun or math.isfinite(problem.versions[u].load) for u in reads)
                    and all(v in rerun for u, v in problem.follows if u in rerun)
                    and all(v in rerun for n, v in problem.displaces if n in run and v in read_somewhere)
                ):
                    yield run, rerun


def _fits(problem: Problem, run: frozenset[RunNumber], rerun: frozenset[Version], lost: frozenset[Version]) -> bool:
    """Whether all targets but the lost ones can be had so."""
    kept = problem.targets - lost
    return (
        all(v in rerun or math.isfinite(problem.versions[v].load) for v in kept)
        and all(len({v in rerun for v in group & kept}) < 2 for group in problem.groups)  # noqa: PLR2004 - alike
        and all(v in rerun for n, v in problem.displaces if n in run and v in kept)
    )


def _cost(problem: Problem, run: frozenset[RunNumber], rerun: frozenset[Version], lost: frozenset[Version]) -> float:
    """The seconds of loading, running and shipping."""
    needed = (problem.targets - lost).union(*(problem.cells[n].reads for n in run))
    files = {f for n in run for f in problem.cells[n].files}
    loads = (problem.versions[v].load for v in needed - rerun)
    return math.fsum(chain(loads, (problem.cells[n].seconds for n in run), (problem.ship[f] for f in files)))
