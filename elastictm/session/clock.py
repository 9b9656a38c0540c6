"""The time, passed in so that tests can set it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Time in seconds: a stopwatch and a calendar."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def worked(self) -> float:
        """Seconds that this thread has kept a processor busy."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()

    def worked(self) -> float:
        """Seconds that this thread has kept a processor busy."""
        return time.thread_time()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()
