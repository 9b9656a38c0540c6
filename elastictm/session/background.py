"""The thread that writes what a session keeps while its cells go on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from elastictm.session.lingering import OWN_THREADS

Job = Callable[[Callable[[], None]], None]
"""Something to write; it calls what it is given once it does not need the session's memory any more."""


class Background:
    """One thread that writes, one job after another; it is there once there is one.

    ``trouble`` is what one of them raised; until somebody takes it away none is done any more.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._live = 0
        self._open = 0
        self.trouble: BaseException | None = None

    def add(self, job: Job) -> None:
        """Have a job done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"{OWN_THREADS}past", daemon=True)
            self._thread.start()
        with self._changed:
            self._live += 1
            self._open += 1
        self._jobs.put(job)

    @property
    def idle(self) -> bool:
        """Whether all jobs are done."""
        return not self._open

    def settle(self) -> None:
        """Wait until all jobs have read the session's memory."""
        with self._changed:
            self._changed.wait_for(lambda: not self._live)

    def flush(self) -> None:
        """Wait until all jobs are done."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open)

    def close(self) -> None:
        """Do what is left, and end."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            read = _Once(self._has_read)
            try:
                if self.trouble is None:
                    job(read)
            except BaseException as error:  # noqa: BLE001 - it is told where somebody looks; nobody waits forever
                self.trouble = error
            read()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _has_read(self) -> None:
        with self._changed:
            self._live -= 1
            self._changed.notify_all()


class _Once:
    """Calls a function at the first call."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()
