"""Measure all that has a goal, and write the table to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import futures
import past_long
import planning
import recording
import saving

import graph
import past
from elastictm.planning.build import migration_problem
from elastictm.planning.policies import solve

HEAD = """\
# Results

Written by `make bench`: medians of several runs, each figure a difference or a ratio within one run.
Every state of the first rows lives in a process of its own, bare IPython and recorded cells in the same one.

"""


def planning_rows() -> list[tuple[str, str, str]]:
    """Seconds from a history to a plan, the slowest of three ways to chain cells."""
    found = []
    for cells, goal in ((10_000, "0.3 s"), (100_000, "3 s")):
        slowest = 0.0
        for chain in (0.0, 0.5, 1.0):
            history = planning.session(cells, cells // 5, chain=chain)
            costs = planning.loads(history)
            slowest = max(slowest, planning.median(lambda: solve(migration_problem(history, loads=costs))))  # noqa: B023
        found.append((f"plan for {cells:,} cell runs, {cells // 5:,} live versions", goal, f"{slowest:.2f} s"))
    return found


IMPORT = """
import time, IPython
started = time.perf_counter()
import elastictm
print(time.perf_counter() - started)
"""


ENABLED = """
import sys, time, ipykernel.kernelapp
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.history import HistoryManager
HistoryManager.enabled = False
shell = InteractiveShell.instance()
shell.kernel = None
shell.run_cell("pass")
started = time.perf_counter()
import elastictm.enabled
elastictm.enabled.begin(shell)
print(time.perf_counter() - started)
time.sleep(float(sys.argv[1]))
started = time.perf_counter()
shell.run_cell("pass", store_history=True)
print(time.perf_counter() - started)
"""


def enabled_rows() -> list[tuple[str, str, str]]:
    """What it costs to have every session recorded: as a shell starts, and with its first cell."""
    starts, firsts = [], dict[str, list[float]]()
    for _ in range(5):
        for wait in ("0", "3"):
            with tempfile.TemporaryDirectory() as home:
                own = os.environ | {"HOME": home}
                line = [sys.executable, "-c", ENABLED, wait]
                done = subprocess.run(line, capture_output=True, text=True, check=True, env=own)
            start, first = map(float, done.stdout.split())
            starts.append(start)
            firsts.setdefault(wait, []).append(first)
    soon, later = (f"{1000 * statistics.median(firsts[wait]):.0f} ms" for wait in ("0", "3"))
    return [
        (
            "added to the start of a shell where every session is recorded",
            "10 ms",
            f"{1000 * statistics.median(starts):.1f} ms",
        ),
        ("added to its first cell, run at once", "500 ms", soon),
        ("added to its first cell, run three seconds later", "100 ms", later),
    ]


def startup_rows() -> list[tuple[str, str, str]]:
    """What importing costs a process that has IPython, and how soon the command line answers."""
    imports, helps = [], []
    for _ in range(7):
        done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
        imports.append(float(done.stdout))
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "elastictm_cli", "--help"], capture_output=True, check=True)
        helps.append(time.perf_counter() - started)
    return [
        ("import elastictm, after import IPython", "60 ms", f"{1000 * statistics.median(imports):.1f} ms"),
        ("elastictm --help", "0.4 s", f"{statistics.median(helps):.2f} s"),
    ]


def main() -> None:
    """Measure, print, and write the table."""
    rows = [("what", "at most", "measured"), ("---", "---", "---")]
    parts = (
        recording.rows,
        past.rows,
        past_long.rows,
        planning_rows,
        saving.rows,
        futures.rows,
        graph.rows,
        startup_rows,
        enabled_rows,
    )
    for part in parts:
        for row in part():
            rows.append(row)
            print(" | ".join(row), flush=True)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, CPython {platform.python_version()}"
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    folder = Path(__file__).parent
    notes = (folder / "notes.md").read_text()
    (folder / "results.md").write_text(f"{HEAD}Measured on {machine}.\n\n{table}\n{notes}")


if __name__ == "__main__":
    main()
