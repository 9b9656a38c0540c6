"""The past of long sessions: ten thousand cells, going back among gigabytes, and disk space beside other tools.

Usage: python benchmarks/past_long.py; KISHU_PYTHON names a Python that has Kishu 0.3.4, dill, numpy, scipy, pandas and
scikit-learn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import answer

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LONGEST = ("algorithms", "training", "simulation")

MANY = 10_000
EDGE = 500
"""Cells at either end of a long session that are compared."""

CELLS, ARRAY = 100, 50_000_000
"""Cells of a session that each make an array of so many bytes."""

DIFFERENT = 4
"""Arrays that differ between the states that one goes between."""

PEER = """
import dill
tool, path = sys.argv[2:]
if tool == "kishu":
    begin_kishu()
os.chdir(os.path.dirname(path))
kept = f"{folder}/kept"
os.mkdir(kept)
for i, cell in enumerate(json.load(open(path))["cells"]):
    if cell["cell_type"] == "code":
        run("".join(cell["source"]))
        if tool == "dill":
            for name, value in list(shell.user_ns.items()):
                if name[:1] != "_" and name not in {"In", "Out", "get_ipython", "exit", "quit", "open"}:
                    try:
                        data = dill.dumps(value)
                    except Exception:
                        continue
                    with open(f"{kept}/{i}-{name}", "wb") as out:
                        out.write(data)
print()
print(json.dumps(size()))
"""


def many() -> dict[str, float]:
    """Milliseconds of the first and last cells of a long session, bytes of memory and of disk a cell, and opening."""
    import psutil
    from shells import plain_shell, record, run

    shell = plain_shell()
    session = record(shell, floor=0.05)
    process = psutil.Process()
    for i in range(EDGE):
        run(shell, f"x{i % 50} = {i}")
    before = process.memory_info().rss
    seconds = [run(shell, f"x{i % 50} = {i}") for i in range(EDGE, MANY)]
    after = process.memory_info().rss
    session.past.keeper.flush()
    assert not session.recorder.errors, session.recorder.errors
    (folder,) = Path(os.environ["XDG_DATA_HOME"]).rglob(session.past.name)
    size = session.past.bytes
    session.past.keeper.close()
    opened = subprocess.run(
        [sys.executable, __file__, "open", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    return {
        "first": 1000 * statistics.median(seconds[:EDGE]),
        "last": 1000 * statistics.median(seconds[-EDGE:]),
        "memory": (after - before) / (MANY - EDGE),
        "disk": size / MANY,
        "open": float(opened),
    }


def bare() -> float:
    """Bytes of memory that IPython itself takes for a cell."""
    import psutil
    from shells import plain_shell, run

    shell, process = plain_shell(), psutil.Process()
    for i in range(EDGE):
        run(shell, f"x{i % 50} = {i}")
    before = process.memory_info().rss
    for i in range(EDGE, MANY):
        run(shell, f"x{i % 50} = {i}")
    return (process.memory_info().rss - before) / (MANY - EDGE)


def opening(folder: str) -> float:
    """Seconds to open a store and read its tree of states."""
    from elastictm.session.states import Shelves
    from elastictm.storage.store import Store

    def once() -> float:
        started = time.perf_counter()
        with Store.open(folder).reader() as reader:
            shelves = Shelves()
            shelves.refresh(reader)
            tree = shelves.tree(reader)
        assert tree.latest is not None
        return time.perf_counter() - started

    return statistics.median(once() for _ in range(5))


def travel() -> dict[str, float]:
    """Seconds to go to a state of which some arrays must be loaded, and to read those bytes with numpy alone."""
    import numpy as np
    from shells import plain_shell, record, run

    shell = plain_shell()
    session = record(shell, floor=60.0)
    run(shell, "import numpy as np; g = np.random.default_rng(1)")
    run(shell, "%past budget 20GB")
    for i in range(CELLS):
        run(shell, f"v{i} = g.random({ARRAY // 8})")
    last = session.past.here()
    session.past.keeper.flush()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(CELLS - DIFFERENT, CELLS):
            np.save(f"{folder}/{i}.npy", shell.user_ns[f"v{i}"])
        started = time.perf_counter()
        for i in range(CELLS - DIFFERENT, CELLS):
            np.load(f"{folder}/{i}.npy")
        reading = time.perf_counter() - started
    seconds = []
    for _ in range(3):
        run(shell, f"%past {last - DIFFERENT}")
        seconds.append(run(shell, f"%past {last}"))
        assert len(shell.user_ns[f"v{CELLS - 1}"]) == ARRAY // 8
    return {"go": statistics.median(seconds), "read": reading}


def disk(notebook: str) -> dict[str, float]:
    """Bytes of the store after each cell of a notebook was run."""
    from shells import plain_shell, record

    shell = plain_shell()
    session = record(shell, floor=60.0)
    os.chdir(NOTEBOOKS)
    for cell in json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell("".join(cell["source"]), store_history=True)
    session.past.keeper.flush()
    return {"disk": session.past.bytes}


def measured(*words: str) -> Any:
    """What a process of its own measures, with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HOME": home, "XDG_DATA_HOME": f"{home}/data"}
        done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def rows() -> list[tuple[str, str, str]]:
    """All rows of the table."""
    long, alone, way = measured("many"), measured("bare"), measured("travel")
    found = [
        (
            f"a cell of a session of {MANY:,}, the past being kept: of the last {EDGE}, of the first",
            "1.2 x",
            f"{long['last']:.2f} ms, {long['first']:.2f} ms",
        ),
        (
            f"memory for each of {MANY:,} cells, without IPython's own",
            "1 kB",
            f"{(long['memory'] - alone) / 1e3:.2f} kB ({alone / 1e3:.2f} kB)",
        ),
        (f"disk for each of {MANY:,} cells", "", f"{long['disk'] / 1e3:.2f} kB"),
        (f"opening the store of {MANY:,} states", "0.5 s", f"{long['open']:.2f} s"),
        (
            (
                f"to a state of a session of {CELLS} cells and {CELLS * ARRAY / 1e9:.0f} GB, "
                f"{DIFFERENT * ARRAY / 1e6:.0f} MB of it different"
            ),
            "0.5 s",
            f"{way['go']:.2f} s (numpy.load of these bytes {way['read']:.2f} s)",
        ),
    ]
    python = os.environ.get("KISHU_PYTHON", "")
    for notebook in LONGEST:
        ours = measured("disk", notebook)["disk"]
        beside = ""
        for tool in ("dill", "kishu") if python else ():
            theirs = answer(python, PEER, tool, str(NOTEBOOKS / f"{notebook}.ipynb"))
            beside += f", {tool} " + ("failed" if theirs is None else f"{theirs / 1e6:,.2f} MB ({ours / theirs:.2f} x)")
        found.append(
            (f"disk for all states of {notebook}.ipynb", "dill / 10, Kishu / 3", f"{ours / 1e6:,.2f} MB{beside}")
        )
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    match sys.argv[1:]:
        case ["many"]:
            print(json.dumps(many()))
        case ["bare"]:
            print(json.dumps(bare()))
        case ["open", folder]:
            print(opening(folder))
        case ["travel"]:
            print(json.dumps(travel()))
        case ["disk", notebook]:
            print(json.dumps(disk(notebook)))
        case _:
            for row in rows():
                print(" | ".join(row), flush=True)
