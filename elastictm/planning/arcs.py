"""Directed graphs as two arrays, tails and heads, and what can be reached in them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Truths: TypeAlias = npt.NDArray[np.bool_]
Pairs: TypeAlias = tuple[Ints, Ints]


def reach(count: int, tails: Ints, heads: Ints, seeds: Truths) -> Truths:
    """The nodes that can be reached from ``seeds``, themselves included."""
    starts = np.flatnonzero(seeds)
    reached: Truths = np.zeros(count, dtype=np.bool_)
    if not len(starts):
        return reached
    # One more node stands before all seeds, so that a single search does.
    froms = np.concatenate([tails, np.full(len(starts), count)])
    tos = np.concatenate([heads, starts])
    graph = csr_matrix((np.ones(len(froms)), (froms, tos)), shape=(count + 1, count + 1))
    found = breadth_first_order(graph, count, directed=True, return_predecessors=False)
    reached[found[1:]] = True
    return reached


def nearest(count: int, tails: Ints, heads: Ints, seeds: Truths) -> Ints:
    """For each node, the next one on a shortest way from it to a seed; itself for a seed, -1 where there is no way."""
    starts = np.flatnonzero(seeds)
    following: Ints = np.full(count, -1, dtype=np.int64)
    if not len(starts):
        return following
    froms = np.concatenate([heads, np.full(len(starts), count)])
    tos = np.concatenate([tails, starts])
    graph = csr_matrix((np.ones(len(froms)), (froms, tos)), shape=(count + 1, count + 1))
    found, before = breadth_first_order(graph, count, directed=True, return_predecessors=True)
    following[found[1:]] = before[found[1:]]
    following[starts] = starts
    return following


def ends(following: Ints) -> Ints:
    """Where each node ends that goes on to ``following`` until a node follows itself; -1 stays."""
    current = following
    while True:
        further = np.where(current >= 0, current[current], -1)
        if np.array_equal(further, current):
            return current
        current = further


def merged(count: int, tails: Ints, heads: Ints, costs: Floats) -> tuple[Ints, Ints, Floats]:
    """The same arcs without loops, each pair of nodes once with the sum of its costs, in ascending order."""
    apart = tails != heads
    # Indices that scipy gives are of 32 bits, where the product could overflow.
    keys, place = np.unique(tails[apart].astype(np.int64) * count + heads[apart], return_inverse=True)
    return keys // count, keys % count, np.bincount(place, costs[apart], minlength=len(keys))
