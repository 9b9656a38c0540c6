"""Running code in a shell that shows nothing of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO, TextIOBase
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell

from elastictm.values.reducers.files import standard


class Aside(TextIOBase):
    """Stands for a standard stream while a cell runs again, and leads to it later: handlers of loggers keep it."""

    def __init__(self, name: str, collected: StringIO) -> None:
        self._name = name
        self._collected: StringIO | None = collected

    def end(self) -> None:
        """The cell has run."""
        self._collected = None

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Collect a text, or show it."""
        stream = getattr(sys, self._name) if self._collected is None else self._collected
        written: int = stream.write(text)
        return written

    def flush(self) -> None:
        """Have what was shown be seen."""
        if self._collected is None:
            getattr(sys, self._name).flush()

    def __reduce__(self) -> tuple[Any, ...]:
        return standard, (self._name,)


@contextmanager
def quiet(shell: InteractiveShell, results: list[Any]) -> Iterator[None]:
    """Show nothing of what runs inside: results go into a list, displays and tracebacks nowhere."""

    class Collecting(DisplayHook):  # type: ignore[misc]
        def __call__(self, result: Any = None) -> None:
            if result is not None and not self.quiet():
                results.append(result)

    hook, shown, publisher = shell.display_trap.hook, shell._showtraceback, shell.display_pub  # noqa: SLF001
    from IPython.core.displaypub import CapturingDisplayPublisher  # noqa: PLC0415 - only re-runs need it

    # Within a running cell the trap is set already, so the interpreter's own hook is set as well.
    outer = sys.displayhook
    sys.displayhook = shell.display_trap.hook = Collecting(shell=shell, cache_size=0)
    shell._showtraceback = lambda *_: None  # noqa: SLF001 - a front end would mark the restoring cell as failed
    shell.display_pub = CapturingDisplayPublisher()
    try:
        yield
    finally:
        shell.display_trap.hook = hook
        sys.displayhook = outer
        shell._showtraceback = shown  # noqa: SLF001
        shell.display_pub = publisher
