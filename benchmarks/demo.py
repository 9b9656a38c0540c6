"""The main job on a real notebook: record, save, restore in a fresh process elsewhere, compare every variable.

Usage: python benchmarks/demo.py [NOTEBOOK] [--bandwidth 125MB/s]
"""

from __future__ import annotations

import argparse
import ast
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
WAYS = {
    "re-run everything": ("rerun-all", True),
    "store everything": ("store-all", True),
    "elastictm, for the link": ("optimal", True),
    "elastictm, for this disk": ("optimal", False),
}
"""The policy of each way, and whether it is planned for the link or for the disk that is here."""


@dataclass(frozen=True)
class Journey:
    """One way to bring the session elsewhere.

    Seconds to save, to start a kernel and import the libraries, and to restore; bytes; what became of the variables.
    """

    way: str
    saving: float
    size: int
    starting: float
    restoring: float
    verdict: Verdict

    @property
    def here(self) -> float:
        """Seconds from the start of the save until every variable is back, on this disk."""
        return self.saving + self.starting + self.restoring


def record(kernel: Kernel, notebook: Path) -> float:
    """Run a notebook's cells under recording; returns the seconds that it took."""
    started = time.perf_counter()
    for cell in nbformat.read(notebook, 4).cells:
        if cell.cell_type == "code":
            error = kernel.run(cell.source).error
            if error is not None and "raises-exception" not in cell.metadata.get("tags", []):
                raise SystemExit(f"a cell of {notebook.name} failed: {error}")
    return time.perf_counter() - started


@dataclass(frozen=True)
class Surroundings:
    """Where archives and kernels go, the speed of the link, and the imports of the notebook."""

    folder: Path
    link: str
    imports: str


def travel(kernel: Kernel, way: str, before: dict[str, str], around: Surroundings) -> Journey:
    """Save under a policy, restore in a kernel of its own in an empty folder, and compare."""
    policy, remote = WAYS[way]
    archive = around.folder / f"{way}.tm"
    started = time.perf_counter()
    kernel.save(archive, policy=policy, bandwidth=around.link if remote else None)
    saving = time.perf_counter() - started
    started = time.perf_counter()
    with closing(Kernel(around.folder / f"elsewhere, {way}", around.folder / f"home, {way}")) as other:
        other.ask(f"exec({around.imports!r}, {{}})")
        starting = time.perf_counter() - started
        started = time.perf_counter()
        report = other.restore(archive)
        restoring = time.perf_counter() - started
        verdict = judge(before, other.portrait(detail=True), report)
    return Journey(way, saving, archive.stat().st_size, starting, restoring, verdict)


def imports_of(notebook: Path) -> str:
    """The import statements at the top level of a notebook's cells."""
    found: list[str] = []
    for cell in nbformat.read(notebook, 4).cells:
        try:
            tree = ast.parse(cell.source if cell.cell_type == "code" else "")
        except SyntaxError:
            # A cell with magics.
            continue
        found += [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n".join(found)


def table(journeys: list[Journey], count: int, ran: float, link: float) -> Table:
    """One row for each way."""
    over = f"over {amount(link)}/s"
    columns = ("", "save", "bytes", "start", "restore", "back here", over, "equal", "told", "lost", "wrong")
    rows = []
    for journey in journeys:
        verdict = journey.verdict
        rows.append(
            (
                journey.way,
                duration(journey.saving),
                amount(journey.size),
                duration(journey.starting),
                duration(journey.restoring),
                duration(journey.here),
                duration(journey.here + journey.size / link),
                *(str(len(part)) for part in (verdict.equal, verdict.told, verdict.lost, verdict.faults)),
            )
        )
    notes = (
        "measured on the local disk: save, start (a kernel, and the notebook's imports), restore; back here: their sum",
        f"predicted: {over} adds the bytes over the speed of the link to what was measured",
        "told: came back by re-running, and the report says that the value may differ or cannot be compared",
        "lost: the report says why; wrong: different, missing or unexpected, and not told",
    )
    heading = f"{count} variables and displayed results, made in {duration(ran)}"
    return Table(heading, columns, tuple(rows), notes)


def main() -> None:
    """Run the demo; exit status 1 if any variable is silently different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOKS / "training.ipynb")
    parser.add_argument("--bandwidth", default="125MB/s", help="of the link to the other machine; 125MB/s is 1 Gbit/s")
    given = parser.parse_args()
    link = parse_bandwidth(given.bandwidth)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        around = Surroundings(folder, given.bandwidth, imports_of(given.notebook))
        work = folder / "work"
        with closing(Kernel(work, folder / "home")) as kernel:
            for data in given.notebook.parent.glob("*.csv"):
                shutil.copy(data, work)
            print(f"running {given.notebook.name} under recording ...", flush=True)
            ran = record(kernel, given.notebook)
            before = kernel.portrait(detail=True)
            journeys = []
            for way in WAYS:
                print(f"saving and restoring: {way} ...", flush=True)
                journeys.append(travel(kernel, way, before, around))
    print()
    print(table(journeys, len(before), ran, link).to_text())
    faults = {f"{j.way}: {name}": what for j in journeys for name, what in j.verdict.faults.items()}
    for name, what in faults.items():
        print(f"WRONG {name}: {what}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
