"""A session without Python: a host that runs fake cells and records them, and one that executes a plan from that.

``FakeHost`` runs cells once and records them; ``Rebuilt`` executes a replication plan from that record and tells
whether the old namespace came back, sharing and classes included.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, FileRead, Refusal, VersionRecord
from elastictm.planning.plan import Keep, Load, ReplicationPlan, Rerun
from elastictm.testing.fakecells import Box, Execution, FakeCell, Stamp, Value, picture, reachable


class FakeHost:
    """Runs cells and records them as recording would.

    Responsibilities:
    - run each cell once, in order, and append what it read, wrote, deleted and tied to a history;
    - know which live versions have bytes, and give them out as one archive would, sharing and all.
    """

    def __init__(self) -> None:
        self.history = History()
        self.namespace: dict[Name, Value] = {}
        self.cells: dict[RunNumber, FakeCell] = {}
        self.alive_before: dict[RunNumber, dict[Name, Version]] = {}
        self._entropy = 0

    def run(self, cell: FakeCell) -> CellRun:
        """Run one cell and record it."""
        n = RunNumber(len(self.cells) + 1)
        self.cells[n] = cell
        before = {name: self._state(value) for name, value in self.namespace.items()}
        alive = self.alive_before[n] = {name: record.version for name, record in self.history.live.items()}
        alive = alive.copy()
        names = set(self.namespace)
        self._entropy += 1
        run = Execution(cell, n, self.namespace, self._entropy)
        if cell.status != "unparsed":
            run.go()
        deletes = tuple(sorted(names - set(self.namespace)))
        changed = {name for name, value in self.namespace.items() if before.get(name) != self._state(value)}
        writes = tuple(self._record(name, n) for name in sorted(changed))
        alive.update((record.name, record.version) for record in writes)
        touched = {*run.read, *(record.name for record in writes)}
        recorded = CellRun(
            n=n,
            source=repr(cell.ops),
            started=0.0,
            seconds=cell.seconds,
            status="error" if run.failed and cell.status == "ok" else cell.status,
            reads=tuple(self.history.live[name].version for name in run.read),
            writes=writes,
            deletes=deletes,
            groups=tuple(tuple(alive[name] for name in group) for group in self.tied() if touched & set(group)),
            created=tuple(run.defined),
            files=tuple(FileRead(path, 1, 0) for path in cell.files),
            effects=cell.effects,
            unrepeatable=cell.unrepeatable,
        )
        self.history.append(recorded)
        return recorded

    def lapse(self, names: Iterable[Name]) -> None:
        """Let variables be lost, as in a restore that could not bring them back."""
        gone = [name for name in names if name in self.namespace]
        for name in gone:
            del self.namespace[name]
        self.history.lapse(gone)

    def storable(self) -> frozenset[Version]:
        """The live versions that bytes can be made of."""
        live = self.history.live
        return frozenset(live[name].version for name, value in self.namespace.items() if not _refuser(value))

    @staticmethod
    def is_storable(value: Value) -> bool:
        """Whether bytes can be made of a value."""
        return not _refuser(value)

    def _state(self, value: Value) -> tuple[object, frozenset[int]]:
        return picture({"": value}), frozenset(reachable([value]))

    def _record(self, name: Name, n: RunNumber) -> VersionRecord:
        value = self.namespace[name]
        keys = sorted({v.key for v in reachable([value]).values() if isinstance(v, Stamp)})
        refusal = Refusal(str(name), "it is a generator") if _refuser(value) else None
        return VersionRecord(name, n, "box", 1, 0.5, refusal=refusal, definitions=tuple(keys))

    def tied(self) -> list[list[Name]]:
        """The names that share a box, directly or through others."""
        groups: list[tuple[set[int], list[Name]]] = []
        for name in sorted(self.namespace):
            boxes = {i for i, value in reachable([self.namespace[name]]).items() if isinstance(value, Box)}
            joined = [group for group in groups if group[0] & boxes]
            merged = (boxes.union(*(group[0] for group in joined)), [m for group in joined for m in group[1]] + [name])
            groups = [group for group in groups if group not in joined] + [merged]
        return [names for _, names in groups if len(names) > 1]


def _refuser(value: Value) -> bool:
    return any(isinstance(v, Box) and not v.storable for v in reachable([value]).values())


@dataclass(frozen=True, slots=True)
class There:
    """What a namespace is rebuilt from: the values of versions that have bytes or are in place; and what is wanted.

    Values that were stored together share what they shared.
    """

    values: Mapping[Version, Value]
    wanted: Mapping[Name, Value]

    @classmethod
    def archive(cls, host: FakeHost) -> There:
        """One archive of all that can be stored."""
        values = copy.deepcopy({version: host.namespace[version.name] for version in host.storable()})
        return cls(values, host.namespace)


class Rebuilt:
    """A namespace rebuilt by a plan.

    Responsibilities:
    - execute the steps: a cell sees what is in place and was alive before it, and only what the plan wants of it stays;
    - refuse what a plan must not ask for;
    - tell which variables came back exactly, and whether they share what they shared.
    """

    def __init__(self, host: FakeHost, plan: ReplicationPlan, there: There | None = None) -> None:
        self.namespace: dict[Name, Value] = {}
        self._host = host
        self._there = there = there or There.archive(host)
        self._in_place: dict[Name, Version] = {}
        self._unlike: set[Version] = set()
        for step in plan.steps:
            match step:
                case Load(version) | Keep(version):
                    self._refuse(version not in there.values, f"{version} has no bytes")
                    self._place(version, there.values[version])
                case Rerun(n, writes):
                    self._rerun(host.history.run(n), writes)

    def missing(self, wanted: Iterable[Version]) -> set[Version]:
        """The versions out of ``wanted`` that are not in place."""
        return {version for version in wanted if self._in_place.get(version.name) != version}

    def exact(self, name: Name) -> bool:
        """Whether a variable is what it was, the boxes inside it and how they are shared included."""
        return picture({name: self.namespace[name]}) == picture({name: self._there.wanted[name]})

    def must_be_exact(self, name: Name) -> bool:
        """Whether nothing went into a variable that comes out differently each time."""
        return self._in_place[name] not in self._unlike

    def shares_as_before(self, names: Iterable[Name]) -> bool:
        """Whether variables share boxes and classes as they did."""
        some = sorted(names)
        old = picture({name: self._there.wanted[name] for name in some}, contents=False)
        return picture({name: self.namespace[name] for name in some}, contents=False) == old

    @staticmethod
    def _refuse(wrong: bool, why: str) -> None:  # noqa: FBT001 - a condition
        if wrong:
            raise AssertionError(why)

    def _place(self, version: Version, value: Value) -> None:
        self.namespace[version.name] = value
        self._in_place[version.name] = version

    def _rerun(self, recorded: CellRun, wanted: tuple[Version, ...]) -> None:
        n, host = recorded.n, self._host
        self._refuse(recorded.status in {"unparsed", "interrupted"}, f"cell {n} must not run: {recorded.status}")
        for version in recorded.reads:
            self._refuse(self._in_place.get(version.name) != version, f"cell {n} reads {version}, which is not there")
        alive = host.alive_before[n]
        seen = {name: value for name, value in self.namespace.items() if alive.get(name) == self._in_place[name]}
        run = Execution(host.cells[n], n, seen, -n)
        run.go()
        self._refuse(set(run.read) != {v.name for v in recorded.reads}, f"cell {n} read {sorted(run.read)} this time")
        unlike = bool(recorded.unrepeatable) or any(v in self._unlike for v in recorded.reads)
        for name in {record.name for record in recorded.writes}.union(recorded.deletes):
            self._in_place.pop(name, None)
            self.namespace.pop(name, None)
        for version in wanted:
            self._refuse(version.name not in seen, f"cell {n} did not make {version}")
            self._place(version, seen[version.name])
            # A value that was changed in place keeps what it held before.
            if unlike or alive.get(version.name) in self._unlike:
                self._unlike.add(version)
