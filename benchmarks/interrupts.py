"""How soon an interrupt is heard in each long step, and whether everything is as it was afterwards.

Each step runs to its end once, and is then interrupted at points all over that time by a real SIGINT; what is measured
is the time from the signal to the exception in the caller's hands.  Prints a table with medians and the worst cases.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from elastictm.extension import find, load
from elastictm.model.tables import Table, duration
from elastictm.session.options import SaveOptions
from elastictm.storage.reader import ArchiveReader

FRACTIONS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95)
ALLOWED = 0.2


def shell_with(cells: list[str]):
    """A shell that records, in which these cells have run."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    load(shell)
    for cell in cells:
        shell.run_cell(cell, store_history=True).raise_error()
    return shell, find(shell).session


def interrupted_at(step: Callable[[], object], delay: float) -> float | None:
    """Seconds from a signal, some time after the step began, to its end; None where it was over before."""
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(delay, send)
    over = None
    try:
        timer.start()
        step()
        timer.cancel()
        timer.join()
    except KeyboardInterrupt:
        over = time.perf_counter()
    return over - sent[0] if over is not None and sent else None


def kept(target: Path) -> object:
    """The files beside a target; True where all was written when the interrupt came, and is whole."""
    if target.exists():
        with ArchiveReader(target) as reader:
            reader.verify()
        return True
    return sorted((p.name, p.stat().st_ino, p.stat().st_size) for p in target.parent.iterdir())


def steps(size: int, folder: Path):
    """Each long step: its name, what it does, and what must be the same after it was interrupted."""
    count = size // 250
    array = f"import numpy as np\nbig = np.random.default_rng(1).integers(0, 255, {size}, dtype='u1')"
    small = f"many = [{{'n': i, 'text': str(i)}} for i in range({count})]"
    options, slow = SaveOptions(bandwidth=1e12, policy="store-all"), SaveOptions(bandwidth=2e7, policy="store-all")
    target = folder / "new.tm"

    def files() -> object:
        return kept(target)

    def names(session) -> Callable[[], object]:
        # Where all had come back the session is the other one, which has a history of its own.
        history = [session.history]

        def look() -> object:
            if session.history is not history[0]:
                history[0] = session.history
                return "mine" not in session.host.namespace
            return {name: id(value) for name, value in session.host.namespace.items()}

        return look

    def saving(chosen: SaveOptions, session) -> Callable[[], object]:
        def step() -> None:
            session.save(target, chosen, force=True)
            target.unlink()

        return step

    for name, cell in (("one array", array), ("small objects", small)):
        _, session = shell_with([cell])
        yield f"freezing and planning, {name}", lambda s=session: s.plan(options), files
        yield f"saving, {name}", saving(options, session), files
        old = folder / "old.tm"
        session.save(old, options, force=True)

        def verify(old: Path = old) -> None:
            with ArchiveReader(old) as reader:
                reader.verify()

        yield f"verifying, {name}", verify, files
        _, there = shell_with(["mine = [1, 2]"])
        yield f"restoring, {name}", lambda s=there, old=old: s.restore(old, trust=True), names(there)
    _, session = shell_with(["words = 'to be or not to be ' * " + str(size // 20)])
    yield "saving compressed", saving(slow, session), files
    yield "rehearsing", lambda: session.save(target, options, force=True, rehearse=True), files
    target.unlink(missing_ok=True)
    for name, cell in (
        ("sleeping", "import time; time.sleep(2); x = [1]"),
        ("counting", "x = sum(i for i in range(10_000_000))"),
        ("in BLAS", "import numpy as np; a = np.ones((3000, 3000)); x = float((a @ a).sum())"),
    ):
        _, session = shell_with([cell, "y = 2"])
        old = folder / "old.tm"
        session.save(old, SaveOptions(bandwidth=1e6, policy="rerun-all"), force=True)
        _, there = shell_with(["mine = [1, 2]"])
        yield f"re-running a cell, {name}", lambda s=there, old=old: s.restore(old, trust=True), names(there)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as text:
        os.environ["XDG_DATA_HOME"] = text
        folder = Path(text) / "archives"
        folder.mkdir()
        for name, step, state in steps(given.megabytes * 10**6, folder):
            # The first time also measures the disk and imports libraries.
            step()
            started = time.perf_counter()
            step()
            whole = time.perf_counter() - started
            (folder / "new.tm").unlink(missing_ok=True)
            heard, sound = [], True
            for fraction in FRACTIONS:
                state()
                before = state()
                seconds = interrupted_at(step, whole * fraction)
                if seconds is not None:
                    heard.append(seconds)
                    sound = sound and state() in (before, True)
                (folder / "new.tm").unlink(missing_ok=True)
            late = sum(seconds > ALLOWED for seconds in heard)
            told = [duration(value) for value in (statistics.median(heard), max(heard))] if heard else ["-", "-"]
            rows.append((name, duration(whole), *told, f"{late} of {len(heard)}", "yes" if sound else "NO"))
            print(f"{name}: {rows[-1][1:]}", file=sys.stderr, flush=True)
    columns = ("step", "takes", "median", "worst", "late", "as before")
    print(Table("From the signal to the caller", columns, tuple(rows)).to_text())


if __name__ == "__main__":
    main()
