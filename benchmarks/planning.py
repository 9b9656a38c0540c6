"""How long planning takes: from a history to a plan, on sessions of growing length.

Run ``python benchmarks/planning.py``; medians of three runs, in seconds of one core's time.
The cut's value is compared with networkx's on a small session, where networkx is given integers and so is right.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import networkx as nx
import numpy as np

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, Refusal, VersionRecord
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.explain import explain
from elastictm.planning.mincut import least_true
from elastictm.planning.policies import solve

RUNS = 3


def session(cells: int, live: int, *, chain: float, seed: int = 0) -> History:
    """A history of so many cell runs and about so many live variables.

    ``chain`` is the share of cells that read what the cell before wrote; other reads are of recent variables.
    """
    draw = random.Random(seed)
    history = History()
    alive: dict[Name, Version] = {}
    recent: list[Name] = []
    for i in range(1, cells + 1):
        n = RunNumber(i)
        reads: dict[Version, None] = {}
        if recent and draw.random() < chain:
            reads[alive[recent[-1]]] = None
        for _ in range(draw.choice([0, 1, 1, 2, 3])):
            if recent:
                reads[alive[recent[max(0, len(recent) - 1 - int(draw.expovariate(1 / 50)))]]] = None
        # One cell in so many brings a new variable, and the others write one again.
        name = Name(f"v{i}") if i % (cells // live) == 1 else draw.choice(recent)
        record = VersionRecord(
            name,
            n,
            "DataFrame",
            size=int(draw.lognormvariate(13, 3)),
            seconds=draw.expovariate(20),
            refusal=Refusal(str(name), "it is a generator") if draw.random() < 0.05 else None,
        )
        group = [record.version, *list(reads)[:1]] if draw.random() < 0.1 else []
        history.append(
            CellRun(
                n,
                source="pass",
                started=float(i),
                seconds=draw.expovariate(1),
                reads=tuple(reads),
                writes=(record,),
                groups=(tuple(group),) if len({v.name for v in group}) > 1 else (),
                effects=(Effect("write", "out.csv"),) if draw.random() < 0.02 else (),
                unrepeatable=("time.time()",) if draw.random() < 0.02 else (),
            )
        )
        alive[name] = record.version
        recent.append(name)
    return history


def loads(history: History) -> dict[Version, float]:
    return {
        record.version: transfer_seconds(record.size, record.seconds, 100e6)
        for record in history.live.values()
        if record.refusal is None
    }


def median(action: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return statistics.median(times)


def against_networkx(nodes: int = 300, seed: int = 1) -> None:
    """The least assignment costs what networkx's minimum cut does."""
    draw = np.random.default_rng(seed)
    skip, take = draw.integers(0, 40, nodes).astype(float), draw.integers(0, 40, nodes).astype(float)
    tails, heads = draw.integers(0, nodes, (2, 3 * nodes))
    costs = np.where(draw.random(3 * nodes) < 0.7, np.inf, draw.integers(0, 40, 3 * nodes))
    costs[tails <= heads] = 0
    true = least_true(skip, take, tails, heads, costs)
    cut = true[tails] & ~true[heads]
    mine = skip[~true].sum() + take[true].sum() + costs[cut].sum()
    graph = nx.DiGraph()
    for tail, head, cost in zip(tails.tolist(), heads.tolist(), costs.tolist(), strict=True):
        before = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
        graph.add_edge(tail, head, capacity=before + (10**9 if np.isinf(cost) else int(cost)))
    for node in range(nodes):
        graph.add_edge("s", node, capacity=int(skip[node]))
        graph.add_edge(node, "t", capacity=int(take[node]))
    value, _ = nx.minimum_cut(graph, "s", "t")
    print(f"minimum cut of {nodes} nodes: {mine:.0f}, networkx {value}")
    assert value == mine


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    options = parser.parse_args(arguments)
    against_networkx()
    print("cell runs  live versions  chained   build   solve   total  explain  re-runs   loads  lost")
    for cells in options.cells:
        for chain in (0.0, 0.5, 1.0):
            history = session(cells, cells // 5, chain=chain)
            costs = loads(history)
            problem = migration_problem(history, loads=costs)
            plan = solve(problem)
            sizes = {record.name: (record.size, record.seconds) for record in history.live.values()}
            refusals = {record.name: record.refusal for record in history.live.values() if record.refusal}
            build = median(partial(migration_problem, history, loads=costs))
            solving = median(partial(solve, problem))
            explaining = median(partial(explain, history, problem, plan, sizes, refusals))
            print(
                f"{cells:9,}  {len(history.live):13,}  {chain:7.0%}  {build:6.3f}  {solving:6.3f}"
                f"  {build + solving:6.3f}"
                f"  {explaining:7.3f}  {len(plan.reruns):7,}  {len(plan.loads):6,}  {len(plan.lost):4,}"
            )


if __name__ == "__main__":
    main()
