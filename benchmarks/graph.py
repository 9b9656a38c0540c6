"""How long a picture of a long session takes: to foresee plans, to print it, and to have it on the screen.

Run ``python benchmarks/graph.py``; the browser is measured where playwright and a Chromium are installed.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, FileRead, VersionRecord
from elastictm.session.forecast import Forecast
from elastictm.views.drawing import drawing
from elastictm.views.page import page
from elastictm.views.svg import svg

CELLS = 500
FRAMES = ("orders", "customers", "events", "prices", "visits", "stock")
STEPS = (
    ('{0}["day"] = pd.to_datetime({0}["day"])', 0.02),
    ("{0} = {0}.dropna(subset=[{1!r}])", 0.05),
    ('{0} = {0}.merge(customers, on="customer")', 0.4),
    ("{2} = {0}.groupby({1!r}).mean(numeric_only=True)\n{2}.head()", 0.2),
    ("{0}.describe()", 0.1),
    ("fig, ax = plt.subplots()\nax.plot({2})", 0.15),
    ("# look at a few\n{0}.sample(5)", 0.01),
    ("for column in {0}:\n    {0}[column] = {0}[column].astype('category')", 0.03),
)


def session(cells: int, seed: int = 0) -> History:
    """A session as people have them: imports, frames that are read and cleaned, small looks at them, a few models."""
    draw = random.Random(seed)
    history = History()
    names = ("np", "pd", "plt", "Path", "train_test_split", "Ridge", "Forest")
    imports = "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt\nfrom pathlib import Path\n"
    imports += "from sklearn.model_selection import train_test_split\nfrom sklearn import Ridge, Forest"
    _add(history, (imports, 1.8), (), [(name, 55, "module") for name in names])
    for i in range(2, cells + 1):
        live = history.live
        frames = [name for name in FRAMES if name in live]
        if len(frames) < len(FRAMES) and (not frames or draw.random() < 0.05):
            name = FRAMES[len(frames)]
            file = FileRead(f"/home/ada/{name}.csv", 10**7, 1, relative=f"{name}.csv")
            size = int(10 ** draw.uniform(5, 8.3))
            reads = (live[Name("pd")].version,)
            _add(
                history, (f'{name} = pd.read_csv("{name}.csv")', 1.5), reads, [(name, size, "DataFrame")], files=(file,)
            )
            continue
        frame = draw.choice(frames)
        kind = draw.random()
        if kind < 0.06:
            _fit(history, draw, frame, i)
        elif kind < 0.1:
            failed: Any = {"status": "error", "error": "KeyError: 'prize'"}
            _add(history, (f'{frame}["prize"].sum()', 0.05), (live[Name(frame)].version,), (), **failed)
        else:
            _step(history, draw, frame, i)
    return history


def _step(history: History, draw: random.Random, frame: str, i: int) -> None:
    source, seconds = draw.choice(STEPS)
    column, other = draw.choice(["sku", "town", "price"]), f"by_{draw.choice(['sku', 'town', 'week'])}_{frame}"
    live = history.live
    reads = [live[Name(frame)].version] + [live[Name(n)].version for n in ("pd", other) if n in live]
    old = live[Name(frame)]
    writes: list[tuple[str, int, str]] = []
    if source.startswith(("{0}[", "{0} =", "for ")):
        writes.append((frame, int(old.size * draw.uniform(0.8, 1.2)), "DataFrame"))
    if source.startswith("{2}"):
        writes.append((other, 9000, "DataFrame"))
    if source.startswith("fig"):
        writes += [("fig", 30_000, "Figure"), ("ax", 5, "Axes")]
    if source.startswith("for"):
        writes.append(("column", 22, "str"))
    if not writes or "head" in source:
        writes.append((f"Out[{i}]", 800, "DataFrame"))
    _add(history, (source.format(frame, column, other), seconds * draw.expovariate(1)), reads, writes)


def _fit(history: History, draw: random.Random, frame: str, i: int) -> None:
    live, model = history.live, f"model_{i}"
    reads = (live[Name(frame)].version, live[Name("Forest")].version)
    writes = [(model, int(10 ** draw.uniform(4, 7)), "Forest"), ("score", 24, "float"), (f"Out[{i}]", 24, "float")]
    source = f'%%time\n{model} = Forest(300).fit({frame}[X], {frame}["y"])\nscore = {model}.score({frame}[X])\nscore'
    more: Any = {}
    if draw.random() < 0.3:
        more = {"unrepeatable": ("Forest() without a seed",), "effects": (Effect("process", "lscpu"),) * (i % 2)}
    _add(history, (source, 10 ** draw.uniform(0, 2.5)), reads, writes, **more)


def _add(
    history: History,
    cell: tuple[str, float],
    reads: Sequence[Version],
    writes: Sequence[tuple[str, int, str]],
    **more: Any,
) -> None:
    n = RunNumber(len(history) + 1)
    records = tuple(VersionRecord(Name(name), n, kind, size, 1e-5 + size / 2e9) for name, size, kind in writes)
    tied = tuple(record.version for record in records if record.kind in {"Figure", "Axes"})
    source, seconds = cell
    once = tuple(dict.fromkeys(reads))
    history.append(
        CellRun(n, source, float(n), seconds, reads=once, writes=records, groups=(tied,) if tied else (), **more)
    )


def timed(action: Callable[[], object]) -> float:
    """The least of a few times in seconds."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def in_browser(text: str) -> float | None:
    """Seconds from opening a page until its script has laid it out and it is painted; None without a browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    painted = "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / "graph.html"
        file.write_text(text, encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        times = []
        for _ in range(5):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(file.as_uri())
            times.append(tab.evaluate(painted) / 1000)
            tab.close()
        browser.close()
    return sorted(times)[len(times) // 2]


def _data(text: str) -> str:
    return text.partition('id="data">')[2].partition("</script>")[0]


def rows() -> list[tuple[str, str, str]]:
    """Rows of the table of results."""
    history = session(CELLS)
    forecast = Forecast.of_session(history, Path("/home/ada"))
    one, whole = forecast.at(), forecast.outlook()
    text = page(drawing(history, (), (), whole), "benchmark")

    def printed() -> None:
        drawn = drawing(history, (), (), forecast.at())
        svg(drawn.scene, one)

    found = [
        (f"%graph of {CELLS} cells: plan, layout and SVG", "0.3 s", f"{timed(printed):.2f} s"),
        (f"plans at all bandwidths, {len(whole.stretches)} stretches", "2 s", f"{timed(forecast.outlook):.2f} s"),
        (f"page of {CELLS} cells, beside its data", "1 MB", f"{(len(text) - len(_data(text))) / 1e6:.2f} MB"),
    ]
    seconds = in_browser(text)
    if seconds is not None:
        found.append((f"page of {CELLS} cells in Chromium: opened, laid out, painted", "1 s", f"{seconds:.2f} s"))
    return found


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
