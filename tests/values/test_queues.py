"""Queues come back with what their class has here, whatever it had where they were stored."""

from __future__ import annotations

import queue

import pytest

from elastictm.values.reducers.queues import reduce_queue


@pytest.mark.parametrize("kind", [queue.Queue, queue.LifoQueue, queue.PriorityQueue])
def test_an_attribute_that_was_not_there_is_here(kind):
    """What an older Python did not give a queue is as in a fresh one; all else is as it was."""
    there = kind(3)
    there.put("a")
    del there.unfinished_tasks
    make, arguments, state = reduce_queue(there, None)
    here = make(*arguments)
    vars(here).update(state)
    assert here.unfinished_tasks == 0
    assert (here.maxsize, here.queue, here.get()) == (3, there.queue, "a")
