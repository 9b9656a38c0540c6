"""Interrupts that come between two steps that belong together wait until both are done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final

from typing_extensions import Self

_SECONDS: Final = 0.02
"""How long who waits for something else may not hear an interrupt."""


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
            signal.signal(signal.SIGINT, self._wait)

    def _wait(self, number: int, frame: FrameType | None) -> None:
        self._waiting.append((number, frame))


def waited_for(done: Callable[[float], bool]) -> None:
    """Wait until ``done``, which is given seconds to wait, says so; an interrupt is heard soon."""
    while not done(_SECONDS):
        pass
