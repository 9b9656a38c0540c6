"""Where the states of a tree stand beside each other when they are drawn down a page, and the lines between them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from elastictm.ids import RunNumber
from elastictm.model.tree import State, StateTree


@dataclass(frozen=True, slots=True)
class Lane:
    """The row of one state: its dot is in ``column``, and lines of other branches pass through ``passing``.

    ``start`` is the column that it leaves for its own where a branch begins with it, else its own.
    ``above`` and ``below`` say whether its own line comes from there and goes on there.
    """

    column: int = 0
    start: int = 0
    passing: tuple[int, ...] = ()
    above: bool = False
    below: bool = False

    @property
    def width(self) -> int:
        """How many columns the row takes."""
        return max(self.column, *self.passing, 0) + 1

    @property
    def drawing(self) -> str:
        """The row in characters."""
        return "".join(map(self._glyph, range(self.width)))

    def _glyph(self, i: int) -> str:
        if i == self.column:
            return "o" if i == self.width - 1 else "o "
        if self.start <= i < self.column:
            return "├─" if i == self.start else "┼─" if i in self.passing else "──"
        return ("│" if i == self.width - 1 else "│ ") if i in self.passing else "  "


def lanes(tree: StateTree) -> dict[RunNumber, Lane]:
    """The rows of all states that differ from their parents.

    The latest branch goes on below its parent; the others leave to the right.
    """
    shown = [state for state in tree if state.is_new and state.n not in tree.forgotten]
    parents = {state.n: _shown_parent(tree, state) for state in shown}
    heirs = {parent: n for n, parent in parents.items()}
    column: dict[RunNumber, int] = {}
    lines: dict[int, tuple[RunNumber, RunNumber]] = {}
    found: dict[RunNumber, Lane] = {}
    for state in shown:
        n, parent = state.n, parents[state.n]
        if parent is not None and heirs[parent] == n:
            column[n] = column[parent]
        else:
            start = 0 if parent is None else column[parent] + 1
            column[n] = next(i for i in itertools.count(start) if i not in lines or lines[i][1] < n)
            lines[column[n]] = (n, _last(n, heirs))
        own = column[n]
        found[n] = Lane(
            column=own,
            start=column[parent] if parent is not None else own,
            passing=tuple(i for i in sorted(lines) if i != own and lines[i][0] < n < lines[i][1]),
            above=lines[own][0] < n,
            below=n < lines[own][1],
        )
    return found


def _shown_parent(tree: StateTree, state: State) -> RunNumber | None:
    n = state.parent
    while n is not None and (not tree[n].is_new or n in tree.forgotten):
        n = tree[n].parent
    return n


def _last(n: RunNumber, heirs: Mapping[RunNumber | None, RunNumber]) -> RunNumber:
    """The state at which the branch of a state ends."""
    while n in heirs:
        n = heirs[n]
    return n
