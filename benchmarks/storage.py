"""What an archive costs beside the system's own operations, as ratios: `python benchmarks/storage.py [--folder F]`.

Rivals run in turn, so that a noisy machine troubles all alike; figures are medians over the runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from elastictm.storage.manifest import Blob, Environment, Manifest, Unit
from elastictm.storage.probe import probe_bandwidth
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.writer import ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 8 * 2**20
NOTHING = Blob((), 0, 0)
SMALL_BLOBS = 20_000
NETWORK = 50e6


def main() -> None:
    """Measure and print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=None, help="where to write; the system's temporary folder unless given")
    parser.add_argument("--size", type=int, default=2**30, help="bytes of the large buffer")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    data = memoryview(np.random.default_rng(0).random(options.size // 8)).cast("B")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(f"{options.size / 1e9:.2f} GB of random floats, median of {options.runs} runs, in {folder.parent}")
        large_buffer(folder, data, options.runs)
        small_blobs(folder, options.runs)
        print(f"probe: {probe_bandwidth(folder) / 1e6:.0f} MB/s in {seconds(partial(probe_bandwidth, folder)):.3f} s")


def large_buffer(folder: Path, data: memoryview, runs: int) -> None:
    """Write and read one large buffer, beside plain writing and reading."""
    plain, archive = folder / "plain.bin", folder / "archive.tm"
    writing = in_turn(
        {
            "plain write + fsync": partial(plain_write, plain, data),
            "archive": partial(archive_write, archive, [data]),
        },
        runs,
        before=partial(remove, plain, archive),
    )
    show("write", writing, "plain write + fsync")
    plain_write(plain, data)
    archive_write(archive, [data])
    reading = in_turn(
        {
            "plain read": partial(plain_read, plain),
            "archive: open, check, map": partial(read_units, archive),
            "archive: check every byte": partial(verify, archive),
        },
        runs,
    )
    show("read from the page cache", reading, "plain read")
    remove(plain, archive)


def small_blobs(folder: Path, runs: int) -> None:
    """Write and read many small blobs, beside one file of the same bytes."""
    plain, archive = folder / "plain.bin", folder / "small.tm"
    blobs = [memoryview(str(i).encode() * 100) for i in range(SMALL_BLOBS)]
    whole = memoryview(b"".join(blobs))
    writing = in_turn(
        {
            "one plain file": partial(plain_write, plain, whole),
            "archive": partial(archive_write, archive, blobs),
            "archive, compressed": partial(archive_write, archive, blobs, NETWORK),
        },
        runs,
        before=partial(remove, plain, archive),
    )
    show(f"write {SMALL_BLOBS} small blobs, {len(whole) / 1e6:.0f} MB", writing, "one plain file")
    archive_write(archive, blobs)
    show("read them", in_turn({"archive": partial(read_units, archive)}, runs), "archive")
    remove(plain, archive)


def plain_write(path: Path, data: memoryview) -> None:
    """Write and sync without anything that an archive adds."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(data), BLOCK):
            file.write(data[start : start + BLOCK])
        os.fsync(file.fileno())


def plain_read(path: Path) -> None:
    """Read a file into memory."""
    path.read_bytes()


def archive_write(path: Path, blobs: list[memoryview], bandwidth: float = float("inf")) -> None:
    """Write an archive with one unit for each blob."""
    environment = Environment("", "", "", "", {}, "")
    with ArchiveWriter(path, force=True, bandwidth=bandwidth) as writer:
        units = tuple(Unit(writer.put(blob)) for blob in blobs)
        writer.commit(Manifest(0.0, environment, NOTHING, 0, (), units, ()))


def read_units(path: Path) -> None:
    """Open an archive and read every unit."""
    with ArchiveReader(path) as reader:
        for unit in reader.manifest.units:
            reader.read(unit.stream)


def verify(path: Path) -> None:
    """Open an archive and check every byte."""
    with ArchiveReader(path) as reader:
        reader.verify()


def remove(*paths: Path) -> None:
    """Remove files that may not be there."""
    for path in paths:
        path.unlink(missing_ok=True)


def in_turn(
    rivals: dict[str, Callable[[], object]], runs: int, before: Callable[[], object] = tuple
) -> dict[str, list[float]]:
    """Seconds that each rival took, run by run."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(runs):
        for name, work in rivals.items():
            before()
            times[name].append(seconds(work))
    return times


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(heading: str, times: dict[str, list[float]], base: str) -> None:
    """Print each rival's median, and the median of its ratios to the base of the same run."""
    print(heading)
    for name, taken in times.items():
        ratios = [own / other for own, other in zip(taken, times[base], strict=True)]
        print(f"  {name:28} {statistics.median(taken):7.3f} s  {statistics.median(ratios):6.2f} x")


if __name__ == "__main__":
    main()
