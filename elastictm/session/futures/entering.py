"""Entering a crate: what it holds becomes all that a session has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elastictm.errors import RestoreFailed
from elastictm.model.history import History
from elastictm.session.prospect import Prospect
from elastictm.session.restoring import Restorer
from elastictm.session.watch import put_in_order

if TYPE_CHECKING:
    from elastictm.session.session import Session
    from elastictm.storage.readable import Readable


def enter(session: Session, reader: Readable) -> None:
    """Have what a crate holds for all there is; the history begins with that, and what comes before the next cell.

    Raises:
        ArchiveError: the crate is damaged.
        RestoreFailed: some of it cannot be had here.
    """
    with put_in_order(session.recorder, session.progress, session.again) as watch:
        restored = Restorer(Prospect(reader), session.host, session.clock.elapsed, session.circumstances, watch).run()
        lost = [each for each in (*restored.report.variables, *restored.report.outputs) if each.outcome == "lost"]
        if lost:
            raise RestoreFailed(f"{lost[0].name} does not load there: {lost[0].reason}")
        session.history = History()
        session.recorder = session.new_recorder(session.circumstances, restored.around)
