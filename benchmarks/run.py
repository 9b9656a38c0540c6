"""Measure all that has a goal, and write the table to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import planning
import recording
import saving

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


def main() -> None:
    """Measure, print, and write the table."""
    rows = [("what", "at most", "measured"), ("---", "---", "---")]
    for part in (recording.rows, planning_rows, saving.rows):
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
