"""The plan at every bandwidth, against planning at each of many."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, VersionRecord
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.mincut import relative_error
from elastictm.planning.plan import Loss, ReplicationPlan
from elastictm.planning.sweep import Line, jumps, sweep
from elastictm.testing.strategies import CELLS, TANGLED, sessions

LOW, HIGH = 1e5, 1e11


@dataclass(frozen=True)
class Priced:
    """A history, and a line for each version that has bytes."""

    history: History
    lines: dict[Version, Line]
    allow_effects: bool = False

    def plan(self, bandwidth) -> ReplicationPlan:
        """The best plan at a bandwidth."""
        costs = {version: line.seconds(bandwidth) for version, line in self.lines.items()}
        drawn = partial(migration_problem, self.history, loads=costs, allow_effects=self.allow_effects)
        return planned(drawn)[1]

    def moved(self, plan) -> float:
        """The bytes that a plan moves."""
        return sum(self.lines[version].moved for version in plan.loads)

    def check(self, bandwidths) -> None:
        """The swept plans cover the bandwidths without gaps, and at each cost what planning there finds."""
        pieces = sweep(self.plan, self.moved, LOW, HIGH, jumps(self.history, self.lines))
        assert (pieces[0].low, pieces[-1].high) == (LOW, HIGH)
        assert all(one.high == other.low < other.high for one, other in pairwise(pieces))
        error = 1e-9 + relative_error(4 * len(self.history.runs) + 2 * len(self.lines))
        for bandwidth in bandwidths:
            piece = next(each for each in pieces if bandwidth <= each.high)
            best = self.plan(bandwidth)
            assert lost(piece.plan) == lost(best)
            assert math.isclose(piece.line.seconds(bandwidth), best.seconds, rel_tol=error, abs_tol=1e-12)


def lost(plan):
    """What a plan loses."""
    return {loss.version for loss in plan.lost if isinstance(loss, Loss)}


BANDWIDTHS = st.lists(st.floats(5, 11).map(lambda power: 10**power), min_size=8, max_size=8)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sessions(CELLS) | sessions(TANGLED, max_cells=8), st.randoms(use_true_random=False), BANDWIDTHS)
def test_random_sessions_are_planned_exactly_at_every_bandwidth(session, random, bandwidths):
    """Whatever shares data, cannot repeat or has no bytes: a stretch's plan is the best all along it."""
    lines = {
        version: Line(random.choice([0.0, 1e-4, 0.5]), random.choice([0.0, 10.0, 10 ** random.uniform(3, 10)]))
        for version in sorted(session.host.storable())
    }
    Priced(session.host.history, lines, session.allow_effects).check(bandwidths)


@pytest.mark.parametrize("seed", range(3))
def test_longer_sessions_have_many_stretches(seed):
    """Sixty cells with costs of all sizes: planning at a hundred bandwidths finds nothing better."""
    draw = random.Random(seed)
    history, lines = History(), {}
    for n in range(1, 61):
        live = [record.version for record in history.live.values()]
        name = f"v{draw.randrange(40)}"
        record = VersionRecord(name, n, "list", int(10 ** draw.uniform(2, 9)), 10 ** draw.uniform(-6, -1))
        reasons = (draw.choice(["time.time()", "os.listdir() depends on the machine"]),) if draw.random() < 0.1 else ()
        history.append(
            CellRun(n, "pass", 1.0, 10 ** draw.uniform(-3, 2), reads=tuple(draw.sample(live, min(len(live), 2))),
                    writes=(record,), unrepeatable=reasons)
        )  # fmt: skip
    for record in history.live.values():
        lines[record.version] = Line(2 * record.seconds, 2 * record.size)
    priced = Priced(history, lines)
    priced.check([math.exp(draw.uniform(math.log(LOW), math.log(HIGH))) for _ in range(100)])
    pieces = sweep(priced.plan, priced.moved, LOW, HIGH, jumps(history, lines))
    assert len(pieces) > 8


def test_plans_change_where_storing_costs_as_much_as_making_again():
    """A million bytes against a cell of two seconds: up to half a megabyte a second it is run again, then stored."""
    history = History()
    history.append(CellRun(1, "x = make()", 1.0, 2.0, writes=(VersionRecord("x", 1, "list", 10**6, 0.0),)))
    priced = Priced(history, {Version("x", 1): Line(0.0, 1e6)})
    slow, fast = sweep(priced.plan, priced.moved, LOW, HIGH)
    assert slow.high == fast.low == pytest.approx(5e5)
    assert (slow.plan.loads, fast.plan.loads) == ((), (Version("x", 1),))
    assert (slow.line, fast.line) == (Line(2.0, 0.0), Line(0.0, 1e6))


def test_what_is_dear_may_be_made_again():
    """What depends on the machine is made again only where loading takes over a second, and the cost may jump there."""
    history = History()
    reason = "os.cpu_count() depends on the machine"
    record = VersionRecord("x", 1, "list", 10**7, 0.0)
    history.append(CellRun(1, "x = make()", 1.0, 1e-3, writes=(record,), unrepeatable=(reason,)))
    priced = Priced(history, {record.version: Line(0.0, 2e7)})
    slow, fast = sweep(priced.plan, priced.moved, LOW, HIGH, jumps(history, priced.lines))
    assert slow.high == pytest.approx(2e7)
    assert (len(slow.plan.reruns), len(fast.plan.reruns)) == (1, 0)
