"""Which groups of a session's store are worth their bytes.

**What may be dropped.**  Versions that were ever in one alias group are one *clan*, to be kept or dropped as a whole.
A clan may be dropped if the cells of all its versions can run again, and

- give the same again: they have no obstacle, and neither they nor what goes into them is known to come out differently;
- each of their inputs is in a clan that may be dropped too, or can be loaded in any later state: all members of its
  clan were stored when they were made, with all that were there before, hold nothing that a cell defined, and come
  back whole;
- none of them makes a function or class anew that is held by what may not be dropped.

**Why no state is lost.**  Take a plan for any state, made while all was there.  Go on to load what it loads of clans
that may not be dropped, also what it ran cells for that can be loaded in any later state, and make all else that it
needs again, whole clans of it.  Cells that run for that find their
inputs, by the above; nothing that is loaded shares data with what is made again, since these are different clans; and
nothing that is loaded holds what is defined anew.  So that plan needs nothing of what may be dropped, be it dropped or
not.

**What is dropped.**  The cut of least cost, over all states at once: keeping a clan costs the seconds to load it and a
price for each byte that dropping it would free; making it again costs the seconds of all cells that must run for it.
Bytes that several holdings have in common are a node of their own, which is free only if all of them are made again.
Only what dropping saves depends on the price, so that a higher price keeps less (Gallo, Grigoriadis and Tarjan 1989).
What is held dear costs no bytes.  What is alive in no state that can be gone to, and is no input on the way to one, is
dropped at any price but nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from elastictm.ids import RunNumber, Version
from elastictm.model.records import CellRun
from elastictm.model.tree import StateTree
from elastictm.planning.arcs import Floats, Ints, Truths
from elastictm.planning.clans import Clans, Holding, Shared, Walked
from elastictm.planning.mincut import least_true
from elastictm.planning.past import Past
from elastictm.planning.repeats import obstacles, unsteady

_LEAST_PRICE, _HIGHEST_PRICE = 1e-13, 1e9
"""Seconds per byte between which a price is sought; at the highest all goes that may go."""

_STEPS = 12


@dataclass(frozen=True, slots=True)
class Retained:
    """What to keep, by place among the holdings; ``over`` says by how many bytes it exceeds a budget."""

    kept: frozenset[int]
    bytes: int
    price: float
    over: int = 0


class Retention:
    """Decides what of a store is worth its bytes.

    Args:
        tree: The states of the session.
        holdings: What the store has.
        shared: The bytes that several of these have in common.
        dear: The states whose bytes cost nothing to keep.
        runnable: Says why a cell run cannot run again; None where it can.
        hash_seed: The hash seed that cells will run under, None where it is drawn anew.
    """

    def __init__(  # noqa: PLR0913 - a tree, what is held of it, and what each is worth
        self,
        tree: StateTree,
        holdings: Sequence[Holding],
        shared: Sequence[Shared] = (),
        *,
        dear: Collection[RunNumber] = frozenset(),
        runnable: Callable[[CellRun], str | None] | None = None,
        hash_seed: str | None = None,
    ) -> None:
        self._holdings, self._shared = holdings, shared
        walked = Walked.of(tree, dear)
        clans = Clans(walked, holdings)
        unfit = _unfit(tree, walked, clans, runnable, hash_seed)
        fixed = unfit.clans & _useful(walked, clans, unfit)
        self._fixed = [clans.of[next(iter(holding.versions))] in fixed for holding in holdings]
        self._cut = _Cut(walked, clans, unfit, _dear(walked, holdings, tree, dear), holdings)
        self._cut.share(shared, {i for i, each in enumerate(self._fixed) if each})
        self._everything = self._size(frozenset(range(len(holdings))))

    def at(self, price: float) -> Retained:
        """What is worth keeping at a price in seconds per byte; all of it at none."""
        if not price > 0:
            return self._retained(range(len(self._holdings)), 0.0)
        chosen = self._cut.kept(price)
        return self._retained((i for i, fixed in enumerate(self._fixed) if fixed or i in chosen), price)

    def within(self, budget: int) -> Retained:
        """What to keep under a budget of bytes, at the lowest price that does; what cannot be dropped stays over it."""
        if self._everything <= budget:
            return self.at(0.0)
        low, high = _LEAST_PRICE, _HIGHEST_PRICE
        best = self.at(high)
        if best.bytes > budget:
            return Retained(best.kept, best.bytes, best.price, best.bytes - budget)
        for _ in range(_STEPS):
            middle = (low * high) ** 0.5
            found = self.at(middle)
            if found.bytes <= budget:
                best, high = found, middle
            else:
                low = middle
        return best

    def _retained(self, kept: Iterable[int], price: float) -> Retained:
        chosen = frozenset(kept)
        return Retained(chosen, self._size(chosen), price)

    def _size(self, chosen: frozenset[int]) -> int:
        alone = sum(self._holdings[i].bytes for i in chosen)
        return alone + sum(each.bytes for each in self._shared if not chosen.isdisjoint(each.holders))


@dataclass(frozen=True, slots=True)
class _Unfit:
    """The cells that cannot be relied on to make the same again, and the clans that may not be dropped."""

    cells: set[RunNumber]
    clans: set[int]


def _unfit(
    tree: StateTree,
    walked: Walked,
    clans: Clans,
    runnable: Callable[[CellRun], str | None] | None,
    hash_seed: str | None,
) -> _Unfit:
    """Begin with the cells that cannot be repeated, and go on to all that this spoils."""
    runs = list(walked.runs.values())
    forbidden = obstacles(runs, allow_effects=False, runnable=runnable)
    history = tree.history(runs[-1].n) if runs else None
    cells = set(forbidden) | {remark.n for remark in tree.remarks}
    if history is not None:
        place = {n: i for i, n in enumerate(walked.runs)}
        inputs = [walked.inputs[n] for n in walked.runs]
        past = Past(history, runs, inputs, place, dict.fromkeys(clans.whole, 0.0), (), forbidden, {})
        cells |= unsteady(past, (), hash_seed).keys()
    readers: dict[Version, list[RunNumber]] = {}
    for n, inputs_of in walked.inputs.items():
        for version in inputs_of.needs:
            readers.setdefault(version, []).append(n)
    found: set[int] = set()
    waiting = list(cells)
    while waiting:
        for record in walked.runs[waiting.pop()].writes:
            clan = clans.of[record.version]
            if clan not in found:
                found.add(clan)
                spoiled = set(_spoiled(clans.members[clan], readers, walked, clans)) - cells
                cells |= spoiled
                waiting += spoiled
    return _Unfit(cells, found)


def _useful(walked: Walked, clans: Clans, unfit: _Unfit) -> set[int]:
    """The clans that some state needs that can be gone to, or whose versions may be inputs on the way to one.

    What cannot be made again is loaded; of all else that is needed, whatever it could be made from counts.
    """
    found = {clans.of[version] for version in walked.needed}
    waiting = [version for version in walked.needed if clans.of[version] not in unfit.clans]
    cells: set[RunNumber] = set()
    while waiting:
        n = waiting.pop().n
        if n not in cells:
            cells.add(n)
            needs = walked.inputs[n].needs
            found |= {clans.of[version] for version in needs}
            waiting += needs
    return found


def _spoiled(
    members: Iterable[Version], readers: dict[Version, list[RunNumber]], walked: Walked, clans: Clans
) -> Iterator[RunNumber]:
    """The cells that cannot run again beside a clan that may not be dropped."""
    for version in members:
        if version not in clans.free:
            yield from readers.get(version, ())
        if version in clans.stored:
            keys = walked.records[version].definitions
            yield from (walked.creators[key] for key in keys if key in walked.creators)


def _dear(walked: Walked, holdings: Sequence[Holding], tree: StateTree, dear: Collection[RunNumber]) -> set[int]:
    """The holdings that dear states are loaded from."""
    of: dict[Version, list[int]] = {}
    for i, holding in sorted(enumerate(holdings), key=lambda pair: pair[1].at):
        for version in holding.versions:
            of.setdefault(version, []).append(i)
    found: set[int] = set()
    for n in dear:
        line = {state.n for state in tree.line(n)}
        for version in walked.alive[n]:
            found.update([i for i in of.get(version, ()) if holdings[i].at in line][-1:])
    return found


class _Cut:
    """The choice as a cut: *made again* of each clan that may be dropped and is needed, then *run* of each cell."""

    def __init__(
        self, walked: Walked, clans: Clans, unfit: _Unfit, dear: Collection[int], holdings: Sequence[Holding]
    ) -> None:
        self._of: dict[int, list[int]] = {}
        self._free = frozenset(dear)
        needed = {clans.of[version] for version in walked.needed & clans.stored} - unfit.clans
        for i, holding in enumerate(holdings):
            clan = clans.of[next(iter(holding.versions))]
            if clan in needed:
                self._of.setdefault(clan, []).append(i)
        node = {clan: i for i, clan in enumerate(self._of)}
        cells = {n: len(node) + i for i, n in enumerate(n for n in walked.runs if n not in unfit.cells)}
        self._count = len(node) + len(cells)
        self._seconds, self._bytes = np.zeros(self._count), np.zeros(self._count)
        for clan, places in self._of.items():
            self._seconds[node[clan]] = sum(holdings[i].seconds for i in places)
            self._bytes[node[clan]] = sum(holdings[i].bytes for i in places if i not in dear)
        self._take: Floats = np.zeros(self._count)
        arcs: list[tuple[int, int]] = []
        for n, at in cells.items():
            self._take[at] = walked.runs[n].rerun_seconds
            for version in walked.inputs[n].needs:
                clan = clans.of[version]
                if version.n in cells and (version not in clans.stored or not (clan in node or clan in unfit.clans)):
                    arcs.append((at, cells[version.n]))
        for version in walked.needed - clans.stored:
            if version.n in cells:
                # It is made again in any case.
                self._seconds[cells[version.n]] = np.inf
        for clan, at in node.items():
            stored = [version for version in clans.members[clan] if version in clans.stored]
            arcs += [(at, cells[version.n]) for version in stored]
            makers = {walked.creators.get(key) for version in stored for key in walked.records[version].definitions}
            arcs += [(cells[n], at) for n in makers if n in cells]
        self._tails: Ints = np.array([tail for tail, _ in arcs], dtype=np.int64)
        self._heads: Ints = np.array([head for _, head in arcs], dtype=np.int64)

    def share(self, shared: Iterable[Shared], fixed: Collection[int]) -> None:
        """Add what holdings have in common; ``fixed`` are those that stay in any case."""
        place = {i: at for at, places in enumerate(self._of.values()) for i in places}
        sizes: list[int] = []
        arcs: list[tuple[int, int]] = []
        for each in shared:
            # What stays costs nothing; what is of no use to any state goes.
            if each.holders.isdisjoint(fixed) and each.holders.isdisjoint(self._free):
                arcs += [(self._count + len(sizes), at) for at in {place[i] for i in each.holders if i in place}]
                sizes.append(each.bytes)
        self._count += len(sizes)
        nothing = np.zeros(len(sizes))
        self._seconds, self._take = np.append(self._seconds, nothing), np.append(self._take, nothing)
        self._bytes = np.append(self._bytes, np.array(sizes, dtype=np.float64))
        self._tails = np.append(self._tails, np.array([tail for tail, _ in arcs], dtype=np.int64))
        self._heads = np.append(self._heads, np.array([head for _, head in arcs], dtype=np.int64))

    def kept(self, price: float) -> set[int]:
        """The holdings that are worth a price per byte."""
        if not self._count:
            return set()
        costs = np.full(len(self._tails), np.inf)
        again: Truths = least_true(self._seconds + price * self._bytes, self._take, self._tails, self._heads, costs)
        return {i for place, places in enumerate(self._of.values()) if not again[place] for i in places}
