"""All that lies below chosen nodes of a graph, for many at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from elastictm.planning.arcs import Ints, Truths, merged, reach


def below(count: int, tails: Ints, heads: Ints, starts: Ints, counted: Truths) -> dict[int, Ints]:
    """For each of ``starts``, the counted nodes that can be reached from it, in ascending order.

    Sets are whole numbers with one bit for each counted node, joined along the graph of strongly connected components
    from its ends upwards: one union for each arc, in words of the machine.
    """
    seeds: Truths = np.zeros(count, dtype=np.bool_)
    seeds[starts] = True
    alive = reach(count, tails, heads, seeds)
    inner = alive[tails]
    graph = csr_matrix((np.ones(int(inner.sum())), (tails[inner], heads[inner])), shape=(count, count))
    parts, part = connected_components(graph, directed=True, connection="strong")
    places = np.flatnonzero(alive & counted)
    own = [0] * parts
    for bit, component in enumerate(part[places].tolist()):
        own[component] |= 1 << bit
    wanted = dict.fromkeys(part[starts].tolist())
    froms, tos, _ = merged(parts, part[tails[inner]], part[heads[inner]], np.ones(int(inner.sum())))
    found = dict(_unions(own, froms, tos, wanted))
    sets = {component: places[_bits(union, len(places))] for component, union in found.items()}
    return {start: sets[component] for start, component in zip(starts.tolist(), part[starts].tolist(), strict=True)}


def _unions(own: list[int], froms: Ints, tos: Ints, wanted: dict[int, None]) -> Iterator[tuple[int, int]]:
    """The union of each wanted component with all below it; the others' are dropped when nothing waits for them."""
    count = len(own)
    open_below = np.bincount(froms, minlength=count).tolist()
    open_above = np.bincount(tos, minlength=count).tolist()
    above: list[list[int]] = [[] for _ in range(count)]
    under: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in zip(froms.tolist(), tos.tolist(), strict=True):
        above[lower].append(upper)
        under[upper].append(lower)
    ready = [component for component in range(count) if not open_below[component]]
    while ready:
        component = ready.pop()
        union = own[component]
        for lower in under[component]:
            union |= own[lower]
            open_above[lower] -= 1
            if not open_above[lower]:
                own[lower] = 0
        own[component] = union
        if component in wanted:
            yield component, union
        for upper in above[component]:
            open_below[upper] -= 1
            if not open_below[upper]:
                ready.append(upper)


def _bits(number: int, count: int) -> Ints:
    """The places of the bits that are set."""
    octets = np.frombuffer(number.to_bytes(count // 8 + 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(octets, bitorder="little"))
