"""Hypothesis strategies for going back: small sessions, what was kept of their states, and a state to go to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from hypothesis import strategies as st

from elastictm.ids import RunNumber, Version
from elastictm.model.reports import Policy
from elastictm.planning.alternatives import planned
from elastictm.planning.bonds import joined
from elastictm.planning.build import migration_problem
from elastictm.planning.offers import Offering
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.planning.problem import Problem
from elastictm.testing.fakecells import FakeCell, Make, Value
from elastictm.testing.fakehost import FakeHost, Rebuilt
from elastictm.testing.fakestore import FakeStore
from elastictm.testing.strategies import CELLS, NAMES

POLICIES: tuple[Policy, ...] = ("optimal", "store-all", "rerun-all")

_OFFERINGS: tuple[Offering, ...] = ("all", "safe")

_SECONDS = st.sampled_from([1.0, 0.0, 0.5, 2.0, 3.0, 7.0, 1e-9, 1e6])


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is kept, and the cells that must not run because they would work with some of it."""

    kept: set[Version]
    barred: dict[RunNumber, str]


@dataclass(frozen=True, slots=True)
class Journey:
    """A session that has run, the state to go to, and the seconds to load what is in its store.

    ``kept`` are the groups of that state that stay in place where no cell works with them.
    """

    store: FakeStore
    to: RunNumber
    seconds: Mapping[Version, float]
    places: Mapping[Version, int]
    kept: tuple[frozenset[Version], ...]
    allow_effects: bool

    def plans(self) -> list[tuple[Problem, ReplicationPlan, set[Version]]]:
        """Plans by all policies, in each way, with what is kept then; no cell works with any of that."""
        drawn = [partial(self._chosen, policy) for policy in POLICIES]
        ways = product(POLICIES[:2], _OFFERINGS, (False, True))
        drawn += [partial(self._forced, policy, offering, apart=apart) for policy, offering, apart in ways]
        return [self._settled(draw) for draw in drawn]

    def best(self, *, earlier: bool = True) -> tuple[Problem, ReplicationPlan, set[Version]]:
        """The best plan, with earlier versions or without."""
        return self._settled(partial(self._chosen, "optimal", earlier=earlier))

    def rebuilt(self, plan: ReplicationPlan, kept: set[Version]) -> Rebuilt:
        """What comes of a plan."""
        here: dict[Version, Value] = {v: self.store.host.namespace[v.name] for v in kept}
        return Rebuilt(self.store.host, plan, self.store.there(self.to, self.places, here))

    def _chosen(self, policy: Policy, terms: _Terms, *, earlier: bool = True) -> tuple[Problem, ReplicationPlan]:
        return planned(partial(self._drawn, terms, earlier=earlier), policy)

    def _forced(
        self, policy: Policy, offering: Offering, terms: _Terms, *, apart: bool
    ) -> tuple[Problem, ReplicationPlan]:
        problem = self._drawn(terms, apart=apart, offering=offering)
        return problem, solve(problem, policy)

    def _settled(
        self, plan_with: Callable[[_Terms], tuple[Problem, ReplicationPlan]]
    ) -> tuple[Problem, ReplicationPlan, set[Version]]:
        """Plan until no cell works with what is kept: it works with a copy, or not at all."""
        terms = _Terms({version for group in self.kept for version in group}, {})
        while True:
            problem, plan = plan_with(terms)
            used = [(v, step.n) for step in plan.reruns for v in problem.cells[step.n].reads if v in terms.kept]
            lost = {loss.version for loss in plan.lost}
            if not used and not (lost and terms.kept):
                return problem, plan, terms.kept
            # What can be had without anything that is in place, need not stay there.
            irreplaceable = {loss.version for loss in plan_with(_Terms(set(), dict(terms.barred)))[1].lost}
            loose = {v for group in self.kept if irreplaceable.isdisjoint(group) for v in group} & terms.kept
            if not used and (lost <= irreplaceable or not loose):
                return problem, plan, terms.kept
            if not used:
                terms.kept.difference_update(loose)
            for version, n in used:
                if version in loose:
                    terms.kept.difference_update(*(group for group in self.kept if version in group))
                elif version in terms.kept:
                    terms.barred[n] = "it works with what is kept"

    def _drawn(self, terms: _Terms, *, apart: bool, offering: Offering, earlier: bool = True) -> Problem:
        history = self.store.history(self.to)
        live = {record.version for record in history.live.values()}
        return migration_problem(
            history,
            loads={v: seconds for v, seconds in self.seconds.items() if earlier or v in live},
            units=self.places,
            kept=terms.kept,
            runnable=lambda run: terms.barred.get(run.n),
            allow_effects=self.allow_effects,
            apart=apart,
            offering=offering,
        )


@st.composite
def journeys(draw: st.DrawFn, cells: st.SearchStrategy[FakeCell] = CELLS, *, max_cells: int = 6) -> Journey:
    """Small sessions some of whose groups were kept at some of their states."""
    store = FakeStore(host := FakeHost())
    often = draw(st.sampled_from([1, 2, 5, 20]))
    first = FakeCell(tuple(Make(name) for name in NAMES[:3]), seconds=draw(_SECONDS))
    for cell in (first, *draw(st.lists(cells, min_size=1, max_size=max_cells - 1))):
        host.run(cell)
        store.keep([group for group in store.groups() if draw(st.integers(0, often))])
        if draw(st.integers(0, 19)) == 0:
            host.lapse([draw(st.sampled_from(NAMES))])
    to = RunNumber(draw(st.integers(1, len(host.history.runs))))
    history = store.history(to)
    places = store.places(history)
    here = {record.version for record in host.history.live.values()}
    groups = joined((*history.live_groups(), *history.partition()))
    return Journey(
        store=store,
        to=to,
        seconds={version: draw(_SECONDS) for version in sorted(places)},
        places=places,
        kept=tuple(group for group in groups if group <= here and draw(st.booleans())),
        allow_effects=draw(st.booleans()),
    )
