"""The upkeep of a session's past: all that is kept has to be worth its bytes, and to fit a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from elastictm.model.tables import amount

if TYPE_CHECKING:
    from elastictm.model.tree import StateTree
    from elastictm.session.keeping import Keeper
    from elastictm.session.stores import Stores
    from elastictm.session.thrift import Thrift
    from elastictm.settings import Settings
    from elastictm.storage.store import Store

_WEIGHED_EVERY: Final = 32 * 10**6
"""Bytes of values after which somebody looks whether all that is kept is worth its space."""

_WEIGHED_AT_LEAST: Final = 10**5
"""Bytes of values for which nobody looks, however small the budget is."""


class Upkeep:
    """Has what is not worth its bytes dropped from one session's store, beside the cells.

    ``tell`` takes what the user should know of it, in lines.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with is passed in
        self,
        store: Store,
        stores: Stores,
        keeper: Keeper,
        tree: StateTree,
        settings: Callable[[], Settings],
        tell: Callable[[Iterable[str]], None],
    ) -> None:
        self._store = store
        self._stores = stores
        self._keeper = keeper
        self._tree = tree
        self._settings = settings
        self._tell = tell

    def weigh(self) -> None:
        """Look after all that is kept, if much was written since somebody last did."""
        if self._keeper.unweighed > _WEIGHED_AT_LEAST and self._keeper.unweighed > self._every():
            self.bound()

    def bound(self) -> None:
        """Have what is not worth its bytes dropped, by and by."""
        self._keeper.unweighed = 0
        thrift = self._thrift()
        self._keeper.later(lambda: self._tell(thrift.run()))

    def fit(self) -> Iterator[str]:
        """Have the budget hold at once; tells what that took."""
        before = self._store.size
        self.bound()
        self._keeper.flush()
        freed = before - self._store.size
        if freed > 0:
            yield f"dropped {amount(freed)} of this session: what was in it, cells can make again"

    def clean(self) -> str:
        """Drop what is of no use to any state that was not cleared; returns in words what was freed.

        Raises:
            DestinationError: the store cannot be written.
        """
        return self._thrift().clean()

    def _every(self) -> int:
        chosen = self._settings().budget
        return _WEIGHED_EVERY if chosen is None else min(_WEIGHED_EVERY, chosen // 4)

    def _thrift(self) -> Thrift:
        from elastictm.session.thrift import Thrift  # noqa: PLC0415 - recording small things does without

        return Thrift(self._store, self._stores, self._tree.copy(), self._stores.budget(self._settings().budget))
