"""Functions, classes, code objects, cells and modules of the session."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import importlib
import marshal
import sys
import types
import weakref
from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final, cast

from elastictm.values import rebuild
from elastictm.values.definitions import STRUCTURAL, importable, is_generated
from elastictm.values.scopes import scope_of
from elastictm.values.source import TextName

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

_KEPT_STRUCTURE: Final = ("__annotations__", "__match_args__", "__parameters__")
_OF_SLOTTED: Final = frozenset({"__getstate__", "__setstate__"})
_OPTIONS: Final = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
_OF_FIELDS: Final = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
_MADE_AT_CREATION: Final = STRUCTURAL - frozenset(_KEPT_STRUCTURE) | {"__orig_bases__", "__slots__"}
_OF_WRAPPERS: Final = frozenset({*functools.WRAPPER_ASSIGNMENTS, "__wrapped__"})
_MADE_BY_NAMED_TUPLE: Final = frozenset(
    {
        "__new__",
        "_make",
        "_replace",
        "__repr__",
        "_asdict",
        "__getnewargs__",
        "__replace__",
        "__match_args__",
    }
)
_MADE_BY_ENUM: Final = frozenset(
    {
        "__new__",
        "_generate_next_value_",
        "_member_type_",
        "_new_member_",
        "_use_args_",
        "_value_repr_",
        "__new_member__",
    }
)


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for what code is made of."""
    return {
        FunctionType: reduce_function,
        CodeType: reduce_code,
        TextName: reduce_text_name,
        CellType: reduce_cell,
        MethodType: reduce_method,
        ModuleType: reduce_module,
        BuiltinFunctionType: reduce_builtin_function,
        type: reduce_class,
        functools.cached_property: reduce_cached_property,
        type(functools.lru_cache(lambda: None)): reduce_lru_cache,
    }


def reduce_function(value: FunctionType, view: FreezingPass) -> Any:
    """A function by name where it can be imported, by number where it has a unit, otherwise by its source."""
    root = view.is_root(value)
    if not root:
        if importable(value):
            view.modules.add(value.__module__)
            return NotImplemented
        index = view.reference(value)
        if index is not None:
            return rebuild.definition, (index,)
    cells = value.__closure__ or ()
    arguments = (value.__code__, value.__name__, value.__code__.co_freevars, cells, view.scope(scope_of(value)))
    state = {
        "__defaults__": value.__defaults__,
        "__kwdefaults__": value.__kwdefaults__,
        "__qualname__": value.__qualname__,
        "__module__": value.__module__,
        "__doc__": value.__doc__,
        "__annotations__": value.__annotations__,
        "attributes": dict(value.__dict__),
        "cells": [(cell, _content(cell)) for cell in cells],
    }
    maker = rebuild.root_function if root else rebuild.function
    return maker, arguments, state, None, None, rebuild.set_function


def reduce_code(value: CodeType, view: FreezingPass) -> Any:
    """A code object by its place in a source text, or as bytecode for this Python alone."""
    place = view.place(value)
    if place is None:
        # Version 2 of marshal writes no back references, whose presence would depend on reference counts.
        return rebuild.bytecode, (sys.version_info[:2], marshal.dumps(value, 2))
    return rebuild.code, (TextName(place.text), place.name, place.line, place.rank, place.flags)


def reduce_text_name(value: TextName, _view: FreezingPass) -> Any:
    """The file name of a text, which is another in each process, by the text's number."""
    return rebuild.text_name, (value.number,)


def reduce_cell(_value: CellType, _view: FreezingPass) -> Any:
    """A closure cell, empty: the functions over it carry its content, so that cycles through it can be closed."""
    return rebuild.cell, ()


def reduce_method(value: MethodType, _view: FreezingPass) -> Any:
    """A method of a class of the session as its function: the class may hold it, and has no attributes by then."""
    owner = value.__self__
    if not issubclass(type(owner), type) or importable(owner):
        return NotImplemented
    return rebuild.method, (value.__func__, owner)


def reduce_class(value: type, view: FreezingPass) -> Any:
    """A class by name where it can be imported, by number where it has a unit, otherwise by its attributes."""
    root = view.is_root(value)
    if not root:
        if importable(value) or value.__module__ == "builtins":
            # Types such as NoneType are known to pickle though no module holds them under their name.
            view.modules.add(value.__module__)
            return NotImplemented
        index = view.reference(value)
        if index is not None:
            return rebuild.definition, (index,)
    maker, arguments, skipped = _skeleton(value)
    own = vars(value)
    attributes = {name: item for name, item in own.items() if name not in skipped and not _is_slot(item)}
    attributes |= {name: own[name] for name in _KEPT_STRUCTURE if name in own}
    if isinstance(value, abc.ABCMeta):
        attributes["__abstractmethods__"] = value.__abstractmethods__
    state: dict[str, Any] = {"attributes": attributes, "registered": _registered(value)}
    if "__dataclass_params__" in own:
        # The code of generated methods is other for each version of Python: they are generated again.
        made = {name for name in attributes.keys() - _OF_SLOTTED if is_generated(value, attributes[name])}
        state["attributes"] = {name: item for name, item in attributes.items() if name not in made}
        state["options"] = {name: getattr(own["__dataclass_params__"], name) for name in _OPTIONS}
        state["fields"] = dict(_own_fields(value))
    if root:
        return rebuild.root_class, (maker, *arguments), state, None, None, rebuild.set_class
    return maker, arguments, state, None, None, rebuild.set_class


def reduce_module(value: ModuleType, view: FreezingPass) -> Any:
    """A module by its name where it can be imported, otherwise by its content."""
    if sys.modules.get(value.__name__) is value:
        if vars(value) is view.namespace:
            return importlib.import_module, ("__main__",)
        if getattr(value, "__spec__", None) is not None:
            view.modules.add(value.__name__)
            return importlib.import_module, (value.__name__,)
    state = {name: item for name, item in vars(value).items() if name not in {"__builtins__", "__loader__", "__spec__"}}
    return rebuild.make_module, (value.__name__, value.__doc__), state, None, None, rebuild.set_module


def reduce_builtin_function(value: BuiltinFunctionType, view: FreezingPass) -> Any:
    """A function written in C, or a method of an object: pickle names it."""
    if isinstance(value.__module__, str):
        view.modules.add(value.__module__)
    return NotImplemented


def reduce_cached_property(value: functools.cached_property[Any], _view: FreezingPass) -> Any:
    """A cached property without its lock."""
    return rebuild.cached_property, (value.func,)


def reduce_lru_cache(value: Any, view: FreezingPass) -> Any:
    """A memoised function by name, or as its function and its parameters; what it remembered is not kept."""
    if importable(value):
        view.modules.add(value.__module__)
        return NotImplemented
    held = value.cache_info().currsize
    if held:
        view.lose(value, f"comes back with an empty cache, which held {held} {'result' if held == 1 else 'results'}")
    parameters = value.cache_parameters()
    own = {name: item for name, item in vars(value).items() if name not in _OF_WRAPPERS}
    return rebuild.lru_cache, (value.__wrapped__, parameters["maxsize"], parameters["typed"]), own or None


def _own_fields(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the fields that a dataclass adds to those of its bases were declared with."""
    for name in vars(value).get("__annotations__", {}):
        field = value.__dataclass_fields__.get(name)
        if field is not None and str(field._field_type) == "_FIELD":  # noqa: SLF001 - public nowhere
            declared = {part: getattr(field, part) for part in _OF_FIELDS}
            yield (
                name,
                {"metadata": dict(field.metadata) or None}
                | {part: item for part, item in declared.items() if item is not dataclasses.MISSING},
            )


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _skeleton(value: type) -> tuple[Any, tuple[Any, ...], frozenset[str]]:
    if issubclass(value, tuple) and value.__bases__ == (tuple,) and hasattr(value, "_field_defaults"):
        fields: tuple[str, ...] = value._fields  # type: ignore[attr-defined]
        given: dict[str, Any] = value._field_defaults
        defaults = tuple(given[field] for field in fields if field in given)
        arguments = (value.__name__, fields, defaults, value.__module__)
        return rebuild.make_named_tuple, arguments, _MADE_AT_CREATION | _MADE_BY_NAMED_TUPLE | frozenset(fields)
    own = vars(value)
    if type(value).__module__ == "typing" and "__total__" in own:
        keys = dict(own.get("__annotations__", {}))
        return (
            rebuild.make_typed_dict,
            (value.__name__, keys, own["__total__"]),
            _MADE_AT_CREATION | {"__annotations__", "__init__", "__new__"},
        )
    body = {name: own[name] for name in ("__module__", "__qualname__", "__slots__", "__orig_bases__") if name in own}
    if "__slots__" in body and not isinstance(body["__slots__"], str | tuple | list):
        body["__slots__"] = tuple(body["__slots__"])
    if isinstance(value, enum.EnumMeta) and value.__members__:
        members: list[tuple[str, Any]] = [(n, found.value) for n, found in cast("Any", value).__members__.items()]
        for name in ("__init__", "_generate_next_value_", "_missing_"):
            if name in own:
                body[name] = own[name]
        if "__new_member__" in own:
            body["__new__"] = own["__new_member__"]
        body["__qualname__"] = value.__qualname__
        skipped = _MADE_AT_CREATION | _MADE_BY_ENUM | frozenset(value.__members__)
        if own.get("_boundary_") is getattr(value.__bases__[-1], "_boundary_", None):
            # It comes from the base, and older versions of Python have no such thing.
            skipped |= {"_boundary_"}
        # The usual metaclass has another name in older versions of Python.
        metaclass = None if type(value) is enum.EnumMeta else type(value)
        return rebuild.make_enum, (metaclass, value.__name__, value.__bases__, body, members), skipped
    return rebuild.make_class, (type(value), value.__name__, value.__bases__, body), _MADE_AT_CREATION


def _is_slot(item: Any) -> bool:
    return isinstance(item, types.MemberDescriptorType | types.GetSetDescriptorType)


def _registered(value: type) -> list[type]:
    implementation = vars(value).get("_abc_impl")
    if implementation is None:
        return []
    registry = abc._get_dump(value)[0]  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to the registry
    alive = (reference() for reference in registry if isinstance(reference, weakref.ref))
    return [found for found in alive if found is not None]
