"""What long work tells while it goes on: what is being done, how much of it there is, and how much is done."""

from __future__ import annotations

from typing import Literal, Protocol

Unit = Literal["bytes", "seconds", ""]
"""In what work is measured: time passes by itself, and some work cannot be measured."""


class Progress(Protocol):
    """Somebody who is told how work goes on."""

    def stage(self, what: str, total: float | None = None, unit: Unit = "bytes") -> None:
        """Something begins, of which so much is expected."""
        ...

    def __call__(self, done: float) -> None:
        """More of it is done."""
        ...


class Silent:
    """Nobody."""

    def stage(self, what: str, total: float | None = None, unit: Unit = "bytes") -> None:
        """Something begins."""

    def __call__(self, done: float) -> None:
        """More of it is done."""


SILENT: Progress = Silent()
"""Nobody, for those who have nobody to tell."""
