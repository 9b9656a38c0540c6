"""Whether two frozen streams stand for equal values, though they are laid out differently.

Equal texts may be one object or two, sets come in any order, and the attributes of a class in that of their making:
a digest sees all that, and a user does not.  Streams are read as text; nothing in them is called.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from elastictm.ids import DefinitionKey
from elastictm.values import rebuild

READ_AT_MOST: Final = 5_000_000
"""Bytes of a stream; reading takes some microseconds for each few."""

_MARK: Final = object()
_SKIPPED: Final = frozenset({"PROTO", "FRAME", "READONLY_BUFFER"})
_PLAIN: Final = frozenset(
    [
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "LONG4",
        "BINFLOAT",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "SHORT_BINBYTES",
        "BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
    ]
)
"""Operations that push what they carry."""
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: Final = frozenset({"EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET", "EMPTY_TUPLE"})
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_CALLS: Final = {"REDUCE": 2, "NEWOBJ": 2, "NEWOBJ_EX": 3, "STACK_GLOBAL": 2}
_FILLS: Final = {"APPEND": 1, "SETITEM": 2, "BUILD": 1}
_CHANGING: Final = frozenset({"DICT", "LIST", "SET", "NEWOBJ", "NEWOBJ_EX"})
_FILLS_MARKED: Final = frozenset({"APPENDS", "SETITEMS", "ADDITEMS"})


class NotReadable(ValueError):
    """A stream holds what this reader does not know."""


@dataclass(slots=True, eq=False)
class Node:
    """What a stream makes: by which operation, of what, and what it is filled with later."""

    kind: str
    parts: list[Any]


def read(stream: bytes | memoryview, keys: Sequence[DefinitionKey], buffers: Sequence[memoryview]) -> Iterator[Any]:
    """What each of the streams in a unit makes, one after the other.

    Raises:
        NotReadable: it holds an operation that frozen streams do not have.
    """
    memo: list[Any] = []
    memory = iter(buffers)
    data = bytes(stream)
    start = 0
    while start < len(data):
        stack: list[Any] = []
        for operation, argument, place in pickletools.genops(data[start:]):
            name = operation.name
            if name == "STOP":
                start += (place or 0) + 1
                break
            _step(name, argument, stack, memo, memory, keys)
        yield stack[-1]


def _step(  # noqa: PLR0913, PLR0917, C901, PLR0912 - a table of operations
    name: str, argument: Any, stack: list[Any], memo: list[Any], memory: Iterator[memoryview], keys: Sequence[Any]
) -> None:
    if name in _SKIPPED:
        return
    if name == "MEMOIZE":
        memo.append(stack[-1])
    elif name in {"BINGET", "LONG_BINGET"}:
        stack.append(memo[argument])
    elif name == "MARK":
        stack.append(_MARK)
    elif name in {"POP", "POP_MARK"}:
        _ = _marked(stack) if name == "POP_MARK" else stack.pop()
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name in _EMPTY:
        stack.append(Node(name.removeprefix("EMPTY_"), []))
    elif name in {"TUPLE", "FROZENSET"}:
        stack.append(Node(name, _marked(stack)))
    elif name in _TUPLES:
        stack.append(Node("TUPLE", _taken(stack, _TUPLES[name])))
    elif name in _CALLS:
        made = Node(name, _taken(stack, _CALLS[name]))
        stack.append(_referred(made, keys))
    elif name in _FILLS:
        filling = _taken(stack, _FILLS[name])
        _fill(stack[-1], filling if name != "BUILD" else [Node("BUILD", filling)])
    elif name in _FILLS_MARKED:
        filling = _marked(stack)
        _fill(stack[-1], filling)
    elif name == "NEXT_BUFFER":
        stack.append(bytes(next(memory)))
    elif name in _PLAIN:
        stack.append(argument)
    else:
        raise NotReadable(name)


def _taken(stack: list[Any], count: int) -> list[Any]:
    found = stack[-count:]
    del stack[-count:]
    return found


def _marked(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1 - next(i for i, item in enumerate(reversed(stack)) if item is _MARK)
    found = stack[at + 1 :]
    del stack[at:]
    return found


def _fill(target: Any, items: list[Any]) -> None:
    if not isinstance(target, Node):
        raise NotReadable(f"a filled {type(target).__name__}")
    target.parts.extend(items)


def _referred(made: Node, keys: Sequence[DefinitionKey]) -> Node:
    """A reference to a definition by its number, which is the same in every unit."""
    if made.kind != "REDUCE" or not isinstance(made.parts[0], Node):
        return made
    if made.parts[0].parts != [rebuild.__name__, rebuild.definition.__name__]:
        return made
    return Node("DEFINITION", [keys[made.parts[1].parts[0]]])


def alike(one: Any, other: Any, met: Callable[[DefinitionKey], None]) -> bool:
    """Whether two streams made equal values; ``met`` is called with each definition that they refer to."""
    waiting = [(one, other)]
    seen: set[tuple[int, int]] = set()
    partners: dict[int, Node] = {}
    takers: dict[int, Node] = {}
    while waiting:
        left, right = waiting.pop()
        if not isinstance(left, Node) or not isinstance(right, Node):
            if type(left) is not type(right) or not _equal(left, right):
                return False
            continue
        if (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        if left.kind != right.kind or len(left.parts) != len(right.parts):
            return False
        if _can_change(left) and (partners.setdefault(id(left), right), takers.setdefault(id(right), left)) != (
            right,
            left,
        ):
            # What is one object there must be one here, and no other.
            return False
        if left.kind == "DEFINITION":
            met(left.parts[0])
        waiting += zip(_ordered(left), _ordered(right), strict=True)
    return True


def _equal(left: Any, right: Any) -> bool:
    # Zeros have signs, and what is no number is not equal to itself.
    return repr(left) == repr(right) if isinstance(left, float) else bool(left == right)


def _can_change(node: Node) -> bool:
    """Whether sharing what a node makes shows."""
    return node.kind in _CHANGING or (node.kind in _CALLS and len(node.parts) > _CALLS[node.kind])


def _ordered(node: Node) -> list[Any]:
    """What a node is made of, in an order that says nothing where there is none."""
    plain = not any(isinstance(part, Node) for part in node.parts)
    if node.kind in {"SET", "FROZENSET"} and plain:
        return sorted(node.parts, key=lambda part: (type(part).__name__, repr(part)))
    if (
        node.kind == "DICT"
        and "__module__" in node.parts[::2]
        and not any(isinstance(p, Node) for p in node.parts[::2])
    ):
        pairs = sorted(zip(node.parts[::2], node.parts[1::2], strict=True), key=lambda pair: repr(pair[0]))
        return [part for pair in pairs for part in pair]
    return node.parts
