"""Looking into the stores of sessions from outside: nothing in them is run or changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from elastictm.errors import ArchiveDamaged, UsageError
from elastictm.ids import RunNumber
from elastictm.model.progress import SILENT, Progress
from elastictm.model.reports import SaveReport
from elastictm.model.sessions import SessionLine, SessionList, StateContents
from elastictm.model.timeline import Costs, Timeline, timeline
from elastictm.model.tree import StateTree
from elastictm.session.copying import write_archive
from elastictm.session.gaps import gaps, paused, states_of
from elastictm.session.states import Shelves, StateReader, contents
from elastictm.session.stores import Found, Stores
from elastictm.session.trust import TrustBook, is_own
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.store import Store
from elastictm.storage.store_reader import StoreReader


class Archivist:
    """Answers questions on all sessions below a folder; the user's data folder if it is empty."""

    def __init__(self, folder: str = "") -> None:
        self._stores = Stores(lambda: folder)

    def sessions(self, now: float) -> SessionList:
        """All sessions, the latest first."""
        return session_list(self._stores, now)

    def timeline(self, session: str, now: float, *, everything: bool) -> Timeline:
        """The states of a session."""
        with self._opened(session) as (name, reader, shelves, tree):
            shown = timeline(name, tree, now, Costs(shelves.bytes), everything=everything)
            return replace(shown, gaps=gaps(shelves, tree, reader))

    def contents(self, session: str, state: str) -> StateContents:
        """What a state holds."""
        with self._opened(session) as (name, reader, shelves, tree):
            return contents(StateReader(reader, shelves, tree, chosen(tree, name, state), name))

    def save(
        self, session: str, state: str | None, path: Path, *, force: bool, progress: Progress = SILENT
    ) -> SaveReport:
        """Write a state as an archive, the last one if none is named.

        Raises:
            DestinationError: it cannot be written there; what was there is intact.
            ArchiveDamaged: no state of the session can be read.
        """
        with self._opened(session) as (name, reader, shelves, tree):

            def written(tree: StateTree) -> SaveReport:
                source = StateReader(reader, shelves, tree, chosen(tree, name, state), name)
                report = write_archive(source, path, time.perf_counter, force=force, progress=progress)
                return replace(report, notes=(*gaps(shelves, tree, reader), *report.notes))

            try:
                report = written(tree)
            except ArchiveDamaged as error:
                reader.tell(error)
                shelves.sift(reader)
                report = written(states_of(shelves, reader, name))
            if is_own(reader.folder):
                with ArchiveReader(path) as archive:
                    TrustBook().add(archive.manifest)
            return report

    @contextmanager
    def _opened(self, session: str) -> Iterator[tuple[str, StoreReader, Shelves, StateTree]]:
        found = self._stores.find(session)
        with Store.open(found.folder) as store, store.reader() as reader:
            shelves = Shelves()
            shelves.refresh(reader)
            yield found.about.id, reader, shelves, states_of(shelves, reader, found.about.id)


def session_list(stores: Stores, now: float) -> SessionList:
    """The sessions that keep a past."""
    lines = (
        SessionLine(
            s.about.id,
            now - s.about.started,
            s.about.directory,
            s.about.notebook,
            s.about.python,
            s.size,
            s.alive,
            gaps=_gaps(s),
        )
        for s in stores.sessions()
    )
    return SessionList(str(stores.root), tuple(lines))


def _gaps(found: Found) -> tuple[str, ...]:
    """What of a session cannot be read, or was not kept before it ended."""
    with Store.open(found.folder) as store, store.reader() as reader:
        shelves = Shelves()
        shelves.refresh(reader)
        broken = any(
            record.parent is not None and record.parent not in shelves.records for _, record in shelves.records.values()
        )
        if broken or reader.is_damaged:
            return gaps(shelves, shelves.tree(reader), reader)
        return (paused(shelves.pause),) if shelves.pause is not None and not found.alive else ()


def chosen(tree: StateTree, name: str, state: str | None) -> RunNumber:
    """The state of a session that a word names, without a word the one that it stood in last.

    Raises:
        UsageError: there is no such state.
    """
    if tree.at is None:
        raise UsageError(f"nothing was kept of {name}")
    if state is None:
        return tree.at
    if state in tree.tags:
        return tree.tags[state]
    if state.isdecimal() and int(state) in tree.lost:
        raise UsageError(f"state {state} of {name} cannot be read; elastictm past {name} says why")
    if state.isdecimal() and int(state) in tree and int(state) not in tree.forgotten:
        return RunNumber(int(state))
    raise UsageError(f"{name} has no state {state!r}: they are numbered as cells are, 0 to {tree.latest}")
