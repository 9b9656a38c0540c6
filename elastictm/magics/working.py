"""Work that takes its time: how far it is, and, where somebody interrupts it, what state things are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from elastictm.errors import Interrupted
from elastictm.model.progress import SILENT
from elastictm.session.session import Session
from elastictm.views.progress import ProgressBar


@contextmanager
def working(session: Session, label: str, left: Callable[[], str], *, shown_on: object = None) -> Iterator[ProgressBar]:
    """Show how work of a session's goes on; ``left`` tells after an interrupt what state things are in.

    Raises:
        Interrupted: the user stopped it.
    """
    with ProgressBar(label, shown_on) as bar:
        session.progress = bar
        try:
            yield bar
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {left()}") from None
        finally:
            session.progress = SILENT


def session_left(session: Session, arrived: str) -> Callable[[], str]:
    """Tells whether the session is still what it is now; ``arrived`` says what it is otherwise."""
    before = session.history
    return lambda: "the session is as it was" if session.history is before else arrived


def file_left(path: str | PathLike[str]) -> Callable[[], str]:
    """Tells whether a file is still what it is now."""
    before = _identity(path)

    def told() -> str:
        now = _identity(path)
        if now != before:
            return f"{path} was written whole before that; the session is as it was"
        if now is None:
            return f"nothing was written, there is no {path}; the session is as it was"
        return f"{path} is the file that it was before; the session is as it was"

    return told


def _identity(path: str | PathLike[str]) -> tuple[int, ...] | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
