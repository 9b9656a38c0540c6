"""Pools of threads and processes, which start afresh, and what they promised."""

from __future__ import annotations

import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.loaded import loaded

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "concurrent.futures"


def reducers(module: ModuleType) -> dict[type, Any]:
    """The reducer for futures."""
    return {module.Future: reduce_future}


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of a pool whose module is loaded."""
    threads, processes = (loaded(f"concurrent.futures.{name}") for name in ("thread", "process"))
    if threads is not None and kind is threads.ThreadPoolExecutor:
        return reduce_thread_pool
    if processes is not None and kind is processes.ProcessPoolExecutor:
        return reduce_process_pool
    return None


def reduce_future(value: Any, _view: FreezingPass) -> Any:
    """A future whose result is there."""
    if not value.done():
        raise TypeError("cannot store a future whose work is not done")
    if value.cancelled():
        return future, ("cancelled",)
    error = value.exception()
    return (future, ("failed", error)) if error is not None else (future, ("done", value.result()))


def future(how: str, what: Any = None) -> Any:
    """A future that is done."""
    from concurrent.futures import Future  # noqa: PLC0415 - a rare kind of value

    made: Future[Any] = Future()
    if how == "cancelled":
        made.cancel()
        made.set_running_or_notify_cancel()
    elif how == "failed":
        made.set_exception(what)
    else:
        made.set_result(what)
    return made


def reduce_thread_pool(value: Any, _view: FreezingPass) -> Any:
    """A pool of threads without work: a new one of the same size."""
    if not value._shutdown and not _is_idle(value):  # noqa: SLF001 - public nowhere
        raise TypeError("cannot store a pool that is at work")
    parts = (value._max_workers, value._thread_name_prefix, value._initializer, value._initargs)  # noqa: SLF001
    return pool, ("ThreadPoolExecutor", parts, value._shutdown)  # noqa: SLF001 - likewise


def _is_idle(value: Any) -> bool:
    for pause in (0.0, 0.001, 0.004):
        # A thread whose work is done takes a moment to say so.
        time.sleep(pause)
        idle = value._idle_semaphore._value  # noqa: SLF001 - public nowhere
        if not value._work_queue.qsize() and idle >= len(value._threads):  # noqa: SLF001 - likewise
            return True
    return False


def reduce_process_pool(value: Any, _view: FreezingPass) -> Any:
    """A pool of processes without work: a new one of the same size."""
    if value._pending_work_items:  # noqa: SLF001 - public nowhere
        raise TypeError("cannot store a pool that is at work")
    shut = bool(value._shutdown_thread)  # noqa: SLF001 - likewise
    parts = (value._max_workers, value._mp_context, value._initializer, value._initargs)  # noqa: SLF001 - likewise
    return pool, ("ProcessPoolExecutor", parts, shut)


def pool(kind: str, parts: tuple[Any, ...], shut: bool) -> Any:  # noqa: FBT001 - stored so
    """A pool that has no threads or processes yet."""
    import concurrent.futures  # noqa: PLC0415 - a rare kind of value

    made = getattr(concurrent.futures, kind)(*parts)
    if shut:
        made.shutdown()
    return made
