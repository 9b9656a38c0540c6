"""The rules of a problem as arcs between numbered truths: what must be true when something else is.

Nodes stand in this order: *rerun(v)* of each version, *run(c)* of each cell, *shipped(f)* of each file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from elastictm.planning.arcs import Floats, Ints, Pairs, Truths, reach
from elastictm.planning.mincut import least_true
from elastictm.planning.numbering import Numbered


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold whatever is lost: arcs, and the price of each node, infinite where it must not be."""

    tails: Ints
    heads: Ints
    take: Floats

    @property
    def count(self) -> int:
        """The number of nodes."""
        return len(self.take)


def firm_rules(numbers: Numbered) -> Rules:
    """What re-running a version needs at least: cells, files, inputs without bytes, and versions that follow."""
    versions, cells = len(numbers.versions), len(numbers.cells)
    made = np.flatnonzero(numbers.producer >= 0)
    reader, read = numbers.reads
    only_rerun = np.isinf(numbers.load[read])
    cell, displaced = numbers.displaces
    firm = numbers.read[displaced]
    tails = (
        made,
        versions + reader[only_rerun],
        versions + numbers.needs_file[0],
        numbers.follows[0],
        versions + cell[firm],
    )
    heads = (
        versions + numbers.producer[made],
        read[only_rerun],
        versions + cells + numbers.needs_file[1],
        numbers.follows[1],
        displaced[firm],
    )
    rerun = np.where(numbers.allowed & (numbers.producer >= 0), 0.0, np.inf)
    return Rules(np.concatenate(tails), np.concatenate(heads), np.concatenate([rerun, numbers.seconds, numbers.ship]))


def least_plan(numbers: Numbered, rules: Rules, kept: Truths) -> Truths:
    """The truths of the plan that costs least."""
    graph = Weighing.of(numbers, rules, kept)
    return least_true(graph.skip, graph.take, graph.tails, graph.heads, graph.costs)[: rules.count]


def fewest_reruns(numbers: Numbered, rules: Rules, kept: Truths) -> Truths:
    """The truths of the plan that loads whatever has bytes."""
    graph = Weighing.of(numbers, rules, kept)
    rule = np.isinf(graph.costs)
    return reach(len(graph.skip), graph.tails[rule], graph.heads[rule], np.isinf(graph.skip))[: rules.count]


def most_reruns(numbers: Numbered, rules: Rules, kept: Truths) -> Truths:
    """The truths of the plan that loads only what cannot be re-run."""
    graph = Weighing.of(numbers, rules, kept)
    count, rule = len(graph.skip), np.isinf(graph.costs)
    cannot = reach(count, graph.heads[rule], graph.tails[rule], np.isinf(graph.take))
    open_ = ~cannot[graph.heads]
    wanted = graph.wanted & ~cannot
    return reach(count, graph.tails[open_], graph.heads[open_], wanted)[: rules.count]


def alike(numbers: Numbered, kept: Truths) -> Pairs:
    """Arcs in a ring through the members of each group that are kept, so that they are re-run all or none."""
    member, group = (side[kept[numbers.member_of[0]]] for side in numbers.member_of)
    order = np.argsort(group, kind="stable")
    member, group = member[order], group[order]
    if not len(group):
        return member, member
    first = np.flatnonzero(np.diff(group, prepend=-1))
    last: Ints = np.append(first[1:], len(group)) - 1
    following: Ints = np.append(member[1:], -1)
    following[last] = member[first]
    return member, following


@dataclass(frozen=True, slots=True)
class Weighing:
    """Rules and prices of a whole problem whose lost targets are settled.

    ``wanted`` are the re-runs of targets that are kept.
    Behind the nodes of the rules stands *need(v)* of each version.
    """

    skip: Floats
    take: Floats
    tails: Ints
    heads: Ints
    costs: Floats
    wanted: Truths

    @classmethod
    def of(cls, numbers: Numbered, rules: Rules, kept: Truths) -> Weighing:
        """Weigh loading against re-running: for a kept target at its node, for any other version behind *need*."""
        versions = len(numbers.versions)
        count = rules.count + versions
        skip: Floats = np.zeros(count)
        wanted: Truths = np.zeros(count, dtype=np.bool_)
        skip[:versions][kept] = numbers.load[kept]
        wanted[:versions] = kept
        reader, read = numbers.reads
        open_ = np.isfinite(numbers.load[read]) & ~kept[read]
        choice = np.unique(read[open_])
        ring_tails, ring_heads = alike(numbers, kept)
        cell, displaced = numbers.displaces
        loose = kept[displaced] & ~numbers.read[displaced]
        tails = (rules.tails, ring_tails, versions + cell[loose], versions + reader[open_], rules.count + choice)
        heads = (rules.heads, ring_heads, displaced[loose], rules.count + read[open_], choice)
        joined = np.concatenate(tails)
        costs = np.full(len(joined), np.inf)
        costs[len(joined) - len(choice) :] = numbers.load[choice]
        take: Floats = np.append(rules.take, np.zeros(versions))
        return cls(skip, take, joined, np.concatenate(heads), costs, wanted)
