"""Which values cannot change in place, and so neither tie names together nor need a second look."""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import fractions
import pathlib
import re
import sys
import types
import uuid
from typing import Any, Final

ATOMS: Final[frozenset[type]] = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, slice, type(Ellipsis), type(NotImplemented)}
)
"""Built-in types whose instances are compared by identity alone as long as nobody re-binds the name."""

PRINTED: Final[frozenset[type]] = frozenset(
    {
        dt.date,
        dt.datetime,
        dt.time,
        dt.timedelta,
        dt.timezone,
        decimal.Decimal,
        fractions.Fraction,
        pathlib.PosixPath,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        re.Pattern,
        uuid.UUID,
    }
)
"""Types of the standard library whose values never change, and whose text tells all of one."""

FIXED: Final[frozenset[type]] = (
    ATOMS
    | PRINTED
    | {
        pathlib.Path,
        types.CodeType,
        types.GenericAlias,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.MethodDescriptorType,
        types.UnionType,
        types.WrapperDescriptorType,
    }
)
"""Types whose instances are shared freely without tying the names that hold them."""

_MODULE: Final[Any] = type.__dict__["__module__"]

_FIXED_ELSEWHERE: Final = (
    ("numpy", ("dtype", "ufunc", "generic", "bool", "bool_")),
    ("pandas", ("Timestamp", "Timedelta", "Period", "Interval")),
    ("pandas._libs.internals", ("BlockPlacement",)),
    ("pandas.api.extensions", ("ExtensionDtype",)),
    ("pandas.tseries.offsets", ("BaseOffset",)),
    ("torch", ("dtype", "device", "Size")),
    ("zoneinfo", ("ZoneInfo",)),
)


def fixed_types() -> tuple[type, ...]:
    """Types of loaded libraries, with their subclasses, whose instances cannot change in place."""
    found: list[type] = []
    for module_name, names in _FIXED_ELSEWHERE:
        module = sys.modules.get(module_name)
        for name in names if module is not None else ():
            # Older versions of numpy warn when they are asked for a name that they do not have yet.
            candidate = vars(module).get(name)
            if isinstance(candidate, type):
                found.append(candidate)
    return tuple(found)


def module_of(kind: type) -> str:
    """The module that a class is from, whatever its own class says when it is asked; empty if that is no text."""
    module = _MODULE.__get__(kind)
    return module if type(module) is str else ""


def type_name(value: Any) -> str:
    """The type's name as a user would write it, such as ``pandas.DataFrame`` or ``list``."""
    kind = type(value)
    module = module_of(kind)
    if module in {"", builtins.__name__, "__main__"}:
        return kind.__qualname__
    return f"{module.partition('.')[0]}.{kind.__qualname__}"
