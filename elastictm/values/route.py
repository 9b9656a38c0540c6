"""The way from a value to an object inside it, written as a user would write it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType
from typing import Any, Final

_VISITED_AT_MOST: Final = 100_000


def route_to(root: Any, target: Any, name: str) -> str | None:
    """The shortest path from ``root`` to ``target``, such as ``model.callbacks[2]._lock``, or None if none is found."""
    if target is None:
        return None
    queue: deque[tuple[str, Any]] = deque([(name, root)])
    seen = {id(root)}
    while queue and len(seen) < _VISITED_AT_MOST:
        path, value = queue.popleft()
        if value is target:
            return path
        for step, inner in _inside(value):
            if id(inner) not in seen:
                seen.add(id(inner))
                queue.append((path + step, inner))
    return None


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if issubclass(kind, dict):
        yield from ((f"[{key!r}]", inner) for key, inner in dict.items(value))
        yield from ((f".key({index})", key) for index, key in enumerate(dict.keys(value)) if not isinstance(key, str))
    elif issubclass(kind, list | tuple):
        yield from ((f"[{index}]", inner) for index, inner in enumerate(tuple(value)))
    elif issubclass(kind, set | frozenset):
        yield from ((f".member({index})", inner) for index, inner in enumerate(tuple(value)))
    elif kind is FunctionType:
        yield from zip((f".{free}" for free in value.__code__.co_freevars), value.__closure__ or (), strict=True)
        yield from ((f".__defaults__[{index}]", inner) for index, inner in enumerate(value.__defaults__ or ()))
        yield from ((f".{attribute}", inner) for attribute, inner in value.__dict__.items())
    elif kind is CellType:
        try:
            yield "", value.cell_contents
        except ValueError:
            return
    elif kind is MethodType:
        yield ".__self__", value.__self__
    yield from ((f".{attribute}", inner) for attribute, inner in _attributes(value).items())
    for cls in kind.__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            try:
                yield f".{slot}", object.__getattribute__(value, slot)
            except AttributeError:
                continue


def _attributes(value: Any) -> dict[str, Any]:
    if isinstance(value, type):
        return dict(vars(value))
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(found) if isinstance(found, dict) else {}
