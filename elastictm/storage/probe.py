"""How fast a folder's disk takes bytes, measured with little writing."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.storage.destination import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

MOST_BYTES = 16 * 10**6
"""Bytes that a probe writes at most."""

MOST_SECONDS = 0.05
"""Seconds that a probe takes at most, as far as the disk's first answers foretell."""

_BLOCK = 500_000
_TICK = 1e-9
_LEAST_PART = 0.25


def probe_bandwidth(folder: str | PathLike[str], clock: Callable[[], float] = time.perf_counter) -> float:
    """Bytes per second at which files in ``folder`` are written and synced; DestinationError where they cannot be.

    What it costs to sync at all is measured first, with one byte, and taken off: an archive pays it once, however
    large it is.
    Steps double in size while the next one, at the last step's speed, ends within the limits; the best step counts.
    The bytes cannot be compressed, so a file system that compresses does not look faster than it is.
    """
    start = clock()
    block = os.urandom(_BLOCK)
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            return _measure(file.fileno(), block, start, clock)
    except OSError as error:
        raise refused(f"A test file in {os.fspath(folder)}", error) from error


class BandwidthProbe:
    """The bandwidth of each folder, measured once."""

    def __init__(self, measure: Callable[[Path], float] = probe_bandwidth) -> None:
        self._measure = measure
        self._known: dict[Path, float] = {}

    def bandwidth(self, folder: str | PathLike[str]) -> float:
        """Bytes per second of the folder's disk."""
        resolved = Path(folder).resolve()
        if resolved not in self._known:
            self._known[resolved] = self._measure(resolved)
        return self._known[resolved]


def _measure(descriptor: int, block: bytes, start: float, clock: Callable[[], float]) -> float:
    syncing = _step(descriptor, memoryview(block)[:1], 1, clock)
    best, written, step = 0.0, 0, _BLOCK
    while True:
        seconds = _step(descriptor, memoryview(block), step // _BLOCK, clock)
        # On a busy disk two syncs differ by more than the bytes cost, so some of the time always counts.
        best = max(best, (step - 1) / max(seconds - syncing, _LEAST_PART * seconds, _TICK))
        written += step
        step *= 2
        if written + step > MOST_BYTES or clock() - start + step / best > MOST_SECONDS:
            return best


def _step(descriptor: int, block: memoryview, times: int, clock: Callable[[], float]) -> float:
    before = clock()
    for _ in range(times):
        _write(descriptor, block)
    os.fsync(descriptor)
    return clock() - before


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
