"""The minimum cut: exact, deterministic, and safe from overflow."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from elastictm.planning.arcs import ends, merged, nearest, reach
from elastictm.planning.mincut import least_true, relative_error

INF = math.inf


def solved(skip, take, arcs=()):
    tails, heads = (np.array([arc[i] for arc in arcs], dtype=np.int64) for i in (0, 1))
    costs = np.array([arc[2] for arc in arcs], dtype=float)
    return least_true(np.array(skip, dtype=float), np.array(take, dtype=float), tails, heads, costs).tolist()


def price(skip, take, arcs, true) -> Fraction | float:
    prices = [take[i] if t else skip[i] for i, t in enumerate(true)]
    prices += [cost for a, b, cost in arcs if true[a] and not true[b]]
    return INF if INF in prices else sum(map(Fraction, prices))


def random_network(draw: random.Random, prices):
    count = draw.randint(1, 7)
    skip = [draw.choice(prices) for _ in range(count)]
    take = [draw.choice(prices) for _ in range(count)]
    arcs = [
        (draw.randrange(count), draw.randrange(count), draw.choice([INF, INF, *prices]))
        for _ in range(draw.randint(0, 12))
    ]
    return skip, take, arcs


@pytest.mark.parametrize(
    "prices",
    [
        (0.0, 1.0, 2.0, 3.0, 5.0),
        (0.0, 1e-9, 1e6, 3.0, 1e6 + 1),
        (0.0, 1e-300, 1e300, 1.7e308, 1.0),
        (0.0, 0.1, 0.2, 0.3, 2**31 + 0.5),
        (0.0, 1.0, 2.0, INF),
    ],
    ids=["small", "nine and six zeros", "as far as floats go", "above 32 bits", "rules"],
)
def test_no_assignment_costs_less(prices):
    """The cut costs what the best of all assignments does, but for the stated error, and only rules can forbid it."""
    for seed in range(400):
        skip, take, arcs = random_network(random.Random(seed), prices)
        best = min(price(skip, take, arcs, true) for true in product([False, True], repeat=len(skip)))
        if best == INF and any(INF in part for part in (skip, take)):
            with pytest.raises(ValueError, match="contradict"):
                solved(skip, take, arcs)
            continue
        found = price(skip, take, arcs, solved(skip, take, arcs))
        assert found <= best * (1 + Fraction(relative_error(len(skip) * 2 + len(arcs))))


def test_the_fewest_nodes_are_true():
    """Of assignments that cost the same, the one with the fewest true nodes is found."""
    for seed in range(400):
        skip, take, arcs = random_network(random.Random(seed), (0.0, 1.0, 2.0))
        options = [(price(skip, take, arcs, true), sum(true)) for true in product([False, True], repeat=len(skip))]
        true = solved(skip, take, arcs)
        assert (price(skip, take, arcs, true), sum(true)) == min(options)


def test_the_order_of_arcs_does_not_matter():
    """The same network gives the same assignment however its arcs are ordered."""
    draw = random.Random(7)
    for seed in range(50):
        skip, take, arcs = random_network(random.Random(seed), (0.0, 1.0, 1.0, 2.0))
        expected = solved(skip, take, arcs)
        draw.shuffle(arcs)
        assert solved(skip, take, arcs) == expected


def test_parallel_rules_do_not_vanish():
    """Many equal infinite arcs, which as 32-bit sums would wrap around to nothing, still force."""
    for copies in (2, 4, 8, 2**16):
        assert solved([10, 0], [1, 5], [(0, 1, INF)] * copies) == [True, True]


def test_rules_in_both_directions_do_not_overflow():
    """Two nodes that force each other, under the greatest flow that there can be, are decided alike."""
    assert solved([3, 0], [0, 2], [(0, 1, INF), (1, 0, INF)]) == [True, True]
    assert solved([2, 0], [0, 3], [(0, 1, INF), (1, 0, INF)]) == [False, False]


def test_many_separate_parts_do_not_overflow_together():
    """Parts that each use the whole range of capacities are all decided right, though their sum is beyond 32 bits."""
    count = 64
    skip = [float(2 + i % 2) for i in range(count)]
    take = [2.5] * count
    assert solved(skip, take) == [i % 2 == 1 for i in range(count)]


def test_each_part_has_its_own_scale():
    """A choice about nanoseconds is right beside one about weeks."""
    assert solved([2e-9, 1e6], [1e-9, 2e6]) == [True, False]


def test_a_part_is_solved_again_at_a_finer_scale():
    """A choice about nanoseconds is right although the same part could cost weeks."""
    arcs = [(0, 1, 1e-9), (1, 2, 1e-9), (2, 3, 1e-9)]
    assert solved([1e6, 4e-9, 0, 0], [0, 1e-9, 3e-9, 1e6], arcs) == [True, True, False, False]
    assert solved([1e6, 0, 4e-9, 0], [0, 3e-9, 1e-9, 1e6], arcs) == [True, False, True, False]


def test_a_long_chain_is_short_work():
    """A chain of cells, the last of which is wanted, is taken or left as a whole."""
    count = 20_000
    tails, heads = np.arange(1, count), np.arange(count - 1)
    take, costs = np.full(count, 0.5), np.full(count - 1, INF)
    for wanted, expected in ((count * 0.5 + 0.25, True), (count * 0.5 - 0.25, False)):
        skip = np.zeros(count)
        skip[-1] = wanted
        assert np.all(least_true(skip, take, tails, heads, costs) == expected)


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
@pytest.mark.parametrize("place", ["skip", "take", "arc"])
def test_prices_must_be_prices(wrong, place):
    """A negative price, or one that is no number, is refused wherever it stands."""
    with pytest.raises(ValueError, match="expected 0 or more"):
        solved([wrong if place == "skip" else 1], [wrong if place == "take" else 1], [(0, 0, wrong)] * (place == "arc"))


def test_nothing_is_solved_at_once():
    """A network without nodes has an assignment."""
    assert solved([], []) == []


def test_reaching_follows_arcs():
    """What can be reached is the seeds and what follows from them, along duplicate arcs too."""
    tails, heads = np.array([0, 0, 0, 1, 3]), np.array([1, 1, 1, 2, 0])
    seeds = np.array([True, False, False, False])
    assert reach(4, tails, heads, seeds).tolist() == [True, True, True, False]


def test_the_nearest_seed_is_found():
    """Each node goes on towards a seed and ends there; without a way there is none."""
    tails, heads = np.array([0, 1, 3, 3]), np.array([1, 2, 0, 4])
    following = nearest(5, tails, heads, np.array([False, False, True, False, False]))
    assert following.tolist() == [1, 2, 2, 0, -1]
    assert ends(following).tolist() == [2, 2, 2, 2, -1]


def test_arcs_are_summed_beyond_32_bits():
    """Arcs between the same nodes become one with their summed price, whatever integers the nodes come in."""
    count = 2**17
    tails, heads = (
        np.array([count - 1, count - 1, 5], dtype=np.int32),
        np.array([count - 2, count - 2, 5], dtype=np.int32),
    )
    summed = merged(count, tails, heads, np.array([1.5, 2.0, 9.0]))
    assert [part.tolist() for part in summed] == [[count - 1], [count - 2], [3.5]]
