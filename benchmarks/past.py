"""What keeping the past costs: added to cells that change something, on disk, and going back; Kishu beside it.

Usage: python benchmarks/past.py [CASE...]; KISHU_PYTHON names a Python that has Kishu 0.3.4 and numpy and pandas.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from peers import answer
from recording import CASES

PEER = """
setup, change = sys.argv[2:]
begin_kishu()
run(setup)
seconds = [run(change.format(i=i)) for i in range(5)]
print(json.dumps({"cell": statistics.median(seconds), "disk": size()}))
"""


@dataclass(frozen=True)
class Change:
    """A cell that changes one part of a state, and how many milliseconds may be added to it."""

    code: str
    goal: float


CHANGES = {
    "array": Change("x[{i}] = {i}.5", 120),
    "list": Change("x[{i}] = -{i} - 1", 120),
    "dict": Change("x['key {i}'] = [-1]", 500),
    "objects": Change("x.left.value = -{i} - 1", 1500),
    "text": Change("x.iat[{i}, 0] = 'other'", 150),
}
CELLS = 5


def measure(name: str) -> dict[str, float]:
    """Milliseconds added to a cell that changes one part of a state, bytes on disk, and seconds to undo it."""
    from shells import plain_shell, record, run

    case, change = CASES[name], CHANGES[name]
    shell = plain_shell()
    run(shell, case.setup)
    bare = sorted(run(shell, change.code.format(i=i)) for i in range(CELLS))[CELLS // 2]
    run(shell, "del x")
    session = record(shell, floor=60.0)
    run(shell, case.setup)
    session.past.keeper.flush()
    created = session.past.bytes
    recorded = sorted(run(shell, change.code.format(i=i)) for i in range(CELLS))[CELLS // 2]
    session.past.keeper.flush()
    kept = session.past.bytes
    assert not session.recorder.errors, session.recorder.errors
    assert not list(session.past.news())
    run(shell, "%past undo")
    undo = sorted(run(shell, "%past undo") for _ in range(3))[1]
    return {"added": 1000 * (recorded - bare), "created": created, "kept": kept, "undo": undo}


def rows() -> list[tuple[str, str, str]]:
    """All rows of the table, each state in a process of its own."""
    found = []
    python = os.environ.get("KISHU_PYTHON", "")
    for name, change in CHANGES.items():
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "HOME": home, "XDG_DATA_HOME": f"{home}/data"}
            done = subprocess.run(
                [sys.executable, __file__, name], capture_output=True, text=True, check=False, env=env
            )
        if done.returncode:
            sys.exit(done.stderr)
        ours, theirs = json.loads(done.stdout.splitlines()[-1]), None
        if python:
            theirs = answer(python, PEER, CASES[name].setup, change.code)
        beside = f" (Kishu {1000 * theirs['cell']:,.0f} ms, {theirs['disk'] / 1e6:,.0f} MB)" if theirs else ""
        title = CASES[name].title
        added = f"{ours['added']:.0f} ms{beside}"
        found += [
            (
                f"added to a cell that changes one part of a {title}, the past being kept",
                f"{change.goal:.0f} ms",
                added,
            ),
            (f"on disk for a {title}, and {CELLS} such cells", "", f"{ours['kept'] / 1e6:,.1f} MB"),
            (f"undo of such a cell of a {title}", "", f"{1000 * ours['undo']:.0f} ms"),
        ]
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
    else:
        for row in rows():
            print(" | ".join(row), flush=True)
