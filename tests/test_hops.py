"""A session that goes from process to process goes on as one session, however often."""

from __future__ import annotations

from contextlib import closing

import pytest

from elastictm.testing.places import Console, Kernel
from elastictm.testing.verdict import judge

HOPS = 10

FIRST = [
    """\
import random
from dataclasses import dataclass, field

random.seed(7)
log = []
events = {"log": log}
""",
    """\
@dataclass
class Account:
    owner: str
    entries: list = field(default_factory=list)

    def total(self):
        return sum(self.entries)

def counter(start=0):
    def step(by=1):
        nonlocal start
        start += by
        return start
    def look():
        return start
    return step, look

step, look = counter()
account = Account("me")
book = {"mine": account, "entries": account.entries}
""",
    """\
import numpy as np
grid = np.zeros((4, 4))
row, column = grid[1], grid[:, 2]
rng = np.random.default_rng(3)
frame_limit = 100
""",
]

HOP = """\
log.append({n})
account.entries.append(step({n}))
row += 1
column[0] = {n}
drawn = (random.random(), float(rng.random()))
len(log), look(), account.total(), float(grid.sum())
"""


@pytest.mark.kernel
@pytest.mark.slow
def test_ten_hops_between_kernels_and_shells(tmp_path):
    """At each hop everything is as it was, is tied as it was, and goes on where it stood: names, numbers, random draws."""
    pytest.importorskip("numpy")
    with closing(Kernel(tmp_path / "0", tmp_path / "home 0")) as place:
        for cell in FIRST:
            assert place.run(cell).error is None
        last = place.run(HOP.format(n=0)).count
        report = place.save(tmp_path / "0.tm")
        assert [entry for entry in report["variables"] if entry["outcome"] == "lost"] == []
        before, drawn = place.portrait(detail=True), [place.ask("drawn")]
    for hop in range(1, HOPS + 1):
        kind = Console if hop % 2 else Kernel
        with closing(kind(tmp_path / str(hop), tmp_path / f"home {hop}")) as place:
            report = place.restore(tmp_path / f"{hop - 1}.tm")
            verdict = judge(before, place.portrait(detail=True), report)
            assert (dict(verdict.faults), verdict.told, verdict.lost) == ({}, (), ())
            assert place.run(HOP.format(n=hop)).count == last + 1
            last += 1
            assert place.recorder_errors() == []
            place.save(tmp_path / f"{hop}.tm")
            before = place.portrait(detail=True)
            drawn.append(place.ask("drawn"))
            end = place.ask(f"list(Out[{last}])")
            inputs = place.ask("len(In)")
    assert [tuple(pair) for pair in drawn] == expected_draws()
    sums = [sum(range(n + 1)) for n in range(HOPS + 1)]
    grid = 4 * (HOPS + 1) + HOPS
    assert end == [HOPS + 1, sums[-1], sum(sums), float(grid)]
    assert inputs == last + 1


def expected_draws():
    """What one process would have drawn."""
    import random

    import numpy as np

    plain, rng = random.Random(7), np.random.default_rng(3)
    return [(plain.random(), float(rng.random())) for _ in range(HOPS + 1)]
