"""What of a store is worth its bytes: no state is lost, a budget is kept, and nothing costs more than it must."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastictm.ids import DefinitionKey, Name, RunNumber, Version
from elastictm.model.records import CellRun, Effect, Remark, VersionRecord
from elastictm.model.tree import State, StateTree
from elastictm.planning.clans import Holding, Shared
from elastictm.planning.retention import Retention
from elastictm.testing.fakestore import FakeStore
from elastictm.testing.journeys import Journey, journeys
from elastictm.testing.strategies import TANGLED

BRIEF = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
HUGE = 1e9


def v(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def tree_of(*rows: dict) -> StateTree:
    """A tree from rows: ``n``, ``parent`` if it is not the row before, ``reads``, ``writes`` and ``groups`` as words."""
    tree = StateTree()
    last = None
    for row in rows:
        given_row = dict(row)
        n = RunNumber(given_row.pop("n"))
        parent = given_row.pop("parent", last)
        classes = tuple(map(DefinitionKey, given_row.pop("classes", ())))
        names = given_row.pop("writes", "").split()
        run = CellRun(
            n=n,
            source="pass",
            started=0.0,
            seconds=given_row.pop("seconds", 1.0),
            reads=tuple(map(v, given_row.pop("reads", "").split())),
            writes=tuple(VersionRecord(Name(name), n, "int", 10, 0.1, definitions=classes) for name in names),
            groups=tuple(tuple(map(v, group.split())) for group in given_row.pop("groups", ())),
            created=tuple(map(DefinitionKey, given_row.pop("created", ()))),
            **given_row,
        )
        tree.append(State(run, parent))
        last = n
    return tree


def holding(text: str, size: int = 100, seconds: float = 0.1, at: int | None = None) -> Holding:
    versions = frozenset(map(v, text.split()))
    return Holding(RunNumber(max(u.n for u in versions) if at is None else at), versions, size, seconds)


def test_a_price_decides():
    """What takes long to make again is kept at a price at which what is quick to make goes."""
    tree = tree_of({"n": 1, "writes": "a", "seconds": 100.0}, {"n": 2, "writes": "b", "reads": "a@1", "seconds": 1.0})
    retention = Retention(tree, [holding("a@1"), holding("b@2")])
    assert retention.at(0.0).kept == {0, 1}
    assert retention.at(0.001).kept == {0, 1}
    assert retention.at(0.1).kept == {0}
    assert retention.at(HUGE).kept == set()


@pytest.mark.parametrize(
    "row",
    [
        {"n": 1, "effects": (Effect("network", "host"),)},
        {"n": 1, "unrepeatable": ("time()",)},
        {"n": 1, "status": "interrupted"},
        {"n": 0},
    ],
)
def test_what_cannot_be_made_again_stays(row):
    """What no cell can make again is kept at any price, and what is made from it alone need not be."""
    n = row["n"]
    tree = tree_of(row | {"writes": "a"}, {"n": 2, "writes": "b", "reads": f"a@{n}"}, {"n": 3, "writes": "a"})
    retention = Retention(tree, [holding(f"a@{n}"), holding("b@2")])
    assert retention.at(HUGE).kept == {0}
    kept = retention.within(50)
    assert (kept.kept, kept.bytes, kept.over) == ({0}, 100, 50)


def test_what_shares_data_stays_with_what_must():
    """A clan is kept as a whole, and so is what is made from one that must be kept, and of which some is not there."""
    tree = tree_of(
        {"n": 1, "writes": "a", "unrepeatable": ("time()",)},
        {"n": 2, "writes": "b", "reads": "a@1", "groups": ["a@1 b@2"]},
        {"n": 3, "writes": "c", "reads": "b@2"},
        {"n": 4, "writes": "d"},
    )
    others = [holding("c@3"), holding("d@4")]
    assert Retention(tree, [holding("a@1"), holding("a@1 b@2"), *others]).at(HUGE).kept == {0, 1}
    assert Retention(tree, [holding("a@1"), holding("b@2"), *others]).at(HUGE).kept == {0, 1, 2}


def test_a_class_stays_with_what_holds_it():
    """A cell that defines a class does not run again for another variable where an instance must be kept."""
    tree = tree_of(
        {"n": 1, "writes": "k x", "created": (7,), "classes": (7,)},
        {"n": 2, "writes": "o", "reads": "k@1", "classes": (7,), "unrepeatable": ("time()",)},
    )
    assert Retention(tree, [holding("k@1"), holding("x@1"), holding("o@2")]).at(HUGE).kept == {0, 1, 2}


def test_what_came_late_into_the_store_is_not_counted_on():
    """An input that was not stored when it was made is not there in all states that need it."""
    tree = tree_of({"n": 1, "writes": "a", "unrepeatable": ("time()",)}, {"n": 2, "writes": "b", "reads": "a@1"})
    assert Retention(tree, [holding("a@1", at=2), holding("b@2")]).at(HUGE).kept == {0, 1}
    assert Retention(tree, [holding("a@1"), holding("b@2")]).at(HUGE).kept == {0}


def test_dear_states_cost_nothing():
    """What a tagged state is loaded from stays at a price at which the like of it goes."""
    tree = tree_of(*({"n": n, "writes": "a", "reads": f"a@{n - 1}" if n > 1 else ""} for n in range(1, 5)))
    holdings = [holding(f"a@{n}") for n in range(1, 5)]
    assert Retention(tree, holdings, dear=[RunNumber(2)]).at(HUGE).kept == {1}
    assert Retention(tree, holdings).at(HUGE).kept == set()


def test_branches_count():
    """What another branch needs is weighed as what this one needs, with the inputs that it had there."""
    tree = tree_of(
        {"n": 1, "writes": "a", "seconds": 50.0},
        {"n": 2, "writes": "a", "reads": "a@1", "seconds": 50.0},
        {"n": 3, "writes": "b", "reads": "a@1", "parent": RunNumber(1)},
    )
    retention = Retention(tree, [holding("a@1"), holding("a@2"), holding("b@3")])
    assert retention.at(0.1).kept == {0, 1}


def test_forgotten_states_need_nothing():
    """What is alive in no state that can be gone to goes at any price, unless it cannot be made again."""
    tree = tree_of({"n": 1, "writes": "a"}, {"n": 2, "writes": "a"}, {"n": 3, "writes": "b"})
    tree.forget([RunNumber(1)])
    assert Retention(tree, [holding("a@1"), holding("a@2", seconds=0.0)]).at(1e-12).kept == {1}


def test_a_learned_remark_counts():
    """A cell that once gave another value when it ran again is not relied on."""

    tree = tree_of({"n": 1, "writes": "a"})
    tree.remark([Remark(RunNumber(1), "gave another value")])
    assert Retention(tree, [holding("a@1")]).at(HUGE).kept == {0}


def tree_from(store: FakeStore) -> StateTree:
    tree = StateTree()
    lapses = {lapse.n: lapse.names for lapse in store.host.history.lapses}
    for run in store.host.history.runs:
        parent = RunNumber(run.n - 1) if run.n > 1 else None
        tree.append(State(run, parent, lapses.get(parent, ()) if parent else ()))
    return tree


def holdings_of(store: FakeStore, sizes: list[int]) -> list[Holding]:
    return [
        Holding(unit.at, frozenset(unit.values), sizes[i % len(sizes)], 0.5 * (i % 3))
        for i, unit in enumerate(store.units)
    ]


def outcome(journey: Journey, store: FakeStore, n: RunNumber) -> tuple[int, int]:
    """How many variables of a state are lost on the way there, and how many versions come out differently."""
    places = store.places(store.history(n))
    kept = journey.kept if n == journey.to else ()
    there = Journey(store, n, dict.fromkeys(places, 1.0), places, kept, allow_effects=False)
    problem, plan, _ = there.best()
    return len(plan.lost), sum(problem.versions[u].differs for step in plan.reruns for u in step.writes)


def check_nothing_is_lost(journey: Journey, price: float, sizes: list[int]) -> None:
    store = journey.store
    kept = Retention(tree_from(store), holdings_of(store, sizes)).at(price).kept
    less = FakeStore(store.host, [unit for i, unit in enumerate(store.units) if i in kept], store._states)
    for run in store.host.history.runs:
        before, after = outcome(journey, store, run.n), outcome(journey, less, run.n)
        assert after[0] <= before[0]
        assert before[1] or before[0] or not after[1]


PRICES = st.sampled_from([HUGE, 1.0, 0.1, 0.01, 1e-4])
SIZES = st.lists(st.sampled_from([1, 10, 100, 1000]), min_size=1, max_size=5)


@BRIEF
@given(journeys(max_cells=8), PRICES, SIZES)
def test_no_state_is_lost(journey: Journey, price: float, sizes: list[int]):
    """Every state that was restorable without loss is so after some was dropped, and as exactly."""
    check_nothing_is_lost(journey, price, sizes)


@BRIEF
@given(journeys(TANGLED, max_cells=8), PRICES, SIZES)
def test_no_state_that_shares_much_is_lost(journey: Journey, price: float, sizes: list[int]):
    """Nor is one where nearly all share data."""
    check_nothing_is_lost(journey, price, sizes)


@BRIEF
@given(journeys(max_cells=8), SIZES, st.integers(0, 3000), st.booleans())
def test_budgets_and_prices(journey: Journey, sizes: list[int], budget: int, tagged: bool):
    """Never over budget unless the rest cannot go, no price keeps all, and a higher one keeps no more bytes."""
    dear = [journey.to] if tagged else []
    retention = Retention(tree_from(journey.store), holdings_of(journey.store, sizes), dear=dear)
    everything = retention.at(0.0)
    assert everything.kept == frozenset(range(len(journey.store.units)))
    least = retention.at(HUGE)
    kept = retention.within(budget)
    assert kept.over == max(0, kept.bytes - budget)
    assert kept.bytes <= max(budget, least.bytes)
    assert least.kept <= kept.kept
    found = [retention.at(price).bytes for price in (0.0, 1e-4, 0.01, 0.1, 1.0, HUGE)]
    assert found == sorted(found, reverse=True)


@BRIEF
@given(st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=2), st.sampled_from([1.0, 2.0, 5.0, 0.25])), max_size=6),
       st.lists(st.booleans(), min_size=6, max_size=6), st.sampled_from([0.005, 0.02, 0.05, 1.0]), SIZES,
       st.lists(st.tuples(st.sampled_from([30, 200]), st.sets(st.integers(0, 5), min_size=2)), max_size=3))  # fmt: skip
def test_it_costs_as_little_as_can_be(cells, stored, price, sizes, common):
    """No other choice costs less, by exhaustive search."""
    rows = [
        {"n": n, "writes": f"v{n}", "reads": " ".join(f"v{u}@{u}" for u in {u for u in reads if 0 < u < n}),
         "seconds": seconds}
        for n, (reads, seconds) in enumerate(cells, start=1)
    ]  # fmt: skip
    tree = tree_of(*rows)
    places = [row["n"] for row, has in zip(rows, stored, strict=False) if has]
    holdings = [holding(f"v{n}@{n}", sizes[n % len(sizes)], 0.25) for n in places]

    sharing = [Shared(size, frozenset(i for i in holders if i < len(places))) for size, holders in common]

    def cost(dropped: frozenset[int]) -> float:
        running = {row["n"] for row in rows if row["n"] not in places} | {places[i] for i in dropped}
        loads = (price * h.bytes + h.seconds for i, h in enumerate(holdings) if i not in dropped)
        bytes_in_common = sum(each.bytes for each in sharing if not each.holders <= dropped)
        return price * bytes_in_common + sum(loads) + sum(row["seconds"] for row in rows if row["n"] in running)

    subsets = (frozenset(s) for k in range(len(places) + 1) for s in combinations(range(len(places)), k))
    kept = Retention(tree, holdings, sharing).at(price).kept
    assert cost(frozenset(range(len(places))) - kept) == pytest.approx(min(map(cost, subsets)))


def test_a_long_session_is_weighed_quickly():
    """Two thousand cells take well under a second."""
    rows = [
        {
            "n": n,
            "writes": f"v{n % 50}",
            "seconds": 0.01 * (n % 17),
            "reads": f"v{(n - 1) % 50}@{n - 1}" if n > 1 else "",
        }
        for n in range(1, 2001)
    ]
    tree, holdings = tree_of(*rows), [holding(f"v{n % 50}@{n}", 1000 + n) for n in range(1, 2001)]
    started = time.process_time()
    kept = Retention(tree, holdings).within(1_000_000)
    assert time.process_time() - started < 2
    assert 800_000 < kept.bytes <= 1_000_000
