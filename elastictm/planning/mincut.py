"""The exact minimum cut: which nodes are true, so that the sum of what is cut costs least.

Each node is true or false: ``skip`` is its price for being false, ``take`` for being true, and an arc ``a -> b`` has a
price for ``a`` true and ``b`` false.  Infinite prices are rules.  That is a minimum s-t cut (true is the source's
side), found by a maximum flow (Ford and Fulkerson 1956; Dinic 1970, as scipy has it), one arc for each dependency.

Before the flow, what the rules decide is taken out, prices are moved to the neighbours, and nodes that must equal
another are joined to it, so that long chains of cells do not cost Dinic one phase for each link.

**Scaling.**  scipy's flow takes 32-bit capacities; sums of infinite ones, or the residual of an infinite one, would
overflow silently.  So for each connected part of the graph (parts share only source and sink, so each has its own
scale) let ``U`` be the price of the best assignment known, at first all false or all true, and ``m`` the number of its
finite prices.  A price ``p`` becomes ``round(p * s)``, where ``s`` is the greatest power of two with
``U * s <= 2**30 - 1 - m``, capped at ``2**30``, which also stands for infinity.  The cut of price ``U`` then costs less
than ``2**30``, so no flow reaches that much, no residual reaches ``2**31``, and a price above ``U`` forbids as it
should.  Duplicate arcs are summed before, in floating point.  A power of two keeps whole numbers, and all that compare
exactly in few bits, exact.

**Error.**  Rounding changes each price by at most half a unit ``1 / s``, so the assignment found costs at most
``m / s``, less than ``2 * m * U / (2**30 - 1 - m)`` seconds, more than the least.  While the result costs less than a
quarter of ``U``, the part is solved again with that result as ``U``; hence the excess is at most ``relative_error(m)``
times the cost: a millionth for 130 prices, a thousandth for 130,000 if all roundings conspire.

**Ties.**  Of all cuts that cost least (after rounding) the one with the fewest true nodes is returned; it is the same
whatever maximum flow was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, maximum_flow

from elastictm.planning.arcs import Floats, Ints, Truths, merged, reach

_INFINITE = 2**30
_FINER = 4
_SAFE_EXPONENT = 1000
_ROUNDS = 30


def relative_error(terms: int) -> float:
    """By how much of its own cost a cut with ``terms`` finite prices may exceed the least one."""
    return 2 * _FINER * terms / (_INFINITE - 1 - terms)


def least_true(skip: Floats, take: Floats, tails: Ints, heads: Ints, costs: Floats) -> Truths:
    """The nodes that are true in the assignment that costs least, as few as that allows.

    Raises:
        ValueError: Where a price is negative or not a number, or where the rules contradict each other.
    """
    for prices in (skip, take, costs):
        if not bool(np.all(prices >= 0)):
            raise ValueError(f"a price of {prices[~(prices >= 0)][0]} s: expected 0 or more, or infinity")
    count = len(skip)
    skip, take, costs = _tamed(skip, take, costs)
    rule = np.isinf(costs)
    true = reach(count, tails[rule], heads[rule], np.isinf(skip))
    false = reach(count, heads[rule], tails[rule], np.isinf(take))
    if bool(np.any(true & false)):
        raise ValueError("the rules contradict each other: a node must be both true and false")
    free = ~(true | false)
    from_true, into_false = true[tails] & free[heads], free[tails] & false[heads]
    skip = np.where(free, skip, 0.0) + np.bincount(heads[from_true], costs[from_true], minlength=count)
    take = np.where(free, take, 0.0) + np.bincount(tails[into_false], costs[into_false], minlength=count)
    inner = free[tails] & free[heads] & (costs > 0)
    tails, heads, costs = tails[inner], heads[inner], costs[inner]
    # What no price pulls stays false.
    pulled = np.flatnonzero(reach(count, tails, heads, skip > 0))
    if not len(pulled):
        return true
    place: Ints = np.full(count, -1, dtype=np.int64)
    place[pulled] = np.arange(len(pulled))
    inner = place[tails] >= 0
    network = _Network(skip[pulled], take[pulled], place[tails[inner]], place[heads[inner]], costs[inner])
    network, joined = _reduced(network)
    true[pulled] = _solved(network)[joined]
    return true


def _tamed(*prices: Floats) -> tuple[Floats, ...]:
    """The prices, made smaller where a sum of millions of them could overflow to infinity, which is a rule."""
    largest = max(float(np.max(p, where=np.isfinite(p), initial=0.0)) for p in prices)
    excess = math.frexp(largest)[1] - _SAFE_EXPONENT
    return tuple(np.ldexp(p, -excess) for p in prices) if excess > 0 else prices


@dataclass(frozen=True, slots=True)
class _Network:
    """Prices of nodes and arcs, as in ``least_true``; ``skip`` and ``take`` are finite."""

    skip: Floats
    take: Floats
    tails: Ints
    heads: Ints
    costs: Floats

    @property
    def count(self) -> int:
        return len(self.skip)

    def joined(self, into: Ints) -> tuple[_Network, Ints]:
        """The network with each node joined to the one it points to, and where each node then is."""
        while not np.array_equal(further := into[into], into):
            into = further
        roots, place = np.unique(into, return_inverse=True)
        count = len(roots)
        tails, heads, costs = merged(count, place[self.tails], place[self.heads], self.costs)
        skip = np.bincount(place, self.skip, minlength=count)
        return _Network(skip, np.bincount(place, self.take, minlength=count), tails, heads, costs), place


def _reduced(network: _Network) -> tuple[_Network, Ints]:
    """Join nodes that are equal in the assignment asked for; cycles of pointers cannot be, as a price pulls each."""
    network, place = network.joined(np.arange(network.count))
    for _ in range(_ROUNDS):
        before = network.count
        for rule in (_only_forced_by, _only_passes_on):
            network, step = network.joined(rule(network))
            place = step[place]
        # The last few are not worth another pass.
        if network.count > 0.98 * before:
            break
    return network, place


def _only_forced_by(network: _Network) -> Ints:
    """A node that nothing pulls but one rule is true exactly when that rule's tail is."""
    into = np.arange(network.count)
    single = (np.bincount(network.heads, minlength=network.count) == 1) & (network.skip == 0)
    arcs = np.isinf(network.costs) & single[network.heads]
    into[network.heads[arcs]] = network.tails[arcs]
    return into


def _only_passes_on(network: _Network) -> Ints:
    """A node without a price, pulled once, that forces just one other, is true when that one is."""
    into = np.arange(network.count)
    pulls = np.bincount(network.heads, minlength=network.count) + (network.skip > 0)
    single = (np.bincount(network.tails, minlength=network.count) == 1) & (network.take == 0) & (pulls == 1)
    arcs = np.isinf(network.costs) & single[network.tails]
    into[network.tails[arcs]] = network.heads[arcs]
    return into


def _solved(network: _Network) -> Truths:
    """The least assignment of a reduced network, part by part, finer and finer."""
    count = network.count
    graph = csr_matrix((np.ones(len(network.tails)), (network.tails, network.heads)), shape=(count, count))
    parts, part = connected_components(graph, directed=True, connection="weak")
    finite = np.isfinite(network.costs)
    terms = np.bincount(part, (network.skip > 0).astype(float) + (network.take > 0), minlength=parts)
    terms += np.bincount(part[network.tails[finite]], minlength=parts)
    all_false = np.bincount(part, network.skip, minlength=parts)
    bound = np.minimum(all_false, np.bincount(part, network.take, minlength=parts))
    best: Truths | None = None
    cost = bound
    while True:
        found = _cut(network, part, bound, terms)
        found_cost = _part_costs(network, part, parts, found)
        if best is not None:
            found = np.where((found_cost <= cost)[part], found, best)
            found_cost = np.minimum(found_cost, cost)
        best, cost = found, found_cost
        coarse = (cost > 0) & (cost * _FINER < bound)
        if not bool(coarse.any()):
            return best
        bound = np.where(coarse, cost, bound)


def _cut(network: _Network, part: Ints, bound: Floats, terms: Floats) -> Truths:
    """The source's side of the minimum cut at the scale that ``bound``, the price of a known assignment, allows."""
    count = network.count
    source, sink = count, count + 1
    nodes = np.arange(count)
    tails = np.concatenate([network.tails, np.full(count, source), nodes])
    heads = np.concatenate([network.heads, nodes, np.full(count, sink)])
    prices = np.concatenate([network.costs, network.skip, network.take])
    parts = np.concatenate([part[network.tails], part, part])
    some = prices > 0
    tails, heads, prices, parts = tails[some], heads[some], prices[some], parts[some]
    # A price above the bound forbids, so infinity is right where the product overflows, and where the bound is zero.
    with np.errstate(over="ignore"):
        scaled = np.ldexp(prices, _exponents(bound, terms)[parts])
    capacities = np.rint(np.minimum(scaled, _INFINITE)).astype(np.int32)
    some = capacities > 0
    graph = csr_matrix((capacities[some], (tails[some], heads[some])), shape=(count + 2, count + 2))
    residual = (graph - maximum_flow(graph, source, sink, method="dinic").flow).tocoo()
    left = residual.data > 0
    seeds: Truths = np.zeros(count + 2, dtype=np.bool_)
    seeds[source] = True
    return reach(count + 2, residual.row[left], residual.col[left], seeds)[:count]


def _exponents(bound: Floats, terms: Floats) -> Ints:
    """The powers of two to scale by; beyond all floats for a bound of zero."""
    least = 29 - np.frexp(bound)[1]
    fits = np.ldexp(bound, least + 1) <= _INFINITE - 1 - terms
    powers: Ints = np.where(bound > 0, np.where(fits, least + 1, least), 2200)
    return powers


def _part_costs(network: _Network, part: Ints, parts: int, true: Truths) -> Floats:
    """What each part costs under an assignment that keeps the rules, in seconds."""
    cut = true[network.tails] & ~true[network.heads]
    costs = np.bincount(part, np.where(true, network.take, network.skip), minlength=parts)
    return costs + np.bincount(part[network.tails[cut]], network.costs[cut], minlength=parts)
