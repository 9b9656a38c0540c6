"""What it costs to have a cell run aside: until the prompt is back, until short runs are done, to take results.

Usage: python benchmarks/futures.py
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOALS = {
    "small": ("until the prompt is back from a cell that runs aside, small inputs", "30 ms"),
    "array": ("the same with a 1 GB array among the inputs", "150 ms"),
    "sweep": ("100 runs of a cell of 1 ms, one for each of 100 values", "1 s"),
    "take": ("until the prompt is back from taking a 1 GB array", "200 ms"),
    "memory": ("memory of its own of a worker that reads that array", ""),
    "beside": ("a loop in the session while a future runs on another core, against alone", ""),
}
TIMES = 7


def measure(case: str) -> float:
    """Seconds, bytes or a ratio, in this process."""
    from shells import plain_shell, record, run

    shell = plain_shell()
    session = record(shell, floor=0.05)
    run(shell, "import numpy as np, scipy.sparse, time\nx = [1, 2, 3]")
    run(shell, "%%future warm\ny = sum(x)")
    run(shell, "%future wait warm")
    try:
        return {"small": _small, "array": _array, "sweep": _sweep, "take": _take, "memory": _memory, "beside": _beside}[
            case
        ](shell, run, session)
    finally:
        run(shell, "%unload_ext elastictm")


def _small(shell, run, _session) -> float:
    return _begun(shell, run, "y = sum(x)")


def _array(shell, run, session) -> float:
    run(shell, "big = np.random.rand(125_000_000)")
    session.past.keeper.flush()
    return _begun(shell, run, "y = big[0]")


def _begun(shell, run, cell: str) -> float:
    """Seconds until the prompt is back from a cell that runs aside."""
    found = []
    for i in range(TIMES):
        found.append(run(shell, f"%%future a{i}\n{cell}"))
        run(shell, f"%future wait a{i}")
    return statistics.median(found)


def _sweep(shell, run, _session) -> float:
    found = []
    for i in range(TIMES):
        started = time.perf_counter()
        run(shell, f"%%future s{i} --each k=range(100)\ntime.sleep(0.001)\ny = k")
        run(shell, f"%future wait s{i}")
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def _take(shell, run, session) -> float:
    found = []
    for i in range(3):
        run(shell, f"%%future t{i}\nbig = np.random.rand(125_000_000)")
        run(shell, f"%future wait t{i}")
        found.append(run(shell, f"%future take t{i} big --as new_"))
        session.past.keeper.flush()
        run(shell, f"del new_big\n%future forget t{i}")
    return statistics.median(found)


def _memory(shell, run, session) -> float:
    run(shell, "big = np.random.rand(125_000_000)")
    session.past.keeper.flush()
    code = "import re\nbig.sum()\nre.search(r'Anonymous:\\s+(\\d+)', open('/proc/self/smaps_rollup').read())[1]"
    run(shell, f"%%future m\n{code}")
    run(shell, "%future wait m")
    futures = session.futures
    future = futures.find("m")
    return 1024 * float(futures.taking.shown(future)[0])


def _beside(shell, run, _session) -> float:
    loop = "for i in range(3_000_000): pass"
    alone = [run(shell, loop) for _ in range(TIMES)]
    run(shell, "%%future long\nwhile True: pass")
    time.sleep(0.5)
    beside = [run(shell, loop) for _ in range(TIMES)]
    run(shell, "%future cancel long")
    return statistics.median(beside) / statistics.median(alone)


def rows() -> list[tuple[str, str, str]]:
    """A row for each case, each in a process of its own."""
    found = []
    for case, (what, goal) in GOALS.items():
        done = subprocess.run(
            [sys.executable, __file__, case], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
        )
        value = float(re.findall(r"[\d.e+-]+", done.stdout)[-1])
        shown = {"memory": f"{value / 1e6:.0f} MB", "beside": f"{value:.2f} ×"}.get(
            case, f"{value:.2f} s" if value >= 1 or case == "sweep" else f"{1000 * value:.0f} ms"
        )
        found.append((what, goal, shown))
    return found


if __name__ == "__main__":
    if sys.argv[1:]:
        print(measure(sys.argv[1]))
    else:
        for row in rows():
            print(" | ".join(row))
