"""What recording adds to a cell: each state in a process of its own, bare IPython and recorded in the same run.

Usage: python benchmarks/recording.py [CASE...]
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A state, a cell that reads it, and how many milliseconds recording may add to that cell."""

    title: str
    setup: str
    read: str
    goal: float


NODES = """
class Node:
    def __init__(self, value):
        self.value, self.left, self.right = value, None, None
def tree(n):
    if n <= 0:
        return None
    node = Node(n)
    node.left, node.right = tree(n // 2), tree(n - 1 - n // 2)
    return node
x = tree(200_000)
"""
FOREST = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.datasets import load_breast_cancer
x = RandomForestClassifier(200, random_state=0).fit(*load_breast_cancer(return_X_y=True))
"""
TEXT = """
import pandas as pd
x = pd.DataFrame({"text": pd.Series([f"value {i}" for i in range(1_000_000)], dtype=object)})
"""
CASES = {
    "array": Case("1 GB float array", "import numpy as np\nx = np.random.rand(125_000_000)", "x[5]", 60),
    "list": Case("list of 1,000,000 ints", "x = list(range(1_000_000))", "len(x)", 40),
    "dict": Case("dict of 200,000 strings to lists", "x = {f'key {i}': [i] for i in range(200_000)}", "len(x)", 200),
    "objects": Case("200,000 objects of a user's class", NODES, "x.value", 700),
    "frame": Case(
        "frame of 1,000,000 × 10 floats",
        "import numpy as np, pandas as pd\nx = pd.DataFrame(np.random.rand(1_000_000, 10))",
        "x.iat[3, 3]",
        15,
    ),
    "text": Case("frame of 1,000,000 strings (object dtype)", TEXT, "x.iat[3, 0]", 150),
    "forest": Case("random forest of 200 trees", FOREST, "x.n_estimators", 20),
}
LOOPS = {
    "in a function": "started = time.perf_counter()\nf(4_000_000)\nloop = time.perf_counter() - started",
    "at top level": "s = 0\nstarted = time.perf_counter()\nfor i in range(4_000_000):\n    s += K\n"
    "loop = time.perf_counter() - started",
}


def measure_case(name: str) -> dict[str, float]:
    """Milliseconds added to a cell that touches nothing and to one that reads the state."""
    from shells import median, plain_shell, record, run

    case = CASES[name]
    shell = plain_shell()
    run(shell, case.setup)
    read = f"_seen = ({case.read})"
    bare_idle, bare_read = median(shell, "pass"), median(shell, read)
    session = record(shell, floor=60.0)
    idle, reading = median(shell, "pass"), median(shell, read)
    changed = {record.name for run_ in session.history.runs[-9:] for record in run_.writes} - {"_seen"}
    assert not changed, f"a plain read was taken for a change of {changed}"
    assert not session.recorder.errors, session.recorder.errors
    return {"idle": 1000 * (idle - bare_idle), "read": 1000 * (reading - bare_read)}


def measure_loops() -> dict[str, float]:
    """How much slower hot loops that read globals are under recording, as ratios of neighbouring runs."""
    import statistics

    from shells import plain_shell, record, run

    shell = plain_shell()
    run(shell, "def f(n):\n    total = 0\n    for i in range(n):\n        total += g(i) + K\n    return total")
    run(shell, "import time\ndef g(i):\n    return i\nK = 1")

    def loop(cell: str) -> float:
        run(shell, cell)
        seconds: float = shell.user_ns["loop"]
        return seconds

    ratios: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(9):
        bare = {name: loop(cell) for name, cell in LOOPS.items()}
        record(shell, floor=0.05)
        for name, cell in LOOPS.items():
            ratios[name].append(loop(cell) / bare[name])
        run(shell, "%unload_ext elastictm")
    return {name: statistics.median(found) for name, found in ratios.items()}


def measure_memory(kind: str) -> dict[str, float]:
    """The recorder's memory beside one kind of state: parts of the session's, and bytes a cell run."""
    import tracemalloc

    from shells import plain_shell, record, run

    import elastictm.extension  # noqa: F401 - the program's own code is not counted

    shell = plain_shell()
    run(shell, "pass")
    tracemalloc.start()
    run(shell, CASES[kind].setup)
    state = tracemalloc.get_traced_memory()[0]
    record(shell, floor=60.0)
    run(shell, f"_seen = ({CASES[kind].read})")
    recorder = _of_program(tracemalloc.take_snapshot())
    for i in range(1000):
        run(shell, f"z = {i}")
    grown = _of_program(tracemalloc.take_snapshot()) - recorder
    return {"share": recorder / state, "per_cell": grown / 1000}


def _of_program(snapshot: object) -> int:
    filters = [__import__("tracemalloc").Filter(True, "*/elastictm/*")]
    traced = snapshot.filter_traces(filters)  # type: ignore[attr-defined]
    return sum(statistic.size for statistic in traced.statistics("filename"))


def child(argument: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--child", argument], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table: what, goal, measured."""
    found = []
    idle = []
    for name, case in CASES.items():
        result = child(name)
        idle.append(result["idle"])
        found.append((f"added to a cell that reads a {case.title}", f"{case.goal} ms", f"{result['read']:.1f} ms"))
    found.insert(0, ("added to a cell that touches nothing, largest of these sessions", "2 ms", f"{max(idle):.2f} ms"))
    for name, ratio in child("loops").items():
        found.append((f"slow-down of a loop that reads globals, {name}", "1.02 ×", f"{ratio:.3f} ×"))
    for kind in ("dict", "objects"):
        memory = child(f"memory of {kind}")
        title = f"recorder's memory beside a {CASES[kind].title}, share of the session's"
        found.append((title, "1 %", f"{100 * memory['share']:.2f} %"))
    found.append(("recorder's memory a cell run", "1 kB", f"{memory['per_cell'] / 1000:.2f} kB"))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        chosen = sys.argv[2]
        if chosen == "loops":
            result = measure_loops()
        elif chosen.startswith("memory of "):
            result = measure_memory(chosen.removeprefix("memory of "))
        else:
            result = measure_case(chosen)
        print(json.dumps(result))
    elif sys.argv[1:]:
        for name in sys.argv[1:]:
            print(name, child(name))
    else:
        for row in rows():
            print(" | ".join(row))
