"""The functions that a frozen stream calls to build its values; their names are part of the archive format.

Those of the first group need the restore that they serve: a loader replaces them by its own methods.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import importlib
import types
import typing
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, NoReturn


def _only_in_a_restore(*_: Any) -> NoReturn:
    raise TypeError("this stream belongs to an elastictm archive: load it with elastictm.restore()")


def definition(index: int) -> Any:
    """The definition that the unit lists at this index."""
    _only_in_a_restore(index)


def code(filename: str, name: str, line: int, rank: int, flags: int) -> types.CodeType:
    """The code object at a place of a source text that travels in the archive."""
    _only_in_a_restore(filename, name, line, rank, flags)


def text_name(number: int) -> str:
    """The file name, in the session that restores, of a source text that travels in the archive."""
    _only_in_a_restore(number)


def session_namespace() -> dict[str, Any]:
    """The user's namespace."""
    _only_in_a_restore()


def singleton(name: str) -> Any:
    """An object that every session has one of, such as the shell."""
    _only_in_a_restore(name)


def root_function(*arguments: Any) -> types.FunctionType:
    """A function that is a unit of its own, made known before its state is loaded."""
    _only_in_a_restore(*arguments)


def root_class(*arguments: Any) -> type:
    """A class that is a unit of its own, made known before its state is loaded."""
    _only_in_a_restore(*arguments)


class Tied:
    """What a stream has in the place of a value where it says what knows weakly of objects before it."""


def tie(*calls: tuple[Callable[..., None], tuple[Any, ...]]) -> Tied:
    """Have objects that were made know of one another."""
    for call, arguments in calls:
        call(*arguments)
    return Tied()


def bytecode(version: tuple[int, int], data: bytes) -> types.CodeType:
    """A code object whose source is unknown; only the Python minor version that made it can load it."""
    import marshal  # noqa: PLC0415 - rarely needed
    import sys  # noqa: PLC0415

    if version != sys.version_info[:2]:
        made, here = (".".join(map(str, v)) for v in (version, sys.version_info[:2]))
        raise TypeError(f"code without source was made by Python {made} and cannot run on Python {here}")
    loaded = marshal.loads(data)  # noqa: S302 - trust was given before anything is loaded
    assert isinstance(loaded, types.CodeType)  # noqa: S101 - for the type checker
    return loaded


def cell() -> types.CellType:
    """An empty closure cell; the functions that use it fill it in."""
    return types.CellType()


def function(
    body: types.CodeType, name: str, names: tuple[str, ...], cells: tuple[types.CellType, ...], scope: dict[str, Any]
) -> types.FunctionType:
    """A function over a namespace; its cells are matched by name because their order is the compiler's business."""
    by_name = dict(zip(names, cells, strict=True))
    closure = tuple(by_name[free] for free in body.co_freevars)
    return types.FunctionType(body, scope, name, None, closure or None)


def set_function(made: types.FunctionType, state: dict[str, Any]) -> None:
    """Give a function its state."""
    contents = state.pop("cells")
    attributes = state.pop("attributes")
    for target, content in contents:
        if content:
            target.cell_contents = content[0]
    for name, value in state.items():
        setattr(made, name, value)
    made.__dict__.update(attributes)


def method(made: Callable[..., Any], owner: Any) -> types.MethodType:
    """A function bound to what it is a method of."""
    return types.MethodType(made, owner)


def make_class(metaclass: type, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
    """A class without its attributes; what must be known at creation, such as slots, is in ``body``."""

    def make(made_bases: tuple[type, ...]) -> type:
        return types.new_class(name, made_bases, {"metaclass": metaclass}, lambda namespace: namespace.update(body))

    # What makes a protocol would refuse any other base, and can be run again.
    if typing.Protocol in bases or not any(
        "__init_subclass__" in vars(base) for parent in bases for base in parent.__mro__[:-1]
    ):
        return make(bases)
    made = make((_quiet(bases[0]), *bases))
    try:
        made.__bases__ = bases
    except TypeError:
        # Python sees another layout of instances: then the hook runs once more.
        return make(bases)
    return made


def _quiet(first: type) -> type:
    """A base that keeps ``__init_subclass__`` from running again: what it did to the class is in the stored state.

    Its instances are laid out as those of the first base, so that the bases can be set right afterwards.
    """
    slots: list[str] = []
    if first.__dictoffset__:
        slots.append("__dict__")
    if first.__weakrefoffset__:
        slots.append("__weakref__")
    return type("_Quiet", (), {"__slots__": slots, "__init_subclass__": classmethod(lambda _cls, **_: None)})


def make_enum(given: type | None, name: str, bases: tuple[type, ...], body: dict[str, Any], members: list[Any]) -> type:
    """An enumeration with its members, made in their order."""
    metaclass: Any = given or enum.EnumMeta
    namespace = metaclass.__prepare__(name, bases)
    for attribute, value in (*body.items(), *members):
        namespace[attribute] = value
    made: type = metaclass.__new__(metaclass, name, bases, namespace)
    return made


def make_named_tuple(name: str, fields: tuple[str, ...], defaults: tuple[Any, ...], module: str) -> type:
    """A named tuple class, generated anew by this Python."""
    made: type = namedtuple(name, fields, defaults=defaults, module=module)  # type: ignore[misc]  # noqa: PYI024
    return made


def make_typed_dict(name: str, fields: dict[str, Any], total: bool) -> type:  # noqa: FBT001 - stored so
    """A typed dict; which of its keys are required is set later."""
    maker: Any = typing.TypedDict
    made: type = maker(name, fields, total=total)
    return made


def set_class(made: type, state: dict[str, Any]) -> None:
    """Give a class its attributes, past any ``__setattr__`` of its metaclass."""
    for subclass in state.pop("registered"):
        abc.ABCMeta.register(made, subclass)  # type: ignore[arg-type]
    for name, value in state["attributes"].items():
        type.__setattr__(made, name, value)
    for name, value in state["attributes"].items():
        if isinstance(value, functools.cached_property):
            value.__set_name__(made, name)
    if "options" in state:
        _generate(made, state["options"], state["fields"])


def _generate(made: type, options: dict[str, bool], fields: dict[str, Any]) -> None:
    """Have the dataclass decorator write its methods into a class that it went over before."""
    kept = {name: vars(made)[name] for name in fields if name in vars(made)}
    for name, declared in fields.items():
        type.__setattr__(made, name, dataclasses.field(**declared))
    dataclasses.dataclass(**options, match_args=False)(made)
    for name in fields:
        # Slots, and what was assigned to the class later on.
        if name in kept:
            type.__setattr__(made, name, kept[name])
        elif name in vars(made):
            type.__delattr__(made, name)


def make_module(name: str, doc: str | None) -> types.ModuleType:
    """A module that the session made itself."""
    return types.ModuleType(name, doc)


def set_module(made: types.ModuleType, state: Mapping[str, Any]) -> None:
    """Give a module the attributes that the session gave it."""
    vars(made).update(state)


def lru_cache(wrapped: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:  # noqa: FBT001 - stored so
    """A memoised function whose cache starts empty."""
    return functools.lru_cache(maxsize, typed)(wrapped)


def cached_property(wrapped: Callable[..., Any]) -> functools.cached_property[Any]:
    """A cached property; its lock, where Python has one, starts free."""
    return functools.cached_property(wrapped)


def module_scope(name: str) -> dict[str, Any]:
    """The namespace of a module that the target has."""
    return vars(importlib.import_module(name))


def scope() -> dict[str, Any]:
    """A namespace of a script that the session ran."""
    return {"__builtins__": __builtins__}


def set_scope(made: dict[str, Any], state: dict[str, Any]) -> None:
    """Fill the namespace of a script."""
    made.update(state)
