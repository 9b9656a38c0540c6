"""What the session set about the interpreter: limits, the garbage collector, threads and sockets to come."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

_RECURSION: Final = "recursion limit"
_SWITCHES: Final = "switch interval"
_DIGITS: Final = "int_max_str_digits"
_COLLECTS: Final = "gc.enabled"
_THRESHOLD: Final = "gc.threshold"
_STACK: Final = "threading.stack_size"
_TIMEOUT: Final = "socket timeout"


class Interpreter:
    """The settings of the interpreter that are not what they were when recording began."""

    name = "interpreter"
    module = ""

    def __init__(self) -> None:
        self._first = _now()

    def look(self) -> Mapping[str, Any]:
        """Those that the session set."""
        now = _now()
        return {} if now == self._first else {key: value for key, value in now.items() if value != self._usual(key)}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set them, and all others as they were."""
        notes: list[str] = []
        wanted = {key: self._usual(key) for key in _now()} | dict(settings)
        for key, value in wanted.items():
            set_it = _setters().get(key)
            if set_it is None:
                notes.append(f"{key} was {value}, which this Python does not have")
                continue
            try:
                set_it(value)
            except (ValueError, RecursionError, OverflowError) as error:
                notes.append(f"{key} was {value}: {error}")
        return notes

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return str(value)

    def _usual(self, key: str) -> Any:
        # The library of sockets may have been loaded since, and has no timeout then.
        return self._first.get(key)


def _now() -> dict[str, Any]:
    found: dict[str, Any] = {
        _RECURSION: sys.getrecursionlimit(),
        _SWITCHES: sys.getswitchinterval(),
        _COLLECTS: gc.isenabled(),
        _THRESHOLD: gc.get_threshold(),
        _STACK: threading.stack_size(),
    }
    if hasattr(sys, "get_int_max_str_digits"):  # since Python 3.10.7
        found[_DIGITS] = sys.get_int_max_str_digits()
    if "socket" in sys.modules:
        found[_TIMEOUT] = sys.modules["socket"].getdefaulttimeout()
    return found


def _setters() -> Mapping[str, Callable[[Any], object]]:
    found: dict[str, Callable[[Any], object]] = {
        _RECURSION: sys.setrecursionlimit,
        _SWITCHES: sys.setswitchinterval,
        _COLLECTS: lambda on: gc.enable() if on else gc.disable(),
        _THRESHOLD: lambda counts: gc.set_threshold(*counts),
        _STACK: threading.stack_size,
        _TIMEOUT: _set_timeout,
    }
    if hasattr(sys, "set_int_max_str_digits"):  # since Python 3.10.7
        found[_DIGITS] = sys.set_int_max_str_digits
    return found


def _set_timeout(seconds: float | None) -> None:
    import socket  # noqa: PLC0415 - a setting of it is what brings it in

    socket.setdefaulttimeout(seconds)
