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


def probe_bandwidth(folder: str | PathLike[str], clock: Callable[[], float] = time.perf_counter) -> float:
    """Bytes per second at which files in ``folder`` are written and synced; DestinationError where they cannot be.

    Steps double in size while the next one, at the last step's speed, ends within the limits; the best step counts,
    because the first ones mostly show what it costs to sync at all.
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
    best, written, step = 0.0, 0, _BLOCK
    while True:
        before = clock()
        for _ in range(step // _BLOCK):
            _write(descriptor, memoryview(block))
        os.fsync(descriptor)
        after = clock()
        best = max(best, step / max(after - before, _TICK))
        written += step
        step *= 2
        if written + step > MOST_BYTES or after - start + step / best > MOST_SECONDS:
            return best


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
