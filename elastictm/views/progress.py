"""A progress bar for what takes longer than half a second, in a terminal and in a notebook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import Self

from elastictm.model.tables import amount, duration
from elastictm.views.console import console

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_QUIET_SECONDS: Final = 0.5
_LINE_SECONDS: Final = 0.2
_KNOWN: Final = 0.05
"""The part that must be done before the speed so far says anything: what comes first is seldom the bytes."""


class ProgressBar:
    """Bytes done, bytes to do, speed and seconds left; shown only once it has taken half a second.

    Called with the number of bytes that were just done, and the total where it is known.
    A terminal gets a bar, a notebook one line of text that is written over itself, anything else nothing.
    """

    def __init__(self, label: str, console: Any = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._console = console
        self._clock = clock
        self._started = clock()
        self._done = 0
        self._shown: _Bar | _Line | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show that more bytes are done."""
        self._done += done
        if total is not None and self._done > total:
            # More than was foretold: nobody knows how much is left.
            total = None
        seconds = self._clock() - self._started
        if seconds <= _QUIET_SECONDS:
            return
        if self._shown is None:
            self._shown = self._start(total)
        if self._shown is not None:
            self._shown.show(self._done, total, seconds)

    def _start(self, total: int | None) -> _Bar | _Line | None:
        shown_on = self._console or console()
        if shown_on.is_jupyter:
            return _Line(self._label, shown_on.file)
        return _Bar(self._label, shown_on, total) if shown_on.is_terminal else None


class _Bar:
    """A bar in a terminal."""

    def __init__(self, label: str, console: Any, total: int | None) -> None:
        from rich import progress  # noqa: PLC0415 - only a terminal needs it

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TextColumn("{task.fields[speed]}"),
        )
        self._bar = progress.Progress(*columns, console=console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(label, total=total, speed="")

    def show(self, done: int, total: int | None, seconds: float) -> None:
        self._bar.update(self._task, completed=done, total=total, speed=_speed(done, total, seconds))

    def stop(self) -> None:
        self._bar.stop()


class _Line:
    """One line in a notebook, where a bar of rich's would need widgets."""

    def __init__(self, label: str, file: Any) -> None:
        self._label = label
        self._file = file
        self._written = -_LINE_SECONDS

    def show(self, done: int, total: int | None, seconds: float) -> None:
        if seconds - self._written < _LINE_SECONDS:
            return
        self._written = seconds
        text = f"{self._label} {amount(done)}"
        if total:
            text += f" of {amount(total)}"
        text = ", ".join(filter(None, (text, _speed(done, total, seconds))))
        self._file.write(f"\r{text:<70}")
        self._file.flush()

    def stop(self) -> None:
        self._file.write("\r" + " " * 70 + "\r")
        self._file.flush()


def _speed(done: int, total: int | None, seconds: float) -> str:
    """Bytes a second and the time left, as far as they are known; a total may never be."""
    if done <= _KNOWN * (total or 0):
        return ""
    speed = done / seconds
    text = f"{amount(speed)}/s"
    return f"{text}, {duration(max(total - done, 0) / speed)} left" if total else text
