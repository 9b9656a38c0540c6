"""Cells without Python: small programs over boxes that share, change and hold classes.

A ``Box`` is mutable data with an identity; it holds a number and other boxes, so names can share boxes, or parts of
them.  What a cell computes depends on all that it reads, on how that is shared, and on which class it is of: a cell
that runs again on inputs that differ in any of these gives another number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from elastictm.ids import DefinitionKey, Name, RunNumber
from elastictm.model.records import Effect, Status


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
class Execution:
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
        """Do all operations, up to one that fails for want of a name."""
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
