"""Saving 1 GB of floats against writing and syncing the same bytes, and how soon a restored session can use them.

Usage: python benchmarks/saving.py [known]; ``known`` measures saves beside a store that has all of it already.
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

RESTORE = """
import json, sys, time
import numpy
from IPython.core.interactiveshell import InteractiveShell
sys.path.insert(0, {folder!r})
from shells import plain_shell
import elastictm, elastictm.session.restoring, scipy.sparse.csgraph
shell = plain_shell()
shell.run_cell("%load_ext elastictm", silent=True)
started = time.perf_counter()
elastictm.restore({path!r}, trust=True)
total = float(shell.user_ns["a"][::4096].sum())
print(json.dumps({{"seconds": time.perf_counter() - started, "sum": total}}))
"""


def measure(folder: Path) -> dict[str, float]:
    """Seconds to write the bytes, to save them, and to have them back."""
    import numpy as np
    from shells import plain_shell, record, run

    import elastictm

    shell = plain_shell()
    session = record(shell, floor=10.0)
    run(shell, "import numpy as np\na = np.random.default_rng(1).random(125_000_000)")
    data = shell.user_ns["a"]
    elastictm.plan()
    written, saved = [], []
    path = folder / "one.tm"
    for _ in range(5):
        started = time.perf_counter()
        with (folder / "raw").open("wb") as file:
            file.write(memoryview(data).cast("B"))
            file.flush()
            os.fsync(file.fileno())
        written.append(time.perf_counter() - started)
        (folder / "raw").unlink()
        started = time.perf_counter()
        elastictm.save(path, force=True)
        saved.append(time.perf_counter() - started)
    assert session.recorder.errors == []
    expected = float(np.asarray(data)[::4096].sum())
    code = RESTORE.format(folder=str(Path(__file__).parent), path=str(path))
    back = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["sum"] == expected
        back.append(result["seconds"])
    ratios = [s / w for s, w in zip(saved, written, strict=True)]
    return {
        "ratio": statistics.median(ratios),
        "write": statistics.median(written),
        "save": statistics.median(saved),
        "restore": statistics.median(back),
    }


SESSION = """
import numpy as np, pandas as pd
noise = [np.random.default_rng(i).random(31_250_000) for i in range(2)]
counts = [np.arange(i, 31_250_000 + i) for i in range(2)]
class Node:
    def __init__(self, value):
        self.value, self.tags = value, [value]
nodes = [Node(i) for i in range(200_000)]
text = pd.DataFrame({"text": pd.Series([f"value {i}" for i in range(1_000_000)], dtype=object)})
"""
TIMES = 3


def measure_known(folder: Path) -> dict[str, float]:
    """Seconds to save a session of arrays, objects and texts, with and without what its store has of it already."""
    from shells import plain_shell, record, run

    import elastictm

    shell = plain_shell()
    session = record(shell, floor=60.0)
    run(shell, SESSION)
    session.past.keeper.flush()
    path, past = folder / "one.tm", session.past
    found: dict[str, list[float]] = {}

    def save(kind: str, *, stored: bool, **options: str) -> None:
        session.past = past if stored else None
        started = time.perf_counter()
        elastictm.save(path, force=True, policy="store-all", **options)
        found.setdefault(kind, []).append(time.perf_counter() - started)

    elastictm.plan()
    for _ in range(TIMES):
        save("anew", stored=False)
        save("known", stored=True)
        save("slow, anew", stored=False, bandwidth="100MB/s")
        save("slow, known", stored=True, bandwidth="100MB/s")
    session.past = past
    assert not session.recorder.errors, session.recorder.errors
    assert not list(past.news())
    return {kind: statistics.median(seconds) for kind, seconds in found.items()}


def known_rows() -> list[tuple[str, str, str]]:
    """The rows of saves beside a store, in a process of their own."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        env = {**os.environ, "HOME": folder, "XDG_DATA_HOME": f"{folder}/data"}
        line = [sys.executable, __file__, "known"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, env=env, cwd=folder)
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])

    def against(kind: str, other: str) -> str:
        return f"{found[kind] / found[other]:.2f} × ({found[kind]:.2f} s against {found[other]:.2f} s)"

    what = "saving 1 GB in 4 arrays, 200,000 objects and 1,000,000 strings"
    return [
        (f"{what}, beside a store that has it, against anew", "", against("known", "anew")),
        ("the same to travel at 100 MB/s", "", against("slow, known", "slow, anew")),
    ]


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table: what, goal, measured."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        result = measure(Path(folder))
    saving = f"{result['ratio']:.2f} × ({result['save']:.2f} s against {result['write']:.2f} s)"
    return [
        ("saving 1 GB of floats against writing and syncing the bytes", "1.5 ×", saving),
        ("until a restored session has used that array", "0.3 s", f"{result['restore']:.2f} s"),
        *known_rows(),
    ]


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure_known(Path.cwd())))
    else:
        for row in rows():
            print(" | ".join(row))
