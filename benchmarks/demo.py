"""The main job on a real notebook: record, save, restore in a fresh process elsewhere, compare every variable.

Usage: python benchmarks/demo.py [NOTEBOOK] [--bandwidth 125MB/s]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import nbformat

from elastictm.model.quantities import parse_bandwidth
from elastictm.model.tables import Table, amount, duration
from elastictm.testing.places import Kernel
from elastictm.testing.verdict import Verdict, judge

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
POLICIES = {"rerun-all": "re-run everything", "store-all": "store everything", "optimal": "elastictm"}


@dataclass(frozen=True)
class Journey:
    """One way to bring the session elsewhere: seconds to save and to be back, bytes, and what became of variables."""

    policy: str
    saving: float
    size: int
    back: float
    verdict: Verdict


def record(kernel: Kernel, notebook: Path) -> float:
    """Run a notebook's cells under recording; returns the seconds that it took."""
    started = time.perf_counter()
    for cell in nbformat.read(notebook, 4).cells:
        if cell.cell_type == "code":
            error = kernel.run(cell.source).error
            if error is not None and "raises-exception" not in cell.metadata.get("tags", []):
                raise SystemExit(f"a cell of {notebook.name} failed: {error}")
    return time.perf_counter() - started


def travel(kernel: Kernel, policy: str, before: dict[str, str], folder: Path, bandwidth: str) -> Journey:
    """Save under a policy, restore in a kernel of its own in an empty folder, and compare."""
    archive = folder / f"{policy}.tm"
    started = time.perf_counter()
    kernel.save(archive, policy=policy, bandwidth=bandwidth)
    saving = time.perf_counter() - started
    home = folder / f"home of {policy}"
    with closing(Kernel(folder / f"elsewhere with {policy}", home)) as other:
        started = time.perf_counter()
        report = other.restore(archive)
        back = time.perf_counter() - started
        verdict = judge(before, other.portrait(detail=True), report)
    return Journey(policy, saving, archive.stat().st_size, back, verdict)


def table(journeys: list[Journey], count: int, ran: float, bandwidth: float) -> Table:
    """One row for each policy."""
    columns = (
        "",
        "save",
        "bytes",
        f"send at {amount(bandwidth)}/s",
        "restore",
        "all",
        "equal",
        "told",
        "lost",
        "wrong",
    )
    rows = []
    for journey in journeys:
        sending = journey.size / bandwidth
        verdict = journey.verdict
        rows.append(
            (
                POLICIES[journey.policy],
                duration(journey.saving),
                amount(journey.size),
                duration(sending),
                duration(journey.back),
                duration(journey.saving + sending + journey.back),
                *(str(len(part)) for part in (verdict.equal, verdict.told, verdict.lost, verdict.faults)),
            )
        )
    notes = (
        "save and restore were measured here, on the local disk; sending is bytes over the speed of the link",
        "restore counts from a started kernel to all variables in place, libraries imported on the way",
        "told: came back by re-running, and the report says that the value may differ or cannot be compared",
    )
    heading = f"{count} variables and displayed results, made in {duration(ran)}"
    return Table(heading, columns, tuple(rows), notes)


def main() -> None:
    """Run the demo; exit status 1 if any variable is silently different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOKS / "training.ipynb")
    parser.add_argument("--bandwidth", default="125MB/s", help="of the link to the other machine")
    given = parser.parse_args()
    bandwidth = parse_bandwidth(given.bandwidth)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = folder / "work"
        with closing(Kernel(work, folder / "home")) as kernel:
            for data in given.notebook.parent.glob("*.csv"):
                shutil.copy(data, work)
            print(f"running {given.notebook.name} under recording ...", flush=True)
            ran = record(kernel, given.notebook)
            before = kernel.portrait(detail=True)
            journeys = []
            for policy, words in POLICIES.items():
                print(f"saving and restoring: {words} ...", flush=True)
                journeys.append(travel(kernel, policy, before, folder, given.bandwidth))
    print()
    print(table(journeys, len(before), ran, bandwidth).to_text())
    faults = {f"{j.policy}: {name}": what for j in journeys for name, what in j.verdict.faults.items()}
    for name, what in faults.items():
        print(f"WRONG {name}: {what}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
