"""The tree of states: cell runs with their parents, where the session stands, and what states are called."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.history import History
from elastictm.model.records import CellRun, Remark


@dataclass(frozen=True, slots=True)
class State:
    """The state that a cell run led to.

    ``parent`` is the cell run that it came after, None for the first one.
    ``lapses`` are variables of the parent's state that had been lost on the way back to it, before the cell ran.
    """

    run: CellRun
    parent: RunNumber | None
    lapses: tuple[Name, ...] = ()

    @property
    def n(self) -> RunNumber:
        """The cell run's execution count, by which the state is named."""
        return self.run.n

    @property
    def is_new(self) -> bool:
        """Whether anything differs from the parent's state."""
        run = self.run
        return bool(run.writes or run.deletes or run.settings or run.random or self.parent is None)

    @property
    def is_look(self) -> bool:
        """Whether a displayed result is all that differs from the parent's state."""
        run = self.run
        if self.parent is None or run.deletes or run.settings or run.random:
            return False
        return bool(run.writes) and not any(is_variable(record.name) for record in run.writes)


class StateTree:
    """The states of a session, to which cell runs are only ever added.

    Responsibilities:
    - know where the session stands, and what undo and redo lead to;
    - give the line of any state, from the first cell run on, and its history;
    - keep the names that users give to states.
    """

    def __init__(self) -> None:
        self._states: dict[RunNumber, State] = {}
        self._children: dict[RunNumber, list[RunNumber]] = {}
        self._ahead: dict[RunNumber, RunNumber] = {}
        self._tags: dict[str, RunNumber] = {}
        self._remarks: dict[Remark, None] = {}
        self._forgotten: set[RunNumber] = set()
        self._lost: frozenset[RunNumber] = frozenset()
        self._at: RunNumber | None = None

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, n: object) -> bool:
        return n in self._states

    def __getitem__(self, n: RunNumber) -> State:
        return self._states[n]

    def __iter__(self) -> Iterator[State]:
        return iter(self._states.values())

    def copy(self) -> StateTree:
        """A tree of the same states that goes its own way."""
        other = StateTree()
        other._states = dict(self._states)
        other._children = {n: list(children) for n, children in self._children.items()}
        other._ahead = dict(self._ahead)
        other._tags = dict(self._tags)
        other._remarks = dict(self._remarks)
        other._forgotten = set(self._forgotten)
        other._lost = self._lost
        other._at = self._at
        return other

    @property
    def at(self) -> RunNumber | None:
        """The cell run after which the session stands; None before the first."""
        return self._at

    @property
    def latest(self) -> RunNumber | None:
        """The highest number that a cell run has on any branch, or had that is lost: no other gets it."""
        return max((*self._states, *self._lost), default=None)

    @property
    def lost(self) -> frozenset[RunNumber]:
        """The states that were once, and of which too little could be read."""
        return self._lost

    def lose(self, numbers: Iterable[RunNumber]) -> None:
        """Know of states that cannot be read."""
        self._lost = frozenset(numbers) - self._states.keys()

    @property
    def tags(self) -> Mapping[str, RunNumber]:
        """The names that users gave to states."""
        return MappingProxyType(self._tags)

    def append(self, state: State) -> None:
        """Add a state that the session now stands in; ValueError where it does not fit the tree."""
        if state.n in self._states:
            raise ValueError(f"there is a state {state.n} already")
        if state.parent is None and self._states:
            raise ValueError(f"state {state.n} has no parent, and there is a first state already")
        if state.parent is not None and (state.parent not in self._states or state.parent > state.n):
            raise ValueError(f"state {state.n} has the parent {state.parent}, which no state before it is")
        self._states[state.n] = state
        if state.parent is not None:
            self._children.setdefault(state.parent, []).append(state.n)
            # Who goes back and only looks can still go forward again.
            if state.is_new and not (state.is_look and self.redone() is not None):
                self._lead_to(state)
        self._at = state.n

    def go(self, n: RunNumber) -> None:
        """Stand in another state; ``redo`` finds the way back. KeyError where there is none of that number."""
        for line in (self.line(self._at) if self._at is not None else [], self.line(n)):
            for before, after in itertools.pairwise(line):
                self._ahead[before.n] = after.n
        self._at = n

    def children(self, n: RunNumber) -> Sequence[RunNumber]:
        """The cell runs that followed, in the order in which they ran."""
        return tuple(self._children.get(n, ()))

    def line(self, n: RunNumber) -> list[State]:
        """The states from the first one to this; KeyError where there is none of that number."""
        found: list[State] = []
        state: State | None = self._states[n]
        while state is not None:
            found.append(state)
            state = None if state.parent is None else self._states[state.parent]
        return found[::-1]

    def history(self, n: RunNumber) -> History:
        """The history of the line to a state."""
        history = History()
        for state in self.line(n):
            history.lapse(state.lapses)
            history.append(state.run)
        line = {run.n for run in history}
        for remark in self._remarks:
            if remark.n in line:
                history.remark(remark)
        return history

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was learned about cell runs after they ended."""
        return tuple(self._remarks)

    def remark(self, remarks: Iterable[Remark]) -> None:
        """Keep what was learned about cell runs after they ended."""
        self._remarks.update(dict.fromkeys(remarks))

    def undone(self) -> RunNumber | None:
        """Where undoing the last change leads: the state before the cell run that made it; None where none is left.

        Cell runs that only displayed something are undone with the change before them.
        """
        n = self.standing()
        while n is not None and self._states[n].is_look:
            n = self._before(n)
        return None if n is None else self._states[n].parent

    def redone(self) -> RunNumber | None:
        """Where the session stood before it was led back: the next change on that way, with the looks that follow it.

        None where it was not led back.
        """
        n = self.standing()
        while n is not None and n not in self._ahead and self._states[n].is_look:
            n = self._before(n)
        found = None if n is None else self._next(n)
        while found is not None and (after := self._next(found)) is not None and self._states[after].is_look:
            found = after
        return found

    def _before(self, n: RunNumber) -> RunNumber | None:
        """The changed state before another one."""
        parent = self._states[n].parent
        return None if parent is None else self.changed(parent)

    def _next(self, n: RunNumber) -> RunNumber | None:
        """The next changed state on the way that redo goes."""
        found = self._ahead.get(n)
        while found is not None and not self._states[found].is_new:
            found = self._ahead.get(found)
        return found

    def standing(self) -> RunNumber | None:
        """The state that the session stands in, by the last cell that changed something; None before the first."""
        return None if self._at is None else self.changed(self._at)

    def changed(self, n: RunNumber) -> RunNumber:
        """The last state on the line of another one that was different from its parent."""
        while not (state := self._states[n]).is_new and state.parent is not None:
            n = state.parent
        return n

    def _lead_to(self, state: State) -> None:
        """Have redo lead to a new state, from all that is no different from its parent."""
        child, parent = state.n, state.parent
        while parent is not None:
            self._ahead[parent] = child
            if self._states[parent].is_new:
                return
            child, parent = parent, self._states[parent].parent

    def between(self, start: RunNumber, end: RunNumber) -> tuple[list[State], list[State]]:
        """The cell runs that are undone on the way from one state to another, the latest first, and those redone."""
        left, right = self.line(start), self.line(end)
        common = {state.n for state in left} & {state.n for state in right}
        return [s for s in left if s.n not in common][::-1], [s for s in right if s.n not in common]

    @property
    def forgotten(self) -> frozenset[RunNumber]:
        """The states that were cleared; their cell runs stay, as others came from them."""
        return frozenset(self._forgotten)

    def forget(self, numbers: Iterable[RunNumber]) -> frozenset[str]:
        """Have states that cannot be gone to any more, and their tags go, which are returned; the one here stays."""
        here = {self._at, self.standing()}
        self._forgotten.update(n for n in numbers if n in self._states and n not in here)
        tags = self._tags
        self._tags = {name: n for name, n in tags.items() if n not in self._forgotten}
        return frozenset(tags.keys() - self._tags.keys())

    def tag(self, name: str, n: RunNumber | None) -> None:
        """Call a state by a name, or no state with None; KeyError where there is no such state."""
        if n is None:
            del self._tags[name]
            return
        self._tags[name] = self._states[n].n
