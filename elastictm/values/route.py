"""The way from a value to an object inside it, written as a user would write it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, MethodType
from typing import Any, Final

from elastictm.values.kinds import ATOMS

_VISITED_AT_MOST: Final = 100_000
_SHOWN_STEPS: Final = 10
"""At each end of a path that is too long to be read."""


def route_to(root: Any, target: Any, name: str) -> str | None:
    """The shortest path from ``root`` to ``target``, such as ``model.callbacks[2]._lock``, or None if none is found."""
    if target is None:
        return None
    # For each value met: the step to it, and the index of the one that it is in.
    came: list[tuple[str, int]] = [(name, -1)]
    queue: deque[tuple[int, Any]] = deque([(0, root)])
    seen = {id(root)}
    while queue and len(seen) < _VISITED_AT_MOST:
        index, value = queue.popleft()
        if value is target:
            return _path(came, index)
        for step, inner in _inside(value):
            if id(inner) not in seen:
                seen.add(id(inner))
                queue.append((len(came), inner))
                came.append((step, index))
    return None


def _path(came: list[tuple[str, int]], index: int) -> str:
    steps: list[str] = []
    while index >= 0:
        step, index = came[index]
        steps.append(step)
    steps.reverse()
    left_out = len(steps) - 2 * _SHOWN_STEPS
    if left_out > 1:
        steps[_SHOWN_STEPS:-_SHOWN_STEPS] = [f" … {left_out} steps … "]
    return "".join(steps)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    for types, items in _ITEMS:
        if issubclass(kind, types):
            yield from items(value)
            break
    yield from ((f".{attribute}", inner) for attribute, inner in _attributes(value).items())
    for cls in kind.__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            try:
                yield f".{slot}", object.__getattribute__(value, slot)
            except AttributeError:
                continue


def _of_mapping(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for index, (key, inner) in enumerate(tuple(dict.items(value))):
        # The text of any other key is its own business, and may take long or raise.
        yield f"[{key!r}]" if type(key) in ATOMS else f".value({index})", inner
        yield f".key({index})", key


def _of_sequence(value: Any) -> Iterator[tuple[str, Any]]:
    return ((f"[{index}]", inner) for index, inner in enumerate(tuple(value)))


def _of_set(value: Any) -> Iterator[tuple[str, Any]]:
    return ((f".member({index})", inner) for index, inner in enumerate(tuple(value)))


def _of_function(value: FunctionType) -> Iterator[tuple[str, Any]]:
    yield from zip((f".{free}" for free in value.__code__.co_freevars), value.__closure__ or (), strict=True)
    yield from ((f".__defaults__[{index}]", inner) for index, inner in enumerate(value.__defaults__ or ()))


def _of_cell(value: CellType) -> Iterator[tuple[str, Any]]:
    try:
        yield "", value.cell_contents
    except ValueError:
        return


def _of_method(value: MethodType) -> Iterator[tuple[str, Any]]:
    yield ".__self__", value.__self__


_ITEMS: Final[tuple[tuple[Any, Callable[[Any], Iterator[tuple[str, Any]]]], ...]] = (
    (dict, _of_mapping),
    ((list, tuple), _of_sequence),
    ((set, frozenset), _of_set),
    (FunctionType, _of_function),
    (CellType, _of_cell),
    (MethodType, _of_method),
)
"""How to step into values of built-in types."""


def _attributes(value: Any) -> dict[str, Any]:
    if isinstance(value, type):
        return dict(vars(value))
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(found) if isinstance(found, dict) else {}
