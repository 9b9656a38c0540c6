"""Deep, wide and large values, each saved in one process and restored in another: `python benchmarks/deep.py`.

For each value: seconds of a cell that reads it while it is recorded, seconds to save and to restore, bytes of the
archive, and the largest memory of the two processes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARTS = """\
class Node:
    def __init__(self, value, following=None): self.value, self.next = value, following
def chain(length):
    head = None
    for i in range(length): head = Node(i, head)
    return head
def both_ways(length):
    node = head = chain(length)
    while node.next is not None: node.next.prev, node = node, node.next
    return head
def boxes(depth):
    inner = []
    for i in range(depth): inner = [inner] if i % 2 else {'in': inner}
    return inner
def graph(size):
    nodes = [Node(i) for i in range(size)]
    for i, node in enumerate(nodes): node.next, node.others = nodes[i * 7919 % size], [nodes[i - 1], node]
    return nodes
def length(head):
    count = 0
    while head is not None: count, head = count + 1, head.next
    return count
def levels(box):
    count = 0
    while box: box, count = (box[0] if type(box) is list else box['in']), count + 1
    return count
"""

CASES = {
    "a chain of 1,000,000 nodes": ("value = chain(1_000_000)", "length(value) == 1_000_000"),
    "a chain of 1,000,000 nodes, linked both ways": (
        "value = both_ways(1_000_000)",
        "length(value) == 1_000_000 and value.next.prev is value",
    ),
    "lists and dicts nested 100,000 deep": ("value = boxes(100_000)", "levels(value) == 100_000"),
    "a graph of 100,000 nodes, with cycles": (
        "value = graph(100_000)",
        "value[5].others[1] is value[5] and value[5].next is value[5 * 7919]",
    ),
    "1,000,000 tiny objects": ("value = [Node(i) for i in range(1_000_000)]", "value[-1].value == 999_999"),
    "2,000 variables": (
        "value = 0\n" + "\n".join(f"v{i} = [{i}]" for i in range(2000)),
        "v0 + v1999 == [0, 1999]",
    ),
    "a 5 GB array": (
        "import numpy as np\nvalue = np.arange(625_000_000.0)",
        "(value[::4096] == np.arange(0, len(value), 4096)).all() and value[-1] == len(value) - 1",
    ),
}


def save(case: str, path: str) -> dict[str, float]:
    """Make a value, look at it, save it."""
    from shells import plain_shell, record, run

    import elastictm

    shell = plain_shell()
    session = record(shell, floor=600.0)
    run(shell, PARTS)
    run(shell, CASES[case][0])
    looked = run(shell, "value is None")
    idle = run(shell, "pass")
    started = time.perf_counter()
    report = elastictm.save(path, policy="store-all")
    saved = time.perf_counter() - started
    assert {entry.outcome for entry in report.variables} == {"stored"}
    assert session.recorder.errors == []
    return {"look": looked, "idle": idle, "save": saved, "bytes": Path(path).stat().st_size}


def restore(case: str, path: str) -> dict[str, float]:
    """Have a value back, and look whether it is whole."""
    from shells import plain_shell, run

    import elastictm

    shell = plain_shell()
    run(shell, "%load_ext elastictm")
    started = time.perf_counter()
    elastictm.restore(path, trust=True)
    restored = time.perf_counter() - started
    run(shell, f"assert {CASES[case][1]}")
    return {"restore": restored}


def main() -> None:
    """Measure every case, each step in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "CASE", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        import resource

        step, case, path = options.step
        figures = {"save": save, "restore": restore}[step](case, path)
        figures["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print("\n" + json.dumps(figures))
        return
    print(f"{'':45} {'read':>7} {'idle':>7} {'save':>7} {'restore':>7} {'archive':>9} {'memory':>8}")
    for case in CASES:
        if options.only in case:
            print(f"{case:45} {measured(case)}", flush=True)


def measured(case: str) -> str:
    """A line of figures."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        figures: dict[str, float] = {}
        peak = 0.0
        for step in ("save", "restore"):
            command = [sys.executable, str(Path(__file__).resolve()), "--step", step, case, str(Path(folder, "it.tm"))]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            figures |= json.loads(done.stdout.splitlines()[-1])
            peak = max(peak, figures["memory"])
    times = " ".join(f"{figures[name]:6.2f}s" for name in ("look", "idle", "save", "restore"))
    return f"{times} {figures['bytes'] / 1e6:6.0f} MB {peak:5.1f} GB"


if __name__ == "__main__":
    main()
