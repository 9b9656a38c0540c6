"""What going to each state takes: the cells that run again where bytes are missing, and what no cell can make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from elastictm.errors import ArchiveError
from elastictm.ids import Name, RunNumber, Version, is_variable

if TYPE_CHECKING:
    from elastictm.model.tree import StateTree
    from elastictm.session.prospect import Prospect
    from elastictm.session.states import Shelves, StateReader

PATIENCE: Final = 0.25
"""Seconds that making plans for a listing may take."""

IN_PASSING: Final = 0.03
"""The same where nobody asked for the listing, and a cell may be about to run."""

_Key = tuple[RunNumber, frozenset[Version], frozenset[Version], int]


@dataclass(frozen=True, slots=True)
class Fare:
    """Seconds of the cells that run again, and the variables that are lost all the same."""

    rerun: float
    lost: tuple[Name, ...] = ()


@dataclass(slots=True)
class Fares:
    """Plans for states that bytes alone do not bring back; what was planned once is remembered.

    ``last`` is what was told last.
    """

    last: Mapping[RunNumber, Fare] = field(default_factory=dict)
    _known: dict[_Key, Fare] = field(default_factory=dict)

    def of(  # noqa: PLR0913, PLR0917 - the states, what is there, and how to see more
        self,
        tree: StateTree,
        shelves: Shelves,
        at_hand: Collection[Version],
        wanted: Container[RunNumber],
        read: Callable[[RunNumber], StateReader],
        elapsed: Callable[[], float],
        patience: float,
    ) -> tuple[dict[RunNumber, Fare], RunNumber | None]:
        """A fare for each ``wanted`` state whose versions are neither on the shelves nor at hand.

        Plans are made for the latest states first, as far as there is ``patience``; for others it is the time that the
        cells took which made what is missing.  Returned with them is the last state whose fare is such a guess.
        """
        found: dict[RunNumber, Fare] = {}
        guessed: RunNumber | None = None
        held, remarks = frozenset(at_hand), len(tree.remarks)
        lacking = sorted(_lacking(tree, shelves, held, wanted), reverse=True, key=lambda each: each[0])
        if lacking:
            # Its libraries take longer than plans for many states; listing states that were kept does without them.
            import elastictm.session.prospect as planner  # noqa: PLC0415

        until = elapsed() + patience
        before, self._known = self._known, {}
        for n, live, missing in lacking:
            key = n, missing, live & held, remarks
            if key in before:
                self._known[key] = before[key]
            elif elapsed() < until:
                with suppress(ArchiveError):  # going there says what cannot be read
                    self._known[key] = _planned(planner.Prospect, read(n), live & held)
            if key in self._known:
                found[n] = self._known[key]
            else:
                guessed = max(n, guessed or n)
                found[n] = Fare(sum(tree[made].run.rerun_seconds for made in {version.n for version in missing}))
        self.last = found
        return found, guessed


def _lacking(
    tree: StateTree, shelves: Shelves, at_hand: frozenset[Version], wanted: Container[RunNumber]
) -> Iterator[tuple[RunNumber, frozenset[Version], frozenset[Version]]]:
    """States with what is alive in them, and what of it has no bytes and is not at hand either."""
    alive: dict[RunNumber, Mapping[Name, Version]] = {}
    children = {state.n: len(tree.children(state.n)) for state in tree}
    for state in tree:
        before = alive[state.parent] if state.parent is not None else {}
        gone = {*state.lapses, *state.run.deletes}
        live = {name: version for name, version in before.items() if name not in gone} if gone else dict(before)
        live.update((record.name, record.version) for record in state.run.writes)
        alive[state.n] = live
        if state.parent is not None:
            children[state.parent] -= 1
            if not children[state.parent]:
                del alive[state.parent]  # a copy for each state of a long session would take much memory
        if state.n not in wanted:
            continue
        unheld = [version for version in live.values() if version not in at_hand]
        missing = [version for version in unheld if version not in shelves.groups]
        # What was kept when it was made, was kept on the way here.
        early = [v for v in unheld if v in shelves.groups and all(g.kept.at != v.n for g in shelves.groups[v])]
        if early:
            line = _Line(tree, state.n)
            missing += [v for v in early if not any(g.kept.at in line for g in shelves.groups[v])]
        if missing:
            yield state.n, frozenset(live.values()), frozenset(missing)


class _Line:
    """The states on the way to one, found one by one as they are asked for."""

    def __init__(self, tree: StateTree, n: RunNumber) -> None:
        self._tree = tree
        self._n: RunNumber | None = n
        self._known: set[int] = set()

    def __contains__(self, n: int) -> bool:
        while self._n is not None and self._n >= n:
            self._known.add(self._n)
            self._n = self._tree[self._n].parent
        return n in self._known


def _planned(prospect_of: type[Prospect], target: StateReader, kept: Collection[Version]) -> Fare:
    prospect = prospect_of(target, history=target.history, kept=dict.fromkeys(kept))
    _, plan = prospect.plan()
    runs = {run.n: run.rerun_seconds for run in target.history.runs}
    lost = sorted(loss.version.name for loss in plan.lost if is_variable(loss.version.name))
    return Fare(sum(runs[step.n] for step in plan.reruns), tuple(lost))
