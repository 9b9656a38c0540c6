"""Queues between threads, which newer Pythons give attributes that older ones do not store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "queue"


def reducers(queue: ModuleType) -> dict[type, Any]:
    """The reducer of the three classes; those of the user's make their attributes as they like."""
    return dict.fromkeys((queue.Queue, queue.LifoQueue, queue.PriorityQueue), reduce_queue)


def reduce_queue(value: Any, _view: FreezingPass) -> Any:
    """A queue as an empty one of its class, with the attributes that it has."""
    return empty_queue, (type(value),), dict(vars(value))


def empty_queue(kind: type[Any]) -> Any:
    """A queue with all attributes that its class gives it here."""
    return kind()
