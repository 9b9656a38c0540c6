"""Cells that ran aside run aside once more, for a cell that takes what they made and runs again itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from elastictm.model.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elastictm.model.records import Aside
    from elastictm.session.session import Session


@contextmanager
def again(session: Session, asides: Sequence[Aside]) -> Iterator[None]:
    """Inside, the session's futures are these, which have ended; they read the variables as they are now.

    Raises:
        UsageError: one cannot be begun here.
    """
    kept = session.history, session.recorder, session.futures
    session.history = History()
    session.recorder = session.new_recorder(session.circumstances.anew())
    session.recorder.suspended = True
    session.recorder.begin()
    session.futures = kept[2].beside()
    try:
        for aside in asides:
            for part in aside.in_order():
                session.futures.repeat(part)
        yield
    finally:
        session.futures.close()
        session.history, session.recorder, session.futures = kept
