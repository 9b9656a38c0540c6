"""Work in threads, in order."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from elastictm.storage.overlap import overlapped


def threads():
    """The names of this module's threads that are alive."""
    return [t.name for t in threading.enumerate() if t.name.startswith("elastictm-storage")]


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_results_come_in_order(count):
    """Results are in the order of the pieces, also when later ones are ready first."""

    def work(piece):
        time.sleep(0.001 * (piece % 3))
        return piece * 2

    assert list(overlapped(work, range(count), 3)) == [2 * i for i in range(count)]
    assert not threads()


def test_a_single_piece_starts_no_thread():
    """Small work is done where it was asked for."""
    assert list(overlapped(lambda _: threading.current_thread(), [1])) == [threading.main_thread()]


def test_error_in_a_thread_is_raised():
    """An error in the work is raised where the result is taken, and no thread stays."""
    with pytest.raises(ZeroDivisionError):
        list(overlapped(lambda piece: 1 // piece, [2, 1, 0, 1, 2]))
    assert not threads()


def test_closing_stops_the_work():
    """After closing, no piece is begun and no thread is left."""
    begun = []
    results = overlapped(begun.append, range(1000), 2)
    next(results)
    results.close()
    count = len(begun)
    assert not threads()
    assert count == len(begun) < 10


def test_few_pieces_are_worked_on_ahead():
    """Results that nobody takes do not pile up in memory."""
    begun = []
    results = overlapped(begun.append, range(1000), 2)
    next(results)
    time.sleep(0.02)
    assert len(begun) <= 4
    results.close()


def test_work_is_done_without_threads_where_none_can_start(monkeypatch):
    """While the interpreter ends no thread can start, and the work is done all the same."""

    def refuse(*_):
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert list(overlapped(lambda piece: piece + 1, range(5))) == [1, 2, 3, 4, 5]
