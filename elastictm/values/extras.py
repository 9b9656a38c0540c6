"""Attributes that a user adds to an object whose class stores itself in a way of its own, and does not know of them.

Classes of libraries list what they keep, or have C code that does; what else lies in ``__dict__`` is lost without a
word.  Here it is found by its name, which the code of the class never sets, and travels beside the object.
"""

from __future__ import annotations

import copyreg
import dis
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.kinds import module_of
from elastictm.values.protocols import is_tested, origin

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

_WAYS: Final = ("__reduce_ex__", "__reduce__", "__getstate__")
_WITHOUT: Final = (type, ModuleType, FunctionType, Enum, BaseException)
"""Types that others know how to store; a class, and what is found by its name."""
_PROTOCOL: Final = 5
_SETTERS: Final = frozenset({"setattr", "__setattr__", "__dict__"})
_KNOWN_AT_MOST: Final = 4096
"""Attributes of which it is remembered whether their class knows them."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Reduces objects of one class as the class itself does, with what it knows nothing of.

    ``bases`` are the classes of libraries among it and its bases; ``private`` says that itself is one.
    """

    bases: tuple[type, ...]
    private: bool

    def __call__(self, value: Any, view: FreezingPass) -> Any:
        """What the class gives, or NotImplemented where that is all there is."""
        own = _attributes(value)
        if not own:
            return NotImplemented
        reduction = reduced(value)
        if not isinstance(reduction, tuple):
            return reduction
        maker, arguments, state, items, pairs, setter, *_ = (*reduction, None, None, None, None)
        left = own
        for kept in _mappings((state, arguments)):
            left = {name: item for name, item in left.items() if kept.get(name, _ABSENT) is not item}
        # Few are left behind, and what the code of a class knows takes long to find out.
        left = {name: item for name, item in left.items() if not self._knows(name)}
        if not left:
            return reduction
        for name in [name for name, item in left.items() if not view.storable(item)]:
            del left[name]
            view.lose(value, f"comes back without `{name}`, which cannot be stored")
        if not left:
            return reduction
        return maker, arguments, (state, setter, left), items, pairs, set_with_extras

    def _knows(self, name: str) -> bool:
        # What a library keeps to itself, caches above all, may be set by any of its code.
        return (self.private and name.startswith("_")) or _is_known(self.bases, name)


_ABSENT: Final = object()


def keeper(kind: type) -> Keeper | None:
    """What keeps added attributes of a class; None where Python itself takes objects apart, or code of a user's."""
    if not kind.__dictoffset__ or issubclass(kind, _WITHOUT) or not _has_way_of_its_own(kind):
        return None
    bases = tuple(base for base in kind.__mro__[:-1] if is_tested(module_of(base)))
    return Keeper(bases, private=is_tested(module_of(kind)))


def set_with_extras(made: Any, state: tuple[Any, Callable[[Any, Any], None] | None, dict[str, Any]]) -> None:
    """Give an object its state in its own way, and then the attributes that its class does not know of."""
    inner, setter, extras = state
    if setter is not None:
        setter(made, inner)
    elif inner is not None:
        _set_plainly(made, inner)
    vars(made).update(extras)


def _set_plainly(made: Any, state: Any) -> None:
    """What pickle does with a state."""
    loads = getattr(made, "__setstate__", None)
    if loads is not None:
        loads(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - attributes, and those in slots
        state, slots = state
    vars(made).update(state or {})
    for name, item in (slots or {}).items():
        setattr(made, name, item)


def _attributes(value: Any) -> dict[str, Any] | None:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict else None


def reduced(value: Any) -> Any:
    """What an object gives to be stored as."""
    reduce = copyreg.dispatch_table.get(type(value))
    return value.__reduce_ex__(_PROTOCOL) if reduce is None else reduce(value)


def _mappings(parts: Any) -> Iterator[dict[Any, Any]]:
    """The dicts in a state, or in a tuple or list of states."""
    if type(parts) is dict:
        yield parts
    elif type(parts) in {tuple, list}:
        for part in parts:
            yield from _mappings(part)


def _has_way_of_its_own(kind: type) -> bool:
    """Whether a library, and no user, has written how objects of a class are stored."""
    registered = copyreg.dispatch_table.get(kind)
    if registered is not None:
        return is_tested(origin(registered))
    ways = list(_ways(kind))
    return bool(ways) and all(is_tested(origin(way)) for way in ways)


def has_ways(kind: type) -> bool:
    """Whether a user has written how objects of a class are stored."""
    if issubclass(kind, _WITHOUT) or _has_way_of_its_own(kind):
        return False
    registered = copyreg.dispatch_table.get(kind)
    if registered is not None:
        return True
    return any(not is_tested(origin(way)) for way in _ways(kind))


def _ways(kind: type) -> Iterator[Any]:
    """The methods by which objects of a class are stored, Python's own aside."""
    for name in _WAYS:
        owner = next((base for base in kind.__mro__ if name in vars(base)), object)
        if owner is not object:
            yield vars(owner)[name]


@functools.lru_cache(_KNOWN_AT_MOST)
def _is_known(bases: tuple[type, ...], name: str) -> bool:
    """Whether the code of classes of libraries sets an attribute of this name."""
    if any(name in vars(base) for base in bases):
        return True
    bodies = (body for base in bases for item in tuple(vars(base).values()) for body in _bodies(item))
    return any(_sets(body, name) for body in bodies)


def _bodies(item: Any) -> Iterator[CodeType]:
    """The code of a method, with the functions inside it."""
    if isinstance(item, FunctionType):
        waiting = [item.__code__]
        while waiting:
            body = waiting.pop()
            yield body
            waiting += [constant for constant in body.co_consts if isinstance(constant, CodeType)]
        yield from _bodies(vars(item).get("__wrapped__"))
    elif isinstance(item, (staticmethod, classmethod)):
        yield from _bodies(item.__func__)
    elif isinstance(item, property):
        for part in (item.fget, item.fset):
            yield from _bodies(part)
    elif isinstance(item, functools.cached_property):
        yield from _bodies(item.func)


def _sets(body: CodeType, name: str) -> bool:
    """Whether some code sets an attribute of its first argument, or of anything if only the class may know of it."""
    if not _SETTERS.isdisjoint(body.co_names) and any(
        name == constant or (type(constant) is tuple and name in constant) for constant in body.co_consts
    ):
        return True
    if name not in body.co_names:
        return False
    target: Any = None
    for step in dis.get_instructions(body):
        if (
            step.opname == "STORE_ATTR"
            and step.argval == name
            and (name.startswith("_") or target in body.co_varnames[:1])
        ):
            return True
        target = step.argval[-1] if type(step.argval) is tuple and step.argval else step.argval
    return False
