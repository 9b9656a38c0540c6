"""What belongs to this process alone, and why: event loops and their tasks, child processes."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"


def reducers(_: ModuleType) -> dict[type, Any]:
    """Nothing: what is loaded changes, so kinds are looked for one by one."""
    return {}


def kindred(kind: type, _: ModuleType) -> Any:
    """The refusal of a type whose module is loaded."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and issubclass(kind, asyncio.AbstractEventLoop):
        return refuse_loop
    if asyncio is not None and hasattr(kind, "_asyncio_future_blocking"):
        return refuse_task
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None and issubclass(kind, subprocess.Popen):
        return refuse_running_child
    return None


def refuse_loop(_value: Any, _view: FreezingPass) -> Any:
    """An event loop waits for handles of this process."""
    raise TypeError("cannot store an event loop: it waits for handles of this process")


def refuse_task(value: Any, _view: FreezingPass) -> Any:
    """A task, like any future of asyncio, belongs to a loop."""
    raise TypeError(f"cannot store an asyncio {type(value).__name__}: it belongs to an event loop of this process")


def refuse_running_child(value: Any, _view: FreezingPass) -> Any:
    """A child process that has ended is what it left; one that runs belongs to this process."""
    if value.returncode is None:
        raise TypeError("cannot store a running child process: it belongs to this process")
    return NotImplemented
