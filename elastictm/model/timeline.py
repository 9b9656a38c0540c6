"""The states of a session as people see them: a tree drawn down the page, and what each state added."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, age, amount, duration
from elastictm.model.tree import State, StateTree

MOST_SHOWN: Final = 60
"""States in a listing, unless all are asked for."""
_CODE: Final = 48
_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class StateLine:
    """One state; ``drawing`` holds branch lines and a dot, ``age`` and ``seconds`` are in seconds.

    ``bytes`` is what keeping it added to the store; ``rerun`` is how long the cells take that going there runs again,
    None where all of it was kept. ``lost`` are the variables that cannot be brought back.
    """

    n: RunNumber
    drawing: str
    code: str
    age: float
    seconds: float
    wrote: tuple[Name, ...]
    bytes: int
    tags: tuple[str, ...]
    here: bool
    rerun: float | None = None
    lost: tuple[Name, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The state as a dict of plain values."""
        return {
            "n": self.n,
            "code": self.code,
            "age": self.age,
            "seconds": self.seconds,
            "wrote": list(self.wrote),
            "bytes": self.bytes,
            "tags": list(self.tags),
            "here": self.here,
            "rerun": self.rerun,
            "lost": list(self.lost),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Timeline(Shown):
    """All states, or the latest of them; ``hidden`` earlier ones are left out.

    ``gaps`` tell what cannot be read, or was not kept.
    """

    session: str
    states: tuple[StateLine, ...]
    hidden: int = 0
    bytes: int = 0
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The states as a dict of plain values."""
        return {
            "session": self.session,
            "states": [state.to_json() for state in self.states],
            "hidden": self.hidden,
            "bytes": self.bytes,
            "notes": list(self.notes),
            "gaps": list(self.gaps),
        }

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each state."""
        rows = tuple(
            (
                f"{state.drawing} {state.n}",
                state.code,
                age(state.age),
                duration(state.seconds),
                _names(state.wrote),
                amount(state.bytes) if state.bytes else "",
                _how(state),
                ", ".join(state.tags) + (" <- here" if state.here else ""),
            )
            for state in self.states
        )
        head = f"The past of {self.session or 'this session'}: {len(self.states) + self.hidden} states, "
        head += f"{amount(self.bytes)} on disk"
        columns = ("state", "cell", "age", "took", "wrote", "added", "going there", "")
        more = (f"{self.hidden} earlier states: %past --all shows them",) if self.hidden else ()
        spare = ("age", "took", "wrote", "added", "cell")
        return (Table(head, columns, rows, (*more, *self.notes), self.gaps, spare=spare),)


@dataclass(frozen=True, slots=True)
class Costs:
    """What is known of states besides their cell runs, by number; see ``StateLine``."""

    bytes: Mapping[RunNumber, int] = field(default_factory=dict)
    rerun: Mapping[RunNumber, float] = field(default_factory=dict)
    lost: Mapping[RunNumber, tuple[Name, ...]] = field(default_factory=dict)


def timeline(session: str, tree: StateTree, now: float, costs: Costs, *, everything: bool = False) -> Timeline:
    """The states that differ from their parents, in the order of their cells."""
    shown = [state for state in tree if state.is_new and state.n not in tree.forgotten]
    drawings = draw(tree)
    tags: dict[RunNumber, list[str]] = {}
    for name, n in tree.tags.items():
        tags.setdefault(tree.changed(n), []).append(name)
    here = tree.standing()
    hidden = 0 if everything else max(0, len(shown) - MOST_SHOWN)
    lines = tuple(
        StateLine(
            n=state.n,
            drawing=drawings[state.n],
            code=_first_line(state.run.source) if state.n else "what was there before",
            age=max(0.0, now - state.run.started),
            seconds=state.run.seconds,
            wrote=tuple(r.name for r in state.run.writes if is_variable(r.name)),
            bytes=costs.bytes.get(state.n, 0),
            tags=tuple(sorted(tags.get(state.n, ()))),
            here=state.n == here,
            rerun=costs.rerun.get(state.n),
            lost=costs.lost.get(state.n, ()),
        )
        for state in shown[hidden:]
    )
    return Timeline(session, lines, hidden, sum(costs.bytes.values()))


def draw(tree: StateTree) -> dict[RunNumber, str]:
    """For each state that differs from its parent, lines of the branches beside it, and a dot in its own column.

    The latest branch goes on below its parent; the others leave to the right.
    """
    shown = [state for state in tree if state.is_new and state.n not in tree.forgotten]
    parents = {state.n: _shown_parent(tree, state) for state in shown}
    heirs = {parent: n for n, parent in parents.items()}
    column: dict[RunNumber, int] = {}
    lines: dict[int, tuple[RunNumber, RunNumber]] = {}
    found: dict[RunNumber, str] = {}
    for state in shown:
        n, parent = state.n, parents[state.n]
        if parent is not None and heirs[parent] == n:
            column[n] = column[parent]
        else:
            start = 0 if parent is None else column[parent] + 1
            column[n] = next(i for i in itertools.count(start) if i not in lines or lines[i][1] < n)
            lines[column[n]] = (n, _last(n, heirs))
        start = column[parent] if parent is not None else column[n]
        found[n] = "".join(_glyph(i, column[n], start, n, lines) for i in range(max(lines) + 1)).rstrip()
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


def _glyph(i: int, own: int, start: int, n: RunNumber, lines: Mapping[int, tuple[RunNumber, RunNumber]]) -> str:
    """What stands in a column of the row of state ``n``, which lies in column ``own`` and comes from ``start``."""
    passing = i in lines and lines[i][0] < n < lines[i][1]
    if i == own:
        return "o "
    if start <= i < own:
        return "├─" if i == start else "┼─" if passing else "──"
    return "│ " if passing else "  "


def _first_line(source: str) -> str:
    line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return line if len(line) <= _CODE else line[: _CODE - 1] + "…"


def _names(names: Iterable[Name]) -> str:
    listed = list(names)
    return ", ".join(listed[:_NAMES]) + (", …" if len(listed) > _NAMES else "")


def _how(state: StateLine) -> str:
    if state.lost:
        return f"loses {_names(state.lost)}"
    return "" if state.rerun is None else f"re-runs cells: {duration(state.rerun)}"
