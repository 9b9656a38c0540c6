"""Locks, threads, pools and what waits for them."""

from __future__ import annotations

import re
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "threading"

_Lock: Any = type(threading.Lock())
_RLock: Any = type(threading.RLock())
_COUNT: Final = re.compile(r"count=(\d+)")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for what threads are made and held with."""
    return {
        _Lock: reduce_lock,
        _RLock: reduce_recursive_lock,
        threading.Condition: reduce_condition,
        threading.Thread: reduce_thread,
        threading.Timer: reduce_timer,
    }


def kindred(kind: type, _: ModuleType) -> Any:
    """Threads of the session's own classes cannot be stored once they run, simple queues never."""
    queue = sys.modules.get("_queue")
    if queue is not None and issubclass(kind, queue.SimpleQueue):
        return refuse_simple_queue
    return refuse_running_thread if issubclass(kind, threading.Thread) else None


def reduce_lock(value: Any, _view: FreezingPass) -> Any:
    """A lock, free or held."""
    return lock, (value.locked(),)


def lock(held: bool) -> Any:  # noqa: FBT001 - stored so
    """A lock, free or held."""
    made = threading.Lock()
    if held:
        made.acquire()
    return made


def reduce_recursive_lock(value: Any, _view: FreezingPass) -> Any:
    """A lock that its holder may take again, as often as this thread holds it."""
    count = _COUNT.search(repr(value))
    times = int(count[1]) if count else 0
    if times and not value._is_owned():  # noqa: SLF001 - public nowhere
        raise TypeError("cannot store a lock that another thread holds")
    return recursive_lock, (times,)


def recursive_lock(times: int) -> Any:
    """A lock that this thread holds so many times."""
    made = threading.RLock()
    for _ in range(times):
        made.acquire()
    return made


def reduce_condition(value: Any, _view: FreezingPass) -> Any:
    """A condition that no thread waits on."""
    if value._waiters:  # noqa: SLF001 - public nowhere
        raise TypeError("cannot store a condition that threads wait on")
    return NotImplemented


def reduce_thread(value: Any, _view: FreezingPass) -> Any:
    """A thread that has not begun, or has ended."""
    if value.ident is None:
        parts = {name: getattr(value, f"_{name}") for name in ("target", "args", "kwargs")}
        parts |= {"name": value.name, "daemon": value.daemon}
        return thread, (parts,)
    if value is threading.main_thread():
        return threading.main_thread, ()
    _refuse_running(value)
    return ended_thread, (value.name, value.daemon)


def thread(parts: Mapping[str, Any]) -> threading.Thread:
    """A thread that has not begun."""
    return threading.Thread(**parts)


def ended_thread(name: str, daemon: bool) -> threading.Thread:  # noqa: FBT001 - stored so
    """A thread that has ended."""
    made = threading.Thread(name=name, daemon=daemon)
    made.start()
    made.join()
    return made


def reduce_timer(value: Any, _view: FreezingPass) -> Any:
    """A timer that does not run yet."""
    if value.ident is not None:
        _refuse_running(value)
        raise TypeError("cannot store a timer that has ended")
    return timer, (value.interval, value.function, value.args, value.kwargs, value.finished.is_set())


def timer(
    interval: float,
    function: Any,
    args: Any,
    kwargs: Any,
    cancelled: bool,  # noqa: FBT001 - stored so
) -> threading.Timer:
    """A timer that does not run yet."""
    made = threading.Timer(interval, function, args, kwargs)
    if cancelled:
        made.cancel()
    return made


def refuse_running_thread(value: Any, _view: FreezingPass) -> Any:
    """A thread of another class is stored by its attributes as long as it has not begun."""
    if value.ident is None:
        return NotImplemented
    _refuse_running(value)
    raise TypeError(f"cannot store a thread of the class {type(value).__qualname__} that has ended")


def _refuse_running(value: Any) -> None:
    if value.is_alive():
        raise TypeError("cannot store a running thread: it belongs to this process")


def refuse_simple_queue(_value: Any, _view: FreezingPass) -> Any:
    """The items of a simple queue can only be seen by taking them out."""
    raise TypeError("cannot store a queue.SimpleQueue: what is in it can only be seen by taking it out")
