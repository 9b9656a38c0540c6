"""States that travel with an archive, from the store of a session into that of the session that restores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from elastictm.errors import ArchiveDamaged, ArchiveError, DestinationError
from elastictm.ids import RunNumber
from elastictm.session.states import Shelves
from elastictm.storage.bundle import put_past, unpack_past

if TYPE_CHECKING:
    from elastictm.model.history import HistoryView
    from elastictm.model.tree import StateTree
    from elastictm.session.past import Past
    from elastictm.session.reading import ReadingRoom
    from elastictm.session.restoring import Restored
    from elastictm.session.stores import Stores
    from elastictm.storage import manifest as m
    from elastictm.storage.reader import ArchiveReader
    from elastictm.storage.store import Store
    from elastictm.storage.writer import ArchiveWriter


def arrival(past: Past | None, archive: ArchiveReader, restored: Restored) -> str:
    """Have the states that came with an archive, where a past is kept; returns what to tell of it."""
    states = archive.manifest.past.states if archive.manifest.past is not None else 0
    if past is None or not past.saving:
        return f"the archive's {states} states were left out: this session keeps no past"
    try:
        past.take_in(archive, restored)
    except (ArchiveError, DestinationError, OSError) as error:
        return f"the archive's {states} states were left out: {error}"
    return f"{states_to_go_to(past.tree)} states came along: %past lists them"


def states_to_go_to(tree: StateTree) -> int:
    """How many states differ from their parents and were not cleared."""
    return sum(state.is_new and state.n not in tree.forgotten for state in tree)


def packed(room: ReadingRoom, tree: StateTree, writer: ArchiveWriter) -> m.Past:
    """Put all states of a session into an archive, those aside that were cleared.

    Raises:
        ArchiveDamaged: what was kept cannot be read.
        DestinationError: the archive cannot be written.
    """
    try:
        with room.opened() as stored:
            return put_past(stored, states_to_go_to(tree), writer)
    except ArchiveError as error:
        raise ArchiveDamaged(f"the past cannot travel, save without --with-past: {error}") from error


def unpacked(archive: ArchiveReader, stores: Stores, now: float, history: HistoryView) -> tuple[Store, StateTree, int]:
    """A new store with an archive's states, their tree, and how many runs of the archive's history are in it.

    Raises:
        ArchiveError: they cannot be read, or are not those of that history; no store is left behind.
        DestinationError: no store can be made.
    """
    store = stores.create(now)
    try:
        unpack_past(archive, store)
        with store.reader() as reader:
            shelves = Shelves()
            shelves.refresh(reader)
            tree = shelves.tree(reader)
        counted = _common(tree, history)
        tree.go(history.runs[counted - 1].n)
    except BaseException as error:
        store.close()
        stores.remove(store.folder)
        if isinstance(error, (msgspec.MsgspecError, ValueError)):
            raise ArchiveDamaged(f"{archive.name} is damaged: its past cannot be read: {error}.") from error
        raise
    return store, tree, counted


def _common(tree: StateTree, history: HistoryView) -> int:
    """How many of the first runs of a history make a line of the tree; what came last may have no state yet.

    Raises:
        ValueError: the tree is that of another history.
    """
    numbers: list[RunNumber] = [run.n for run in history.runs]
    for count in range(len(numbers), 0, -1):
        if numbers[count - 1] in tree:
            if [state.n for state in tree.line(numbers[count - 1])] == numbers[:count]:
                return count
            break
    raise ValueError("it is not that of its history")
