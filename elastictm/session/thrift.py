"""Keeping the past within bounds: what is quick to make again takes no space, and all of it no more than a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from elastictm.ids import RunNumber, Version
from elastictm.model.records import CellRun
from elastictm.model.tables import amount
from elastictm.model.tree import StateTree
from elastictm.planning.clans import Holding, Shared
from elastictm.planning.retention import Retention
from elastictm.session.loading import seconds_to_read
from elastictm.session.states import Group, Shelves, versions_of
from elastictm.session.stores import Stores
from elastictm.storage import pack as p
from elastictm.storage.store import Store
from elastictm.storage.store_reader import StoreReader

_PRICE: Final = 2e-9
"""Seconds that a byte has to save to be kept, though there is room: about what reading it back takes."""

_ALMOST_NOTHING: Final = 1e-13
"""A price in seconds per byte at which only what nobody needs is not worth keeping."""

_LARGE: Final = 64 * 10**6
"""Bytes of a store under which nothing is dropped as long as the budget holds."""


@dataclass(frozen=True, slots=True)
class Thrift:
    """Bounds one session's store; ``tree`` is a copy of its states, which go on meanwhile."""

    store: Store
    stores: Stores
    tree: StateTree
    budget: int

    def run(self) -> Iterator[str]:
        """Drop what is not worth its bytes, and tell what the user should know.

        Raises:
            DestinationError: the store cannot be written.
        """
        others = self.stores.size - self.store.size
        over = others + self.store.size - self.budget
        if over > 0:
            removed = list(self._without_old(over))
            if removed:
                yield f"the past took more than its budget of {amount(self.budget)}: removed {', '.join(removed)}"
            others = self.stores.size - self.store.size
        if self.budget >= self.store.size + others > self.budget / 3:
            yield f"the past takes more than a third of its budget of {amount(self.budget)}; %past budget says more"
        if self.store.size > min(_LARGE, max(0, self.budget - others)):
            yield from self._drop(max(0, self.budget - others))

    def _without_old(self, over: int) -> Iterator[str]:
        """Remove the stores of sessions that ended, the oldest first, until enough is free; their names."""
        for found in self.stores.oldest(over):
            self.stores.remove(found.folder)
            yield found.about.id

    def clean(self) -> str:
        """Drop what is of no use to any state that was not cleared; returns in words what was freed.

        Raises:
            DestinationError: the store cannot be written.
        """
        before = self.store.size
        told = list(self._drop(before, _ALMOST_NOTHING))
        return "; ".join([f"{amount(max(0, before - self.store.size))} freed", *told])

    def _drop(self, room: int, price: float = _PRICE) -> Iterator[str]:
        with self.store.reader() as reader:
            shelves = Shelves()
            shelves.refresh(reader)
            if reader.is_damaged:
                yield "nothing of the past is dropped, as some of it cannot be read: %past says what"
                return
            sequences = [sequence for sequence, _ in reader.packs()]
            groups = list(shelves.kept())
            alone, shared = _shared([_chunks(group, reader) for group in groups])
            holdings = [
                Holding(
                    RunNumber(group.kept.at),
                    frozenset(group.versions),
                    alone[i],
                    seconds_to_read(group.kept.unit, partial(reader.raw, group.sequence)) + sum(group.kept.seconds),
                    frozenset(v for v in group.versions if v.name in group.kept.flaws),
                )
                for i, group in enumerate(groups)
            ]
        dear = {n for n in (self.tree.at, *self.tree.tags.values()) if n is not None}
        retention = Retention(self.tree, holdings, shared, dear=dear, runnable=_reads_files)
        retained = retention.at(price)
        if retained.bytes > room:
            retained = retention.within(room)
        if len(retained.kept) < len(groups):
            wanted = {_key(groups[i].kept) for i in retained.kept}
            self.store.merge(sequences, lambda kept: _key(kept) in wanted)
        if retained.over:
            yield (
                f"the past takes {amount(retained.over)} more than its budget of {amount(self.budget)}: "
                "what no cell can make again is kept; %past clear forgets states"
            )


def _chunks(group: Group, reader: StoreReader) -> dict[str, int]:
    """The chunks that a group lies in, with their bytes."""
    unit = group.kept.unit
    return {
        digest: size for blob in (unit.stream, *unit.segments) for digest, size in reader.stored(group.sequence, blob)
    }


def _shared(chunks: Sequence[Mapping[str, int]]) -> tuple[list[int], list[Shared]]:
    """The bytes that each group has alone, and those that several have, by which ones."""
    holders: dict[str, list[int]] = {}
    sizes: dict[str, int] = {}
    for i, found in enumerate(chunks):
        sizes.update(found)
        for digest in found:
            holders.setdefault(digest, []).append(i)
    together: dict[tuple[int, ...], int] = {}
    for digest, places in holders.items():
        together[tuple(places)] = together.get(tuple(places), 0) + sizes[digest]
    alone = [together.pop((i,), 0) for i in range(len(chunks))]
    return alone, [Shared(size, frozenset(places)) for places, size in together.items()]


def _reads_files(run: CellRun) -> str | None:
    """Why a cell is not counted on for later: by then its files may be others."""
    return f"reads {run.files[0].path}" if run.files else None


def _key(kept: p.Kept) -> tuple[int, Iterable[Version]]:
    return kept.at, versions_of(kept)
