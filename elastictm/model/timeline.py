"""The states of a session as people see them: a tree drawn down the page, and what each state added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.branches import Lane, lanes
from elastictm.model.shown import Shown
from elastictm.model.tables import Table, age, amount, duration
from elastictm.model.texts import counted
from elastictm.model.tree import State, StateTree

MOST_SHOWN: Final = 60
"""States in a listing, unless all are asked for."""
_CODE: Final = 48
_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class StateLine:
    """One state; ``lane`` is its place in the drawing, ``age`` and ``seconds`` are in seconds.

    ``bytes`` is what keeping it added to the store; ``rerun`` is how long the cells take that going there runs again,
    None where all of it was kept. ``lost`` are the variables that cannot be brought back.
    """

    n: RunNumber
    lane: Lane
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

    ``gaps`` tell what cannot be read, or was not kept; ``undo`` and ``redo`` are the states that these lead to.
    """

    session: str
    states: tuple[StateLine, ...]
    hidden: int = 0
    bytes: int = 0
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    undo: RunNumber | None = None
    redo: RunNumber | None = None

    def to_json(self) -> dict[str, object]:
        """The states as a dict of plain values."""
        return {
            "session": self.session,
            "states": [state.to_json() for state in self.states],
            "hidden": self.hidden,
            "bytes": self.bytes,
            "notes": list(self.notes),
            "gaps": list(self.gaps),
            "undo": self.undo,
            "redo": self.redo,
        }

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each state."""
        rows = tuple(
            (
                f"{state.lane.drawing} {state.n}",
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
        head = f"The past of {self.session or 'this session'}: {counted(len(self.states) + self.hidden, 'state')}, "
        head += f"{amount(self.bytes)} on disk"
        columns = ("state", "cell", "age", "took", "wrote", "added", "going there", "")
        more = (f"{counted(self.hidden, 'earlier state')}: %past --all shows more",) if self.hidden else ()
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
    shown = listed(tree, everything=True)
    rows = lanes(tree)
    tags: dict[RunNumber, list[str]] = {}
    for name, n in tree.tags.items():
        tags.setdefault(tree.changed(n), []).append(name)
    here = tree.standing()
    hidden = len(shown) - len(listed(tree, everything=everything))
    lines = tuple(
        StateLine(
            n=state.n,
            lane=rows[state.n],
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
    total = sum(costs.bytes.values())
    return Timeline(session, lines, hidden, total, undo=tree.undone(), redo=tree.redone())


def listed(tree: StateTree, *, everything: bool) -> list[State]:
    """The states that are worth a line, or the latest of them."""
    shown = [state for state in tree if state.is_new and state.n not in tree.forgotten]
    return shown if everything else shown[-MOST_SHOWN:]


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
