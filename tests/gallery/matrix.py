"""Restores every notebook of the gallery, saved under each Python on this machine, under each other one."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from elastictm.testing.gallery import Exhibit, restore, save
from elastictm.testing.pythons import MINORS, NoEnvironment, environment

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOTEBOOKS = ROOT / "notebooks" / "gallery"
POLICIES = ("store-all", "optimal")


def exhibits(names: list[str]) -> list[Exhibit]:
    """The notebooks of the gallery, or some of them."""
    losses = json.loads((HERE / "losses.json").read_text(encoding="utf-8"))
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    return [Exhibit(path, losses.get(path.stem, {})) for path in paths if not names or path.stem in names]


def environments() -> dict[str, str]:
    """A Python of each minor version that there is, all with the same libraries."""
    lock = HERE / "requirements.lock"
    wanted = [line for line in lock.read_text(encoding="utf-8").splitlines() if line]
    folder = Path(os.environ.get("ELASTICTM_VENVS", ROOT))
    found: dict[str, str] = {}
    for minor in MINORS:
        try:
            found[f"3.{minor}"] = str(environment(folder / f".venv-gallery-3.{minor}", minor, wanted))
        except NoEnvironment as error:
            print(f"left out: {error}", flush=True)
    return found


def journeys(
    exhibit: Exhibit, start: str, pythons: dict[str, str]
) -> Iterator[tuple[str, str, Counter[str], list[str]]]:
    """Save one notebook under one Python; restore it under all others, however it was saved."""
    with tempfile.TemporaryDirectory(prefix="elastictm-matrix-") as text:
        folder = Path(text)
        saved = save(exhibit, pythons[start], folder / "start", POLICIES)
        for end in pythons.keys() - {start}:
            for policy in POLICIES:
                back = restore(saved, policy, pythons[end], folder / f"{end} {policy}")
                counts = Counter(
                    equal=len(back.verdict.equal), told=len(back.verdict.told), lost=len(back.verdict.lost)
                )
                yield end, policy, counts, list(back.complaints)


def main() -> int:
    """Go through the matrix; the number of differences that nobody expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="names of notebooks; all of them if none is given")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    options = parser.parse_args()
    # Threads that wait for one another by spinning would stop those beside them.
    os.environ["OMP_NUM_THREADS"] = "1"
    pythons = environments()
    if len(pythons) < 2:
        print("there are no two Pythons here to go between")
        return 1
    totals: dict[tuple[str, str], Counter[str]] = {}
    complaints: list[str] = []

    def go(task: tuple[Exhibit, str]) -> tuple[Exhibit, str, list[tuple[str, str, Counter[str], list[str]]], str]:
        exhibit, start = task
        try:
            return exhibit, start, list(journeys(exhibit, start, pythons)), ""
        except Exception as error:
            return exhibit, start, [], f"{type(error).__name__}: {error}"

    tasks = [(exhibit, start) for exhibit in exhibits(options.notebooks) for start in pythons]
    with ThreadPoolExecutor(options.jobs) as pool:
        for exhibit, start, found, failure in pool.map(go, tasks):
            if failure:
                complaints.append(f"{exhibit.path.stem} saved under {start}: {failure}")
                print(complaints[-1], flush=True)
            for end, policy, counts, wrong in sorted(found, key=str):
                totals.setdefault((start, end), Counter()).update(counts)
                print(f"{exhibit.path.stem:20} {start:>4} -> {end:4} {policy:9} {line(counts)}", flush=True)
                complaints += [f"{exhibit.path.stem} {start} -> {end} {policy}: {each}" for each in wrong]
                for each in wrong:
                    print(f"    NOT EXPECTED {each}", flush=True)
    print(f"\nfrom \\ to  {''.join(f'{end:<32}' for end in pythons)}")
    for start in pythons:
        print(f"{start:10} " + "".join(f"{line(totals.get((start, end), Counter())):<32}" for end in pythons))
    print(f"{len(complaints)} differences that were not expected")
    return min(len(complaints), 1)


def line(counts: Counter[str]) -> str:
    """How many variables came back equal, came back otherwise as the report tells, and are lost as it tells."""
    return f"{counts['equal']} equal, {counts['told']} told, {counts['lost']} lost" if counts else "-"


if __name__ == "__main__":
    sys.exit(main())
