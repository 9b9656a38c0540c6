"""Modules of the user's own: imported from files outside of any library, or made by the session."""

from __future__ import annotations

import marshal
import os
import sys
import sysconfig
from types import CodeType, FunctionType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
_CLASS_MACHINERY: Final = frozenset({"__dict__", "__doc__", "__module__", "__qualname__", "__weakref__"})
_LIBRARY: Final = tuple(
    sorted({path.rstrip(os.sep) + os.sep for key, path in sysconfig.get_paths().items() if key.endswith("lib")})
)
_PACKED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_THIS: Final = __name__.partition(".")[0]


def is_made_here(module: ModuleType) -> bool:
    """Whether the session itself made a module, so that no import finds it."""
    return getattr(module, "__spec__", None) is None and sys.modules.get(module.__name__) is not module


def is_own(module: ModuleType) -> bool:
    """Whether a module was imported from a file of the user's own."""
    origin = vars(module).get("__file__")
    if not isinstance(origin, str) or sys.modules.get(module.__name__) is not module:
        return False
    if module.__name__ == "__main__" or module.__name__.partition(".")[0] == _THIS:
        return False
    path = os.path.abspath(origin)  # noqa: PTH100 - quick, and the file need not exist
    return not path.startswith(_LIBRARY) and not any(part in path for part in _PACKED)


def held_values(module: ModuleType) -> list[Any]:
    """The data that a module holds: its variables, and what its functions and classes keep."""
    found: list[Any] = []
    for value in _variables(module):
        if issubclass(type(value), type) and value.__module__ == module.__name__:
            found += class_data(value)
        elif type(value) is FunctionType and value.__module__ == module.__name__:
            found += function_data(value)
        else:
            found.append(value)
    return found


def class_data(value: type) -> list[Any]:
    """What a class of an own module keeps beside its methods."""
    return [item for name, item in vars(value).items() if name not in _CLASS_MACHINERY and not _is_method(item)]


def function_data(value: FunctionType) -> list[Any]:
    """What a function of an own module keeps: defaults and attributes."""
    return [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *value.__dict__.values()]


def content(module: ModuleType) -> dict[str, Any]:
    """All of a module that a program can change, in a form that can be frozen though the module is known by name."""
    own = module.__name__
    return {name: _form(value, own) for name, value in vars(module).items() if name not in _MACHINERY}


def _variables(module: ModuleType) -> Iterator[Any]:
    return (
        value
        for name, value in tuple(vars(module).items())
        if name not in _MACHINERY and not issubclass(type(value), ModuleType)
    )


def _is_method(item: Any) -> bool:
    return issubclass(type(item), (FunctionType, staticmethod, classmethod, property, MemberDescriptorType))


def _form(value: Any, module: str) -> Any:
    kind = type(value)
    if kind is FunctionType and value.__module__ == module:
        return [_code(value.__code__), value.__defaults__, value.__kwdefaults__, value.__dict__]
    if kind is staticmethod or kind is classmethod:
        return [kind.__name__, _form(value.__func__, module)]
    if kind is property:
        return [_form(part, module) for part in (value.fget, value.fset, value.fdel)]
    if issubclass(kind, type) and value.__module__ == module:
        attributes: Mapping[str, Any] = vars(value)
        return {
            name: _form(item, module)
            for name, item in attributes.items()
            if name not in _CLASS_MACHINERY and type(item) is not MemberDescriptorType
        }
    if issubclass(kind, ModuleType):
        return value.__name__
    return value


def _code(body: CodeType) -> bytes:
    # Version 2 of marshal writes no back references, whose presence would depend on reference counts.
    return marshal.dumps(body, 2)
