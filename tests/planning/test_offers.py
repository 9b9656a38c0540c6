"""Going back with what a store kept of earlier states: which dead versions are loaded, and that all comes back."""

from __future__ import annotations

import math
from functools import partial

from hypothesis import HealthCheck, given, settings

from elastictm.ids import Name, RunNumber, Version
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.offers import offers
from elastictm.planning.oracle import exhaustive
from elastictm.planning.plan import Load, ReplicationPlan, Rerun
from elastictm.planning.policies import solve
from elastictm.testing.fakecells import Alias, Change, Define, FakeCell, Make, picture
from elastictm.testing.fakehost import FakeHost, Rebuilt
from elastictm.testing.fakestore import FakeStore
from elastictm.testing.journeys import Journey, journeys
from elastictm.testing.strategies import TANGLED

BRIEF = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def v(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def stored(*cells: FakeCell) -> FakeStore:
    """A store that keeps all groups of all states."""
    store = FakeStore(FakeHost())
    for cell in cells:
        store.host.run(cell)
        store.keep(store.groups())
    return store


def cell(*ops, **more) -> FakeCell:
    return FakeCell(ops, **more)


def draw_of(store: FakeStore, loads: dict[str, float], **more) -> partial:
    history = store.history(store.host.history.runs[-1].n)
    given_loads = {v(text): seconds for text, seconds in loads.items()}
    return partial(migration_problem, history, loads=given_loads, units=store.places(history), **more)


def plan_of(store: FakeStore, loads: dict[str, float], **more) -> ReplicationPlan:
    return planned(draw_of(store, loads, **more))[1]


def check_rebuilt(store: FakeStore, plan: ReplicationPlan) -> None:
    n = store.host.history.runs[-1].n
    history = store.history(n)
    rebuilt = Rebuilt(store.host, plan, store.there(n, store.places(history), {}))
    assert rebuilt.shares_as_before(history.live)
    assert all(rebuilt.exact(name) for name in history.live)


def test_an_earlier_version_saves_running_its_cell():
    """A variable that was made from its own earlier value is made from that again, which is loaded."""
    store = stored(cell(Make("a"), seconds=3600), cell(Make("a", ("a",)), seconds=1))
    plan = plan_of(store, {"a@1": 2.0})
    assert plan.steps == (Load(v("a@1")), Rerun(RunNumber(2), (v("a@2"),)))
    check_rebuilt(store, plan)


def test_a_change_in_place_is_made_again():
    """A value that was changed in place is loaded as it was, and changed again."""
    store = stored(cell(Make("a"), seconds=3600), cell(Change("a"), seconds=1))
    plan = plan_of(store, {"a@1": 2.0, "a@2": 9.0})
    assert plan.loads == (v("a@1"),)
    check_rebuilt(store, plan)


def test_what_no_unit_has_is_not_offered():
    """A dead version of which it is not known what it lay beside is of no use, a live one is."""
    store = stored(cell(Make("a")), cell(Make("a", ("a",))))
    assert plan_of(store, {"a@1": 0.1}, targets=frozenset({v("a@2")})).loads == (v("a@1"),)
    history = store.history(RunNumber(2))
    plan = solve(migration_problem(history, loads={v("a@1"): 0.1}))
    assert [step.n for step in plan.reruns] == [1, 2]


def test_dead_versions_that_shared_come_from_one_unit():
    """Where those that shared data are in different units, the latest unit counts, and the others are made again."""
    store = stored(cell(Make("a")), cell(Make("b", ("a",))), cell(Make("b")), cell(Make("c", ("a",))))
    history = store.history(RunNumber(4))
    units = {v("a@1"): 3, v("b@2"): 1, v("b@3"): 2, v("c@4"): 3}
    found = offers(history, units, units, offering="all")
    assert (set(found.versions), found.groups) == (set(), ())
    units = {v("b@2"): 1}
    assert set(offers(history, units, units, offering="all").versions) == {v("b@2")}
    assert set(offers(history, units, units, offering="free").versions) == set()


def test_an_older_one_made_anew_takes_the_younger_along():
    """Of two that shared data and lent it to others, the younger is not loaded beside the older made again."""
    store = stored(
        cell(Make("p"), seconds=0),
        cell(Make("d", ("p",)), seconds=100),
        cell(Make("x", ("d",)), Make("y", ("p",)), Make("p"), Make("d"), seconds=0),
    )
    loads = {"p@1": 50.0, "d@2": 1.0, "p@3": 0.0, "d@3": 0.0}
    problem = draw_of(store, loads)(apart=False, offering="all")
    assert (v("p@1"), v("d@2")) in problem.follows
    plan = plan_of(store, loads)
    assert set(plan.loads) >= {v("p@1"), v("d@2")}
    check_rebuilt(store, plan)


def test_a_younger_one_is_made_again_beside_the_older():
    """What was made from a loaded version shares its data again, also if it has no bytes."""
    store = stored(
        cell(Make("p"), seconds=100),
        cell(Make("g", ("p",), storable=False), seconds=1),
        cell(Make("x", ("p", "g"), storable=False), Make("p"), Make("g"), seconds=1),
    )
    plan = plan_of(store, {"p@1": 2.0})
    assert plan.loads == (v("p@1"),)
    assert [step.n for step in plan.reruns] == [2, 3]
    check_rebuilt(store, plan)


def test_an_offer_that_would_lose_something_is_declined():
    """What could not be made again beside it, does not keep others from being made without it."""
    store = stored(
        cell(Make("p"), Define("K")),
        cell(Make("d", ("p",)), status="interrupted"),
        cell(Make("z", ("d",)), Make("x", ("p",), storable=False), Make("p"), Make("d"), Alias("K", "p")),
    )
    plan = plan_of(store, {"d@2": 1.0})
    assert {loss.version for loss in plan.lost} == {loss.version for loss in plan_of(store, {}).lost}


def test_what_differs_is_loaded_where_it_can_be():
    """Fewer versions that come out differently weigh more than seconds."""
    store = stored(
        cell(Make("a"), unrepeatable=("time()",), seconds=1),
        cell(Make("b", ("a",), storable=False), Make("a"), seconds=1),
    )
    assert plan_of(store, {"a@1": 1e6}).loads == (v("a@1"),)
    assert plan_of(store, {}).reruns[0].writes == (v("a@1"),)


def check(journey: Journey) -> None:
    history, host = journey.store.history(journey.to), journey.store.host
    live = {record.version for record in history.live.values()}
    before = picture(host.namespace)
    for _, plan, kept in journey.plans():
        rebuilt = journey.rebuilt(plan, kept)
        wanted = live - {loss.version for loss in plan.lost}
        names = [version.name for version in wanted]
        assert not rebuilt.missing(wanted)
        assert rebuilt.shares_as_before(names)
        assert all(rebuilt.exact(name) for name in names if rebuilt.must_be_exact(name))
        # What stays in place is not touched.
        assert picture(host.namespace) == before


@BRIEF
@given(journeys(max_cells=8))
def test_any_state_is_rebuilt(journey: Journey):
    """From whatever was kept of whichever states, every variable not lost comes back: value, sharing, class."""
    check(journey)


@BRIEF
@given(journeys(TANGLED, max_cells=10))
def test_states_that_share_much_are_rebuilt(journey: Journey):
    """Also where nearly all share data, change it in place, and die."""
    check(journey)


@BRIEF
@given(journeys(TANGLED))
def test_earlier_versions_only_help(journey: Journey):
    """With earlier versions no more is lost than without, and less is made differently or it costs no more."""
    journey = Journey(
        journey.store, journey.to, journey.seconds, journey.places, (), allow_effects=journey.allow_effects
    )
    problem, plan, _ = journey.best()
    bare, without, _ = journey.best(earlier=False)
    assert len(plan.lost) <= len(without.lost)
    if len(plan.lost) == len(without.lost) and not _unlike(bare, without):
        assert plan.seconds <= without.seconds * (1 + 1e-6) or math.isclose(plan.seconds, without.seconds)
        assert not _unlike(problem, plan)


def _unlike(problem, plan) -> int:
    return sum(problem.versions[version].differs for step in plan.reruns for version in step.writes)


@settings(BRIEF, max_examples=40)
@given(journeys(max_cells=4))
def test_ways_to_a_state_cost_as_little_as_can_be(journey: Journey):
    """The plan of a problem with dead versions loses as little and costs as little as the best by exhaustive search."""
    problem, _, _ = journey.best()
    plan, best = solve(problem), exhaustive(problem)
    assert len(plan.lost) == best.losses
    assert math.isclose(plan.seconds, best.seconds[frozenset(loss.version for loss in plan.lost)], rel_tol=1e-6)
