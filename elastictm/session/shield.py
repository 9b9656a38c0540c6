"""Interrupts that come between two steps that belong together wait until both are done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from typing_extensions import Self


class Shield:
    """Has interrupts wait while it is held, but in what runs ``open``; the one that waited comes at the end.

    Elsewhere than in the main thread there are none, and nothing is done.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, FrameType | None]] = []
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
        if callable(self._before):
            signal.signal(signal.SIGINT, self._wait)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not callable(self._before):
            return
        signal.signal(signal.SIGINT, self._before)
        if self._waiting and error is None:
            self._before(*self._waiting[-1])

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hear interrupts inside."""
        if not callable(self._before):
            yield
            return
        try:
            signal.signal(signal.SIGINT, self._before)
            if self._waiting:
                self._before(*self._waiting.pop())
            yield
        finally:
            # What ran may have chosen what hears interrupts from now on.
            now = signal.signal(signal.SIGINT, self._wait)
            self._before = now if callable(now) else self._before

    def _wait(self, number: int, frame: FrameType | None) -> None:
        self._waiting.append((number, frame))
