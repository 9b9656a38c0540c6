"""The functions and classes of a session: which are its own, which carry no state, and what number each has.

A definition without state is stored once, in a unit of its own, and referred to by number.
So a class is one class after a restore, and sharing it does not tie the variables that use it.
A function with captured state, or a class with mutable attributes, is data like any other and ties its holders.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import sys
import typing
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, Final, TypeAlias

from elastictm.ids import DefinitionKey
from elastictm.values.kinds import FIXED, fixed_types, module_of

Definition: TypeAlias = FunctionType | type
"""What has a unit of its own; so have type variables and new types, which are compared by identity like these."""

TYPE_VARIABLES: Final = tuple(
    found for name in ("TypeVar", "ParamSpec", "TypeVarTuple") if (found := getattr(typing, name, None)) is not None
)
BARE: Final = (*TYPE_VARIABLES, typing.NewType)
"""Definitions that hold no code."""

_DEFINED: Final = (FunctionType, type, *BARE)

STRUCTURAL: Final = frozenset(
    {
        "__abstractmethods__",
        "__annotations__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__dict__",
        "__match_args__",
        "__orig_bases__",
        "__parameters__",
        "__slotnames__",
        "__slots__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
        "_field_defaults",
        "_fields",
        "_hashable_values_",
        "_member_map_",
        "_member_names_",
        "_unhashable_values_",
        "_unhashable_values_map_",
        "_value2member_map_",
    }
)
"""Class attributes that the class statement and the standard decorators make, and that programs do not change."""


class DefinitionTable:
    """Numbers for the session's definitions, by identity, without keeping them alive."""

    def __init__(self) -> None:
        self._keys: dict[int, tuple[weakref.ref[Any], DefinitionKey]] = {}
        self._objects: dict[DefinitionKey, weakref.ref[Any]] = {}
        self._next = 1

    def key(self, definition: Definition) -> DefinitionKey:
        """The number of a definition, a new one at the first call."""
        known = self._keys.get(id(definition))
        # An address is used again once its object is gone, so the reference decides.
        if known is not None and known[0]() is definition:
            return known[1]
        key = DefinitionKey(self._next)
        self.bind(key, definition)
        return key

    def bind(self, key: DefinitionKey, definition: Definition) -> None:
        """Give a definition a number that it had before, in another process."""
        reference = weakref.ref(definition)
        self._keys[id(definition)] = (reference, key)
        self._objects[key] = reference
        self._next = max(self._next, key + 1)

    def get(self, key: DefinitionKey) -> Definition | None:
        """The definition with this number, or None if it is gone."""
        reference = self._objects.get(key)
        return None if reference is None else reference()

    @property
    def next_key(self) -> DefinitionKey:
        """The number that the next new definition gets."""
        return DefinitionKey(self._next)

    def reserve(self, keys: Iterable[DefinitionKey]) -> None:
        """Never give out these numbers again."""
        self._next = max([self._next, *(key + 1 for key in keys)])


def is_definition(value: Any) -> bool:
    """Whether a value is a function or a class, or else a type variable or a new type."""
    # A value may tell of another class than it has, or raise when it is asked: its type does neither.
    return issubclass(type(value), _DEFINED)


def named_definitions(values: Iterable[Any]) -> frozenset[int]:
    """The addresses of the definitions among the values of variables."""
    return frozenset(id(value) for value in values if is_definition(value))


def importable(definition: Any, name: str | None = None) -> bool:
    """Whether another process finds this very object by its module and its name, or the one given."""
    is_class = issubclass(type(definition), type)
    given = module_of(definition) if is_class else getattr(definition, "__module__", None)
    module = _module(given or "__main__")
    if module is None or vars(module).get("__name__") == "__main__":
        return False
    found: Any = module
    path = str(name or getattr(definition, "__qualname__", "<unknown>"))
    for part in path.split("."):
        found = getattr(found, part, None)
    return found is definition


def _module(name: Any) -> Any:
    """A module that is loaded, or that its package, which is, loads when it is asked for; None if there is none."""
    if not isinstance(name, str):
        return None  # a class may say anything
    found = sys.modules.get(name)
    package, _, last = name.rpartition(".")
    if found is None and package in sys.modules and "__getattr__" in vars(sys.modules[package]):
        with contextlib.suppress(ImportError):
            offered = getattr(sys.modules[package], last, None)
            found = offered if isinstance(offered, ModuleType) else None
    return found


class Purity:
    """Decides, within one pass, which definitions carry no state; cycles between definitions count as pure."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._known: dict[int, bool] = {}
        self._fixed = fixed_types()

    def __call__(self, definition: Any) -> bool:
        """Whether this function or class, importable or not, holds nothing that a program could change in place."""
        known = self._known.get(id(definition))
        return self._search(definition) if known is None else known

    def _search(self, first: Any) -> bool:
        """Go through all that a definition leads to; whatever leads to what can change is not pure either."""
        seen: set[int] = set()
        # The definitions on the way to the one at hand, each with what is left of its parts.
        way: list[tuple[Any, list[Any]]] = []
        waiting = [first]
        while True:
            if waiting:
                value = waiting.pop()
                kind = type(value)
                inside = _INSIDE.get(kind)
                if issubclass(kind, (FunctionType, type)):
                    pure = self._known.get(id(value), True)
                    if id(value) not in seen and id(value) not in self._known:
                        seen.add(id(value))
                        if not importable(value):
                            way.append((value, waiting))
                            pure, waiting = self._has_known_scope(value), list(_parts(value))
                elif inside is not None:
                    waiting += inside(value)
                    continue
                else:
                    pure = self._is_inert(value)
                if not pure:
                    self._known.update((id(definition), False) for definition, _ in way)
                    return False
            elif way:
                waiting = way.pop()[1]
            else:
                self._known.update(dict.fromkeys(seen, True))
                return True

    def _has_known_scope(self, definition: Any) -> bool:
        """Whether a function's globals are found again by name; those of a script that was run are data beside it."""
        if type(definition) is not FunctionType or definition.__globals__ is self._namespace:
            return True
        module = sys.modules.get(definition.__globals__.get("__name__", ""))
        return module is not None and vars(module) is definition.__globals__

    def _is_inert(self, value: Any) -> bool:
        kind = type(value)
        if kind in FIXED or kind in _INERT or module_of(kind) == typing.__name__:
            return True
        return issubclass(kind, (enum.Enum, *self._fixed))


_INSIDE: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {
    tuple: iter,
    frozenset: iter,
    staticmethod: lambda value: (value.__func__,),
    classmethod: lambda value: (value.__func__,),
    property: lambda value: (value.fget, value.fset, value.fdel),
    functools.cached_property: lambda value: (value.func,),
    # A method of a value, such as ``log.append``, holds the value.
    BuiltinFunctionType: lambda value: (value.__self__,),
}
"""What decides whether a wrapper, or a container that cannot change itself, holds something that can."""

_GENERATORS: Final = frozenset({"collections", "dataclasses", "reprlib"})
_INERT: Final = frozenset({GenericAlias, GetSetDescriptorType, MemberDescriptorType, ModuleType, type(int | str)})


def _parts(definition: Definition) -> Iterator[Any]:
    if isinstance(definition, FunctionType):
        for cell in definition.__closure__ or ():
            content = _cell_content(cell)
            # A cell may be shared and re-bound by ``nonlocal``: only definitions are safe to hold apart.
            yield content if issubclass(type(content), (FunctionType, type)) else [content]
        yield from definition.__defaults__ or ()
        yield from (definition.__kwdefaults__ or {}).values()
        yield from definition.__dict__.values()
        return
    yield type(definition)
    yield from definition.__bases__
    if issubclass(definition, enum.Enum):
        yield from (value for name, value in vars(definition).items() if isinstance(value, FunctionType))
        return
    for name, value in vars(definition).items():
        if name not in STRUCTURAL and type(value).__name__ != "_tuplegetter" and not is_generated(definition, value):
            yield value
    fields = vars(definition).get("__dataclass_fields__", {}).values()
    yield from (field.default_factory for field in fields if field.default_factory is not dataclasses.MISSING)


def is_generated(definition: type, value: Any) -> bool:
    """Whether a method was written by the dataclass or the named tuple machinery, whose closures hold no state."""
    own = vars(definition)
    if "__dataclass_params__" not in own and "_field_defaults" not in own:
        return False
    function = getattr(value, "__func__", value)
    if type(function) is not FunctionType:
        return False
    # The text of generated methods is no file; the wrapper around a generated repr lies in the library.
    return function.__code__.co_filename == "<string>" or function.__globals__.get("__name__") in _GENERATORS


def _cell_content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None
