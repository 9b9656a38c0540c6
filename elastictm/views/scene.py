"""The picture of a history without pixels: rows, lanes, and what lies where they meet."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from elastictm.ids import Name, RunNumber, Version, output_number
from elastictm.views.folding import Fold, fold_lanes, fold_rows, light

if TYPE_CHECKING:
    from elastictm.model.history import HistoryView
    from elastictm.model.records import CellRun, VersionRecord
    from elastictm.views.lineage import Lineage

LaneKind = Literal["import", "variable", "small", "result"]
"""What a lane holds; lanes of one kind stand together, in this order."""

_ORDER: Final[dict[LaneKind, int]] = {"import": 0, "variable": 1, "small": 2, "result": 3}


@dataclass(frozen=True, slots=True)
class Row:
    """A cell run; ``learned`` is what was noted about it after it ended."""

    run: CellRun
    learned: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.run.status != "ok"

    @property
    def notable(self) -> bool:
        """Whether a reader must see it however small it is."""
        refused = any(record.refusal is not None for record in self.run.writes)
        return bool(self.failed or self.run.unrepeatable or self.run.effects or self.learned or refused)


@dataclass(frozen=True, slots=True)
class Lane:
    """A name."""

    name: Name
    kind: LaneKind


@dataclass(frozen=True, slots=True)
class Dot:
    """A version, where its cell run's row meets its lane."""

    row: int
    lane: int
    record: VersionRecord
    live: bool


@dataclass(frozen=True, slots=True)
class Ring:
    """A read."""

    row: int
    lane: int
    version: Version


@dataclass(frozen=True, slots=True)
class Cross:
    """A deletion."""

    row: int
    lane: int


@dataclass(frozen=True, slots=True)
class Life:
    """How long a version lived: the rows in which it came, was last read, and ended; None where it lasts."""

    dot: int
    lane: int
    top: int
    used: int
    bottom: int | None


@dataclass(frozen=True, slots=True)
class Tie:
    """Names that share data from this row on."""

    row: int
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A history laid out; all numbers count rows and lanes."""

    rows: tuple[Row, ...]
    lanes: tuple[Lane, ...]
    dots: tuple[Dot, ...]
    rings: tuple[Ring, ...]
    crosses: tuple[Cross, ...]
    lives: tuple[Life, ...]
    ties: tuple[Tie, ...]
    row_folds: tuple[Fold, ...]
    lane_folds: tuple[Fold, ...]


def scene(history: HistoryView, part: Lineage, asked: Sequence[Name] = ()) -> Scene:
    """Lay out a part of a history; the lanes of names that were asked for never fold."""
    learned: defaultdict[RunNumber, list[str]] = defaultdict(list)
    for remark in history.remarks:
        learned[remark.n].append(remark.text)
    rows = tuple(
        Row(run, tuple(learned[run.n]))
        for run in history.runs
        if run.n in part.runs and (run.n or any(record.version in part.versions for record in run.writes))
    )
    lanes = _lanes(history, rows, part, frozenset(asked))
    found = _Drawn(history, part, rows, {lane.name: i for i, lane in enumerate(lanes)})
    return Scene(
        rows=rows,
        lanes=lanes,
        dots=tuple(found.dots),
        rings=tuple(found.rings),
        crosses=tuple(found.crosses),
        lives=tuple(found.lives()),
        ties=tuple(found.ties),
        row_folds=fold_rows(rows),
        lane_folds=fold_lanes(lanes),
    )


class _Drawn:
    """Walks the rows and places all that lies in them."""

    def __init__(self, history: HistoryView, part: Lineage, rows: Sequence[Row], lanes: dict[Name, int]) -> None:
        self.dots: list[Dot] = []
        self.rings: list[Ring] = []
        self.crosses: list[Cross] = []
        self.ties: list[Tie] = []
        self._part, self._lanes = part.versions, lanes
        self._live = {record.version for record in history.live.values()}
        self._used: dict[Version, int] = {}
        self._ends: dict[Version, int] = {}
        self._alive: dict[Name, Version] = {}
        self._tied: dict[Name, frozenset[Name]] = {}
        lapses: defaultdict[RunNumber, list[Name]] = defaultdict(list)
        for lapse in history.lapses:
            lapses[lapse.n] += lapse.names
        for at, row in enumerate(rows):
            self._place(at, row.run)
            self._tie(at, row.run)
            for name in lapses[row.run.n]:
                self._end(at, name)

    def lives(self) -> Iterator[Life]:
        """One life for each dot."""
        for i, dot in enumerate(self.dots):
            version = dot.record.version
            yield Life(i, dot.lane, dot.row, self._used.get(version, dot.row), self._ends.get(version))

    def _place(self, at: int, run: CellRun) -> None:
        for version in run.reads:
            if version in self._part:
                self.rings.append(Ring(at, self._lanes[version.name], version))
                self._used[version] = at
        for name in run.deletes:
            if self._end(at, name):
                self.crosses.append(Cross(at, self._lanes[name]))
        for record in run.writes:
            if record.version in self._part:
                self._end(at, record.name)
                self._alive[record.name] = record.version
                self.dots.append(Dot(at, self._lanes[record.name], record, record.version in self._live))

    def _end(self, at: int, name: Name) -> bool:
        """Note that a name's version is no more; whether there was one."""
        version = self._alive.pop(name, None)
        if version is not None:
            self._ends[version] = at
        return version is not None

    def _tie(self, at: int, run: CellRun) -> None:
        for group in run.groups:
            names = frozenset(version.name for version in group if version in self._part)
            # Who shared data before is no news.
            if len(names) > 1 and any(self._tied.get(name) != names for name in names):
                self.ties.append(Tie(at, tuple(sorted(self._lanes[name] for name in names))))
            self._tied.update(dict.fromkeys(names, names))


def _lanes(history: HistoryView, rows: Sequence[Row], part: Lineage, asked: frozenset[Name]) -> tuple[Lane, ...]:
    """The names in the order of their first versions, kind by kind."""
    records: defaultdict[Name, list[VersionRecord]] = defaultdict(list)
    imported: set[Version] = set()
    readers: defaultdict[Name, int] = defaultdict(int)
    for row in rows:
        bound = _bound_by_imports(row.run.code or row.run.source)
        for version in row.run.reads:
            readers[version.name] += 1
        for record in row.run.writes:
            if record.version in part.versions:
                records[record.name].append(record)
                if record.name in bound:
                    imported.add(record.version)
    kinds: dict[Name, LaneKind] = {}
    for name, found in records.items():
        if name in asked:
            kinds[name] = "variable"
        elif output_number(name) is not None:
            kinds[name] = "result"
        else:
            kinds[name] = "import" if all(record.version in imported for record in found) else "variable"
    variables = [name for name, kind in kinds.items() if kind == "variable"]
    firm = {name for name in variables if name in asked or _is_refused(history, name)}
    weights = {
        name: (max(record.size for record in records[name]) + 1) * (1 + readers[name]) * (1 + (name in history.live))
        for name in variables
    }
    kinds.update(dict.fromkeys(light(variables, weights, firm), "small"))
    return tuple(Lane(name, kind) for name, kind in sorted(kinds.items(), key=lambda item: _ORDER[item[1]]))


def _is_refused(history: HistoryView, name: Name) -> bool:
    record = history.live.get(name)
    return record is not None and record.refusal is not None


def _bound_by_imports(source: str) -> frozenset[str]:
    """The names that import statements at the top level of a cell bind."""
    if "import" not in source:
        return frozenset()
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    statements = (node for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    return frozenset((name.asname or name.name).partition(".")[0] for node in statements for name in node.names)
