"""Reading what a session has kept, while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from elastictm.session.fares import IN_PASSING, PATIENCE, Fare, Fares
from elastictm.session.gaps import gaps
from elastictm.session.host import Host
from elastictm.session.lookback import StateVariables
from elastictm.session.states import Shelves, StateReader, contents

if TYPE_CHECKING:
    from elastictm.errors import ArchiveDamaged
    from elastictm.ids import RunNumber, Version
    from elastictm.model.difference import DifferenceReport
    from elastictm.model.sessions import StateContents
    from elastictm.model.tree import StateTree
    from elastictm.session.keeping import Keeper
    from elastictm.storage.store import Store
    from elastictm.storage.store_reader import StoreReader


class ReadingRoom:
    """Where the states of a session's store are read.

    Responsibilities:
    - open the store with all in it that is on its way there;
    - remember what its packs hold, until some of them were merged;
    - show a state to those who do not go there.
    """

    def __init__(self, store: Store, keeper: Keeper, tree: StateTree, host: Host) -> None:
        self._store = store
        self._keeper = keeper
        self._tree = tree
        self._host = host
        self._shelves = Shelves()
        self._merges = keeper.merges
        self._fares = Fares()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way to the disk, so that opening the store waits for nothing."""
        return self._keeper.idle

    def opened(self) -> StoreReader:
        """The store, with all in it that is on its way there."""
        self._keeper.flush()
        return self._store.reader()

    def state(self, stored: StoreReader, n: RunNumber) -> StateReader:
        """A state as an archive."""
        return StateReader(stored, self.shelves(stored), self._tree, n, self._store.about.id)

    def shelves(self, stored: StoreReader) -> Shelves:
        """What the packs hold, those that are new included."""
        merges = self._keeper.merges
        if merges != self._merges:
            # Packs that were merged have other numbers.
            self._shelves, self._merges = Shelves(), merges
        self._shelves.refresh(stored)
        return self._shelves

    def forget(self) -> None:
        """Remember nothing of the packs: other ones may be there by now."""
        self._shelves = Shelves()

    def sift(self, error: ArchiveDamaged) -> None:
        """Find all that is damaged, and do without it."""
        with self.opened() as stored:
            stored.tell(error)
            self.shelves(stored).sift(stored)

    def variables(self, n: RunNumber) -> StateVariables:
        """The variables of a state, without going there."""
        with self.opened() as stored:
            return StateVariables(self.state(stored, n), self._host, self.opened)

    def contents(self, n: RunNumber) -> StateContents:
        """What a state holds."""
        with self.opened() as stored:
            return contents(self.state(stored, n))

    def difference(self, a: RunNumber, b: RunNumber, clock: Callable[[], float]) -> DifferenceReport:
        """What differs between two states; the clock bounds how long values are compared."""
        from elastictm.session.differing import difference  # noqa: PLC0415 - recording does without

        histories = self._tree.history(a), self._tree.history(b)
        return difference((a, b), histories, (self.variables(a), self.variables(b)), clock)

    def seen(self) -> tuple[Mapping[RunNumber, int], Mapping[RunNumber, Fare]]:
        """The bytes on disk of each state and what going there takes, as they were when somebody looked last."""
        return self._shelves.bytes, self._fares.last

    def fared(
        self,
        at_hand: Collection[Version],
        wanted: Collection[RunNumber],
        clock: Callable[[], float],
        *,
        in_passing: bool = False,
    ) -> tuple[Mapping[RunNumber, Fare], RunNumber | None]:
        """What going to states takes whose bytes are not all there, and up to which one that is a guess."""
        with self.opened() as stored:
            shelves = self.shelves(stored)
            patience = IN_PASSING if in_passing else PATIENCE
            return self._fares.of(
                self._tree, shelves, at_hand, wanted, lambda n: self.state(stored, n), clock, patience
            )

    def written(self) -> tuple[Mapping[RunNumber, int], tuple[str, ...]]:
        """The bytes on disk of each state, and what of them cannot be read, in lines."""
        with self.opened() as stored:
            shelves = self.shelves(stored)
            if stored.is_damaged or self._tree.lost:
                return shelves.bytes, gaps(shelves, shelves.tree(stored), stored)
            return shelves.bytes, ()
