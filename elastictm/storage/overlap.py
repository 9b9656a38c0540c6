"""Work on pieces in threads, given back in order, so that it overlaps with what is done with the results."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Piece = TypeVar("Piece")
Result = TypeVar("Result")

MOST_THREADS = 4
"""Threads that work side by side at most; past this, memory and disk set the pace."""


def overlapped(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], most_threads: int = MOST_THREADS
) -> Generator[Result, None, None]:
    """The results of ``work`` in order, worked out a few pieces ahead; single pieces start no thread.

    No thread is left running when the iterator ends or is closed.
    """
    if len(pieces) < 2:  # noqa: PLR2004 - nothing to overlap with
        yield from map(work, pieces)
        return
    threads = min(most_threads, os.cpu_count() or 1, len(pieces))
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="elastictm-storage") as pool:
        try:
            for piece in pieces:
                waiting.append(_start(pool, work, piece))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _start(pool: ThreadPoolExecutor, work: Callable[[Piece], Result], piece: Piece) -> Future[Result]:
    try:
        return pool.submit(work, piece)
    except RuntimeError:  # no more threads can start, as while the interpreter ends
        future: Future[Result] = Future()
        future.set_result(work(piece))
        return future
