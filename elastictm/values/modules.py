"""Modules of the user's own: imported from files outside of any library, or made by the session."""

from __future__ import annotations

import marshal
import os
import sys
import sysconfig
from itertools import chain
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final

from elastictm.values.definitions import STRUCTURAL
from elastictm.values.kinds import FIXED, module_of

_MACHINERY: Final = frozenset(
    {
        "__builtins__",
        "__cached__",
        "__doc__",
        "__file__",
        "__loader__",
        "__name__",
        "__package__",
        "__path__",
        "__spec__",
    }
)
_KEPT: Final = frozenset({"__slotnames__"})
"""What pickling notes in a class for itself."""
_TOLD: Final = frozenset({int, float, complex, str, bytes, bool, type(None)})
_LIBRARY: Final = tuple(
    sorted({path.rstrip(os.sep) + os.sep for key, path in sysconfig.get_paths().items() if key.endswith("lib")})
)
_PACKED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_THIS: Final = frozenset({"elastictm", "elastictm_cli"})
_OF_CLASSES: Final = frozenset(
    {FunctionType, property, staticmethod, classmethod, GetSetDescriptorType, MemberDescriptorType}
)
_FEW: Final = 10_000
"""Containers with more in them are taken as they are: going through them would be felt."""


def name_of(module: ModuleType) -> str:
    """The name of a module; empty where it has none, as one that nobody has set up."""
    return str((vars(module) or {}).get("__name__", ""))


def is_made_here(module: ModuleType) -> bool:
    """Whether the session itself made a module, so that no import finds it."""
    return getattr(module, "__spec__", None) is None and sys.modules.get(name_of(module)) is not module


def is_own(module: ModuleType) -> bool:
    """Whether a module was imported from a file of the user's own."""
    origin = vars(module).get("__file__")
    if not isinstance(origin, str) or sys.modules.get(name_of(module)) is not module:
        return False
    if name_of(module) == "__main__" or is_this(name_of(module)):
        return False
    return is_own_file(origin)


def is_this(name: str) -> bool:
    """Whether a module of this name belongs to this program."""
    return name.partition(".")[0] in _THIS


def origin(value: Any) -> str:
    """The module that a value is, or that its definition or its type comes from."""
    kind = type(value)
    if kind is ModuleType:
        return name_of(value)
    module = value.__module__ if kind is FunctionType else module_of(value if issubclass(kind, type) else kind)
    return module if isinstance(module, str) else ""


def is_own_file(origin: str) -> bool:
    """Whether a module's file lies outside of any library."""
    if origin.startswith(_LIBRARY) and os.pardir not in origin:
        return False  # as nearly all do
    path = os.path.abspath(origin)  # noqa: PTH100 - quick, and the file need not exist
    return not path.startswith(_LIBRARY) and not any(part in path for part in _PACKED)


def shape(module: ModuleType) -> dict[str, Any]:
    """What the names of a module, and those in its classes, are bound to, and the code of its functions."""
    found: dict[str, Any] = {}
    for name, value in _variables(module):
        found[name] = _bound(value)
        if _is_class_of(value, module):
            found.update((f"{name}.{key}", _bound(item)) for key, item in vars(value).items() if key not in _KEPT)
    return found


def data(module: ModuleType) -> dict[str, Any]:
    """What a module holds that can change in place: variables, and what its functions and classes keep."""
    found: dict[str, Any] = {}
    for name, value in _variables(module):
        kind = type(value)
        if kind is FunctionType:
            kept = function_data(value)
        elif _is_class_of(value, module):
            kept = class_data(value)
        elif kind in FIXED or issubclass(kind, (type, ModuleType)):
            continue
        else:
            found[name] = value
            continue
        if kept:
            found[f"{name}()"] = kept
    return found


def settled(value: Any, depth: int = 4) -> Any:
    """A value with the sets of plain values in it put in order: each process hashes texts otherwise."""
    kind = type(value)
    if depth == 0 or kind not in {list, tuple, dict, set, frozenset} or len(value) > _FEW:
        return value
    if kind is dict:
        return {key: settled(item, depth - 1) for key, item in value.items()}
    if kind in {list, tuple}:
        return kind([settled(item, depth - 1) for item in value])
    if not all(type(item) in _TOLD for item in value):
        return value
    return [kind.__name__, *sorted(value, key=lambda item: (type(item).__name__, repr(item)))]


def class_data(value: type) -> list[Any]:
    """What a class of an own module keeps that can change in place."""
    functions = (item.__func__ if type(item) in {staticmethod, classmethod} else item for item in vars(value).values())
    kept = [function_data(function) for function in functions if type(function) is FunctionType]
    own = (vars(value)[name] for name in class_attributes(value))
    return [*(item for item in own if type(item) not in FIXED), *chain.from_iterable(kept)]


def class_attributes(value: type) -> list[str]:
    """The names of data in a class: what is no function of it, and no part of how classes are made."""
    return [name for name, item in vars(value).items() if type(item) not in _OF_CLASSES and name not in STRUCTURAL]


def function_data(value: FunctionType) -> list[Any]:
    """What a function of an own module keeps that can change in place: closure, defaults and attributes."""
    kept = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *value.__dict__.values()]
    found = [item for item in kept if type(item) not in FIXED and type(item) is not FunctionType]
    return found + [cell for cell in value.__closure__ or () if not _holds_function(cell)]


def _variables(module: ModuleType) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in tuple(vars(module).items()) if name not in _MACHINERY]


def _is_class_of(value: Any, module: ModuleType) -> bool:
    return issubclass(type(value), type) and module_of(value) == name_of(module)


def _bound(value: Any) -> Any:
    """What tells one value from another that takes its place: addresses are used again, so numbers tell themselves."""
    kind = type(value)
    if kind in _TOLD:
        # Version 0 of marshal knows neither interned strings nor back references.
        return kind, marshal.dumps(value, 0)
    return (id(value), id(value.__code__)) if kind is FunctionType else id(value)


def _holds_function(cell: CellType) -> bool:
    try:
        return type(cell.cell_contents) is FunctionType
    except ValueError:
        return True
