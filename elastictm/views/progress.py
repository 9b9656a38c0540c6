"""A progress bar for what takes longer than half a second, in a terminal and in a notebook."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final

from typing_extensions import Self

_QUIET_SECONDS: Final = 0.5


class ProgressBar:
    """Bytes done, bytes to do, seconds left; shown only once it has taken half a second.

    Called with the number of bytes that were just done, and the total where it is known.
    """

    def __init__(self, label: str, console: Any = None) -> None:
        self._label = label
        self._console = console
        self._started = time.monotonic()
        self._done = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show that more bytes are done."""
        self._done += done
        if self._bar is None and time.monotonic() - self._started > _QUIET_SECONDS:
            self._show(total)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, total=total)

    def _show(self, total: int | None) -> None:
        from rich import progress  # noqa: PLC0415 - most work ends before it is needed

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        self._bar = progress.Progress(*columns, console=self._console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=total)
