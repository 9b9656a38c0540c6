"""Values of the standard library that pickle refuses or gets wrong for a session."""

from __future__ import annotations

import dataclasses
import gc
import logging
import threading
import types
import typing
import weakref
from collections import OrderedDict
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values import rebuild
from elastictm.values.definitions import TYPE_VARIABLES, importable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

_DECLARED: Final = ("bound", "covariant", "contravariant", "infer_variance", "default")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for wrappers that hold functions, and for views and loggers."""
    return {
        property: reduce_property,
        staticmethod: reduce_wrapper,
        classmethod: reduce_wrapper,
        types.MappingProxyType: reduce_mapping_proxy,
        type({}.keys()): reduce_keys,
        type({}.values()): reduce_values,
        type({}.items()): reduce_items,
        **dict(zip(_ordered_views(), (reduce_keys, reduce_values, reduce_items), strict=True)),
        weakref.ref: reduce_weak_reference,
        logging.Logger: reduce_logger,
        threading.local: refuse_thread_local,
        **dict.fromkeys(TYPE_VARIABLES, reduce_type_variable),
        typing.NewType: reduce_new_type,
        weakref.WeakSet: reduce_weak_set,
        **dict.fromkeys(_marker_types(), reduce_marker),
    }


def _marker_types() -> set[type]:
    return {type(value) for value in vars(dataclasses).values() if _is_marker(value)}


def _is_marker(value: Any) -> bool:
    return type(value).__module__ == dataclasses.__name__ and not isinstance(value, type)


def reduce_marker(value: Any, _view: FreezingPass) -> str:
    """A marker of the dataclasses module by its name there, because it is compared by identity."""
    return next(name for name, known in vars(dataclasses).items() if known is value)


def reduce_property(value: property, _view: FreezingPass) -> Any:
    """A property as its functions and its text."""
    return property, (value.fget, value.fset, value.fdel, value.__doc__)


def reduce_wrapper(value: Any, _view: FreezingPass) -> Any:
    """A static or class method as the function inside."""
    return type(value), (value.__func__,)


def reduce_mapping_proxy(value: Any, _view: FreezingPass) -> Any:
    """A read-only view of a mapping as a view of the same mapping."""
    return _proxy_of, (_mapping_under(value),)


def _proxy_of(mapping: Mapping[Any, Any]) -> Any:
    return types.MappingProxyType(mapping)


def reduce_keys(value: Any, _view: FreezingPass) -> Any:
    """A keys view of the dict itself."""
    return _view_of, (_mapping_under(value), "keys")


def reduce_values(value: Any, _view: FreezingPass) -> Any:
    """A values view of the dict itself."""
    return _view_of, (_mapping_under(value), "values")


def reduce_items(value: Any, _view: FreezingPass) -> Any:
    """An items view of the dict itself."""
    return _view_of, (_mapping_under(value), "items")


def _mapping_under(view: Any) -> Any:
    # The public attributes wrap the mapping once more; the collector knows the object itself.
    return gc.get_referents(view)[0]


def _view_of(mapping: Mapping[Any, Any], method: str) -> Any:
    return getattr(mapping, method)()


def _ordered_views() -> tuple[type, ...]:
    mapping: OrderedDict[int, int] = OrderedDict()
    return type(mapping.keys()), type(mapping.values()), type(mapping.items())


def reduce_weak_reference(value: weakref.ref[Any], _view: FreezingPass) -> Any:
    """A weak reference whose object is stored too if anything else in the unit holds it."""
    callback: Any = value.__callback__
    if callback is not None:
        raise TypeError("cannot store a weak reference with a callback")
    return _weak, (value(),)


def _weak(target: Any) -> weakref.ref[Any]:
    # A set that nobody holds dies at once, and leaves a reference to nothing.
    return weakref.ref(set() if target is None else target)


def reduce_logger(value: logging.Logger, _view: FreezingPass) -> Any:
    """A logger by its name: the target's logging configuration applies."""
    return logging.getLogger, (value.name,)


def reduce_type_variable(value: Any, view: FreezingPass) -> Any:
    """A type variable by name where it can be imported, otherwise by number: it is compared by identity."""
    if importable(value, value.__name__):
        view.modules.add(value.__module__)
        return value.__name__
    declared = {name: getattr(value, f"__{name}__", None) for name in _DECLARED}
    given = {name: item for name, item in declared.items() if item and repr(item) != "typing.NoDefault"}
    arguments = (type(value).__name__, value.__name__, getattr(value, "__constraints__", ()), given, value.__module__)
    return _by_number(value, view, type_variable, arguments)


def type_variable(
    kind: str, name: str, constraints: tuple[Any, ...], declared: dict[str, Any], module: str
) -> typing.TypeVar:
    """A type variable, a specification of parameters, or a variable for several types."""
    made: typing.TypeVar = getattr(typing, kind)(name, *constraints, **declared)
    made.__module__ = module
    return made


def _type_variable(name: str, constraints: tuple[Any, ...], declared: dict[str, Any], module: str) -> typing.TypeVar:
    # Archives of earlier versions name this.
    return type_variable("TypeVar", name, constraints, declared, module)


def reduce_new_type(value: typing.NewType, view: FreezingPass) -> Any:
    """A new type by name where it can be imported, otherwise by number, made of its name and what it stands on."""
    if importable(value):
        view.modules.add(value.__module__ or "")
        return NotImplemented
    return _by_number(value, view, new_type, (value.__name__, value.__supertype__, value.__module__))


def new_type(name: str, base: Any, module: str) -> typing.NewType:
    """A new type that stands on another."""
    maker: Any = typing.NewType
    made: typing.NewType = maker(name, base)
    made.__module__ = module
    return made


def _by_number(value: Any, view: FreezingPass, maker: Any, arguments: tuple[Any, ...]) -> Any:
    """A reference to the unit of a definition, or the unit itself."""
    if view.is_root(value):
        return rebuild.root_class, (maker, *arguments)
    index = view.reference(value)
    return (maker, arguments) if index is None else (rebuild.definition, (index,))


def reduce_weak_set(value: weakref.WeakSet[Any], _view: FreezingPass) -> Any:
    """A weak set of those members that are alive."""
    return weakref.WeakSet, (list(value),)


def refuse_thread_local(_value: Any, _view: FreezingPass) -> Any:
    """Thread-local data belongs to threads that do not travel."""
    raise TypeError("cannot store thread-local data")
