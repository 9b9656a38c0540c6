"""What an object looks like from inside, so that it can be compared with what comes back of it in another process.

Streams and digests cannot see what an object keeps to itself when it is asked for its state; attributes can.
"""

from __future__ import annotations

import array
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import xxhash

from elastictm.values.kinds import ATOMS, FIXED, module_of

_LOOKED_AT_MOST: Final = 20_000
"""Objects inside one value."""
_PATH_AT_MOST: Final = 1000
"""Characters of the way to an object; the ways into a long chain would take more memory than the chain."""
_SHOWN: Final = 40
"""Characters of a plain value that are shown as they are."""
_DIGESTED_AT_MOST: Final = 50_000_000
"""Bytes of one array."""


@dataclass(frozen=True, slots=True)
class Look:
    """One object inside a value: its type, its content where that is plain, and whether its inside was looked at.

    ``parent`` is the path of what holds it and ``step`` the way from there.
    ``owner`` is the path of the nearest object around it, or itself, whose class is in doubt, ``private`` whether the
    way from there leads through an attribute that the class keeps to itself.
    """

    kind: str
    text: str
    opened: bool
    parent: str = ""
    step: str = ""
    owner: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Unlike:
    """Where what came back is not what was there; ``slight`` where it is but what a class keeps to itself."""

    path: str
    reason: str
    slight: bool


def looks(
    value: Any, name: str, singletons: tuple[type, ...] = (), doubts: Callable[[type], bool] | None = None
) -> dict[str, Look]:
    """What an object and all inside it look like, by path, nearest first."""
    found: dict[str, Look] = {}
    seen: set[int] = set()
    queue: deque[tuple[str, Any, str, str]] = deque([(name, value, "", "")])
    while queue and len(found) < _LOOKED_AT_MOST:
        path, item, parent, step = queue.popleft()
        kind = type(item)
        opened = id(item) not in seen and kind not in ATOMS and len(path) <= _PATH_AT_MOST
        seen.add(id(item))
        above = found.get(parent)
        owner = None if above is None else above.owner
        private = above is not None and above.private
        private |= owner is not None and step.startswith("._") and not step.endswith("__")
        if doubts is not None and doubts(kind):
            owner = path
        if issubclass(kind, singletons):
            found[path] = Look("the shell", "", opened=False, parent=parent, step=step, owner=owner, private=private)
            continue
        found[path] = Look(_name_of(kind), _text(item), opened, parent, step, owner, private)
        if opened:
            queue.extend((path + way, inner, path, way) for way, inner in _inside(item))
    return found


def unlike(there: Mapping[str, Look], back: Mapping[str, Look]) -> Unlike | None:
    """The first difference in what belongs to a class in doubt; one that is more than slight goes before others."""
    slight: Unlike | None = None
    for path, look in there.items():
        if look.owner is None:
            continue
        found = _difference(path, look, back)
        if found is None:
            continue
        if not found.slight:
            return found
        slight = slight or found
    return slight


def _difference(path: str, look: Look, back: Mapping[str, Look]) -> Unlike | None:
    came = back.get(path)
    step = look.step.removeprefix(".")
    if came is None:
        holder = back.get(look.parent)
        if holder is None or not holder.opened or len(back) >= _LOOKED_AT_MOST:
            return None
        return Unlike(look.parent, f"comes back without `{step}`", look.private)
    if came.kind == look.kind and came.text == look.text:
        return None
    if came.kind == look.kind:
        before, after = look.text, came.text
    elif look.private and look.kind == "NoneType":
        # What a class makes when it needs it may be there sooner.
        return None
    else:
        before, after = look.kind, came.kind
    if look.step.startswith("."):
        return Unlike(look.parent, f"comes back with `{step}` as {after}, and it was {before}", look.private)
    return Unlike(path, f"comes back as {after}, and was {before}", look.private)


def _name_of(kind: type) -> str:
    module = module_of(kind)
    return kind.__qualname__ if module in {"builtins", "__main__"} else f"{module}.{kind.__qualname__}"


def _text(item: Any) -> str:
    kind = type(item)
    if kind in FIXED and kind is not CodeType:
        return _shortened(repr(item))
    for plain in (int, float, complex, str, bytes):
        if issubclass(kind, plain):
            return _shortened(plain.__repr__(item))
    if issubclass(kind, (dict, list, tuple, set, frozenset)):
        base: Any = next(known for known in (dict, list, tuple, set, frozenset) if issubclass(kind, known))
        return f"{base.__len__(item)} items"
    if issubclass(kind, (FunctionType, type)):
        return str(item.__qualname__)
    if kind is ModuleType:
        return str(item.__name__)
    return _memory_of(item, kind)


def _shortened(shown: str) -> str:
    if len(shown) <= _SHOWN:
        return shown
    digest = xxhash.xxh3_64_hexdigest(shown.encode("utf-8", "backslashreplace"))
    return f"{shown[:_SHOWN]}… ({len(shown)} characters, {digest})"


def _memory_of(item: Any, kind: type) -> str:
    numpy = sys.modules.get("numpy")
    if kind in {bytearray, array.array}:
        view = memoryview(item)
        return f"{view.nbytes} bytes, {xxhash.xxh3_64_hexdigest(view)}"
    if numpy is None or kind is not numpy.ndarray:
        return ""
    text = f"{item.dtype} {item.shape}"
    if item.dtype.hasobject or item.nbytes > _DIGESTED_AT_MOST:
        return text
    return f"{text}, {xxhash.xxh3_64_hexdigest(item.tobytes())}"


def _inside(item: Any) -> Iterator[tuple[str, Any]]:
    kind = type(item)
    if issubclass(kind, (FunctionType, BuiltinFunctionType, ModuleType, type)):
        return
    if issubclass(kind, MethodType):
        yield ".__self__", item.__self__
        return
    if issubclass(kind, dict):
        for index, (key, inner) in enumerate(tuple(dict.items(item))):
            yield f"[{key!r}]" if type(key) in ATOMS else f".value({index})", inner
            if type(key) not in ATOMS:
                yield f".key({index})", key
    elif issubclass(kind, (list, tuple)):
        base: Any = list if issubclass(kind, list) else tuple
        yield from ((f"[{index}]", inner) for index, inner in enumerate(tuple(base.__iter__(item))))
    if issubclass(kind, BaseException):
        yield ".args", BaseException.args.__get__(item)  # type: ignore[attr-defined]
    yield from _attributes(item, kind)


def _attributes(item: Any, kind: type) -> Iterator[tuple[str, Any]]:
    try:
        found = object.__getattribute__(item, "__dict__")
    except AttributeError:
        found = None
    if type(found) is dict:
        yield from ((f".{name}", inner) for name, inner in tuple(found.items()))
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            name = f"_{base.__name__.lstrip('_')}{slot}" if slot.startswith("__") and slot[-2:] != "__" else slot
            try:
                inner = object.__getattribute__(item, name)
            except AttributeError:
                continue
            if name not in {"__dict__", "__weakref__"}:
                yield f".{name}", inner
