"""A session without Python: cells are small programs over boxes that share, change and hold classes.

A ``Box`` is mutable data with an identity; it holds a number and other boxes, so names can share boxes, or parts of
them.  What a cell computes depends on all that it reads, on how that is shared, and on which class it is of: a cell
that runs again on inputs that differ in any of these gives another number.  ``FakeHost`` runs cells once and records
them; ``Rebuilt`` executes a replication plan from that record and tells whether the old namespace came back.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from elastictm.ids import DefinitionKey, Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, FileRead, Refusal, Status, VersionRecord
from elastictm.planning.plan import Keep, Load, ReplicationPlan, Rerun


class Stamp:
    """A class: immutable, but another one each time that it is defined."""

    def __init__(self, key: DefinitionKey) -> None:
        self.key = key


class Box:
    """Mutable data with an identity."""

    def __init__(self, content: int, parts: list[Box], stamp: Stamp | None, *, storable: bool) -> None:
        self.content = content
        self.parts = parts
        self.stamp = stamp
        self.storable = storable


Value: TypeAlias = Box | Stamp


@dataclass(frozen=True, slots=True)
class Make:
    """Bind a name to a new box that holds the values of others, of the class that a name is bound to."""

    name: Name
    holds: tuple[Name, ...] = ()
    of: Name | None = None
    storable: bool = True


@dataclass(frozen=True, slots=True)
class Alias:
    """Bind a name to what another is bound to, or to one of its parts."""

    name: Name
    source: Name
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Change a name's box in place, by what others hold; ``attach`` lets it hold them too, ``detach`` nothing more."""

    name: Name
    sources: tuple[Name, ...] = ()
    how: Literal["content", "attach", "detach"] = "content"


@dataclass(frozen=True, slots=True)
class Define:
    """Bind a name to a new class."""

    name: Name


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a name."""

    name: Name


Op: TypeAlias = Make | Alias | Change | Define | Delete


@dataclass(frozen=True, slots=True)
class FakeCell:
    """A cell: its operations, and what recording would know of it."""

    ops: tuple[Op, ...] = ()
    seconds: float = 1.0
    status: Status = "ok"
    unrepeatable: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """One execution of a cell in a namespace; ``entropy`` goes into all that an unrepeatable cell computes."""

    cell: FakeCell
    n: RunNumber
    namespace: dict[Name, Value]
    entropy: int
    read: dict[Name, None] = field(default_factory=dict)
    bound: set[Name] = field(default_factory=set)
    deleted: set[Name] = field(default_factory=set)
    defined: list[DefinitionKey] = field(default_factory=list)
    failed: bool = False

    def go(self) -> None:
        try:
            for place, op in enumerate(self.cell.ops):
                self._do(op, place)
        except LookupError:
            self.failed = True
        # What was deleted and bound again had to be there; what stays deleted is told by its absence.
        self.read.update(dict.fromkeys(sorted(self.deleted & self.namespace.keys())))

    def _get(self, name: Name) -> Value:
        value = self.namespace[name]
        if name not in self.bound and name not in self.deleted:
            self.read[name] = None
        return value

    def _bind(self, name: Name, value: Value) -> None:
        self.namespace[name] = value
        self.bound.add(name)

    def _number(self, place: int, inputs: Iterable[Value]) -> int:
        seed = self.entropy if self.cell.unrepeatable else 0
        text = repr((self.n, place, seed, picture(dict(enumerate(inputs)))))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")

    def _do(self, op: Op, place: int) -> None:
        match op:
            case Make():
                self._bind(op.name, self._made(op, place))
            case Alias(name, source, part):
                value = self._get(source)
                if part is not None and isinstance(value, Box) and value.parts:
                    value = value.parts[part % len(value.parts)]
                self._bind(name, value)
            case Change():
                self._change(op, place)
            case Define(name):
                key = DefinitionKey(self.n * 100 + place)
                self.defined.append(key)
                self._bind(name, Stamp(key))
            case Delete(name):
                del self.namespace[name]
                if name not in self.bound:
                    self.deleted.add(name)
                self.bound.discard(name)

    def _made(self, op: Make, place: int) -> Box:
        values = [self._get(name) for name in op.holds]
        kind = None if op.of is None else self._get(op.of)
        content = self._number(place, values if kind is None else [*values, kind])
        boxes = [value for value in values if isinstance(value, Box)]
        return Box(content, boxes, kind if isinstance(kind, Stamp) else None, storable=op.storable)

    def _change(self, op: Change, place: int) -> None:
        values = [self._get(source) for source in op.sources]
        box = self._get(op.name)
        if not isinstance(box, Box):
            raise LookupError(op.name)  # noqa: TRY004 - the cell fails as it does for a missing name
        box.content = self._number(place, [box, *values])
        if op.how == "attach":
            box.parts += [value for value in values if isinstance(value, Box)]
        elif op.how == "detach":
            box.parts.clear()


def reachable(values: Iterable[Value]) -> dict[int, Value]:
    """All boxes and classes inside values, by identity, in the order in which they are met."""
    found: dict[int, Value] = {}
    left = list(values)[::-1]
    while left:
        value = left.pop()
        if id(value) not in found:
            found[id(value)] = value
            if isinstance(value, Box):
                left += value.parts[::-1]
                if value.stamp is not None:
                    left.append(value.stamp)
    return found


def picture(values: Mapping[object, Value], *, contents: bool = True) -> object:
    """What can be told of values from outside: numbers, and which of them are the same object."""
    found = reachable(values.values())
    number = {identity: place for place, identity in enumerate(found)}
    inside = [
        (
            value.content if contents else None,
            tuple(number[id(part)] for part in value.parts),
            None if value.stamp is None else number[id(value.stamp)],
        )
        if isinstance(value, Box)
        else value.key
        for value in found.values()
    ]
    return [(name, number[id(value)]) for name, value in values.items()], inside


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
        run = _Run(cell, n, self.namespace, self._entropy)
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
            groups=tuple(tuple(alive[name] for name in group) for group in self._tied() if touched & set(group)),
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

    def _state(self, value: Value) -> tuple[object, frozenset[int]]:
        return picture({"": value}), frozenset(reachable([value]))

    def _record(self, name: Name, n: RunNumber) -> VersionRecord:
        value = self.namespace[name]
        keys = sorted({v.key for v in reachable([value]).values() if isinstance(v, Stamp)})
        refusal = Refusal(str(name), "it is a generator") if _refuser(value) else None
        return VersionRecord(name, n, "box", 1, 0.5, refusal=refusal, definitions=tuple(keys))

    def _tied(self) -> list[list[Name]]:
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


class Rebuilt:
    """A namespace rebuilt by a plan.

    Responsibilities:
    - execute the steps: a cell sees what is in place and was alive before it, and only what the plan wants of it stays;
    - refuse what a plan must not ask for;
    - tell which variables came back exactly, and whether they share what they shared.
    """

    def __init__(self, host: FakeHost, plan: ReplicationPlan) -> None:
        self.namespace: dict[Name, Value] = {}
        self._host = host
        self._in_place: dict[Name, Version] = {}
        self._unlike: set[Version] = set()
        # One copy of all: what is loaded from one archive shares what it shared.
        self._archive = copy.deepcopy({name: host.namespace[name] for name in (v.name for v in plan.loads)})
        storable = host.storable()
        for step in plan.steps:
            match step:
                case Load(version) | Keep(version):
                    self._refuse(version not in storable, f"{version} has no bytes")
                    self._place(version, self._archive[version.name])
                case Rerun(n, writes):
                    self._rerun(host.history.run(n), writes)

    def missing(self, wanted: Iterable[Version]) -> set[Version]:
        """The versions out of ``wanted`` that are not in place."""
        return {version for version in wanted if self._in_place.get(version.name) != version}

    def exact(self, name: Name) -> bool:
        """Whether a variable is what it was, the boxes inside it and how they are shared included."""
        return picture({name: self.namespace[name]}) == picture({name: self._host.namespace[name]})

    def must_be_exact(self, name: Name) -> bool:
        """Whether nothing went into a variable that comes out differently each time."""
        return self._in_place[name] not in self._unlike

    def shares_as_before(self, names: Iterable[Name]) -> bool:
        """Whether variables share boxes and classes as they did."""
        some = sorted(names)
        old = picture({name: self._host.namespace[name] for name in some}, contents=False)
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
        run = _Run(host.cells[n], n, seen, -n)
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
