"""Bringing back a state of another session: of one that ended, with all its states; of one that lives, a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged, UsageError
from elastictm.model.tree import StateTree
from elastictm.session.archivist import chosen
from elastictm.session.gaps import gaps, left_out, states_of
from elastictm.session.prospect import Prospect
from elastictm.session.restoring import Restored, Restorer
from elastictm.session.states import Shelves, StateReader
from elastictm.session.watch import Watch
from elastictm.storage.store import Store

if TYPE_CHECKING:
    from elastictm.ids import RunNumber
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.host import Host
    from elastictm.session.past import Past
    from elastictm.session.stores import Found


class Recovery:
    """One session's past, on its way into another session.

    ``taken`` is its store, if it could be taken over, and ``tree`` its states.
    """

    def __init__(self, found: Found, own: Past) -> None:
        if found.about.id == own.name:
            raise UsageError(f"{own.name} is this very session: %past N goes to its states")
        self._found = found
        self._unwanted = own.unwanted.names()
        self.taken: Store | None = None
        self.tree = StateTree()

    def run(  # noqa: PLR0913 - what is rebuilt, where, and who looks on
        self,
        state: str | None,
        host: Host,
        clock: Clock,
        circumstances: Circumstances,
        watch: Watch,
        *,
        allow_effects: bool,
    ) -> Restored:
        """Rebuild a state here, the one that the session stood in if none is named.

        Raises:
            UsageError: there is no such state.
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        folder = self._found.folder
        store = Store.open(folder) if self._found.alive else Store.take_over(folder)
        try:
            with store.reader() as reader:
                shelves = Shelves()
                shelves.refresh(reader)

                def rebuilt() -> tuple[RunNumber, Restored]:
                    with watch.shield.open():
                        self.tree = states_of(shelves, reader, self._found.about.id)
                        n = chosen(self.tree, self._found.about.id, state)
                        target = StateReader(reader, shelves, self.tree, n, self._found.about.id)
                        prospect = Prospect(target, allow_effects=allow_effects, history=target.history)
                    return n, Restorer(prospect, host, clock.elapsed, circumstances, watch).run()

                try:
                    n, restored = rebuilt()
                except ArchiveDamaged as error:
                    reader.tell(error)
                    shelves.sift(reader)
                    n, restored = rebuilt()
                told = gaps(shelves, self.tree, reader)
        except BaseException:
            store.close()
            raise
        self.tree.go(n)
        if state is None:
            # The last cell may have changed nothing, and have no line in the list of states.
            path = StateReader.name_of(self.tree.changed(n), self._found.about.id)
            restored = replace(restored, report=replace(restored.report, path=path))
        if store.owned:
            self.taken = store
        else:
            store.close()
        told = (*told, *left_out(shelves, self._unwanted))
        return replace(restored, report=replace(restored.report, notes=(*told, *restored.report.notes)))
