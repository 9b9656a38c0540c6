"""Saving 1 GB of floats against writing and syncing the same bytes, and how soon a restored session can use them."""

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


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table: what, goal, measured."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        result = measure(Path(folder))
    saving = f"{result['ratio']:.2f} × ({result['save']:.2f} s against {result['write']:.2f} s)"
    return [
        ("saving 1 GB of floats against writing and syncing the bytes", "1.5 ×", saving),
        ("until a restored session has used that array", "0.3 s", f"{result['restore']:.2f} s"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
