"""Bytecode as events: the instructions that load, store, import and call, with names in place of numbers."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

MANY = 99
"""Stands for the number of arguments where a star hides it."""


class Event(NamedTuple):
    """One instruction that matters.

    ``kind`` is ``load`` or ``store`` of a global, ``local`` or ``bind`` for a variable of the function, ``attr``,
    ``const``, ``call``, ``import``, ``from``, ``return``, or the name of another instruction.
    """

    kind: str
    name: str = ""
    amount: int = 0
    value: object = None


NOTHING = Event("")
_VERSION = sys.version_info[:2]
_BIT = int(_VERSION >= (3, 11))
_ATTR_SHIFT = int(_VERSION >= (3, 12))
_SKIPPED = frozenset(
    {
        "CACHE",
        "NOP",
        "RESUME",
        "PRECALL",
        "PUSH_NULL",
        "KW_NAMES",
        "COPY_FREE_VARS",
        "MAKE_CELL",
        "GEN_START",
        "POP_TOP",
    }
)
_WITH_NAMES = frozenset({"CALL_KW", "CALL_FUNCTION_KW"})
"""Calls before which the keywords' names are loaded as a constant."""


class _Tables(NamedTuple):
    """What the arguments of a code object's instructions are indices of."""

    names: tuple[str, ...]
    constants: tuple[object, ...]
    fast: tuple[str, ...]
    cells: tuple[str, ...]


_Decoder = Callable[[_Tables, int], tuple[Event, ...]]


def _global(tables: _Tables, arg: int) -> tuple[Event, ...]:
    # Where the instruction does not tell, a call is assumed.
    return (Event("load", tables.names[arg >> _BIT], arg & 1 if _BIT else 1),)


def _name(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("load", tables.names[arg], 1),)


def _attr(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("attr", tables.names[arg >> _ATTR_SHIFT], 1),)


def _super_attr(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("attr", tables.names[arg >> 2], 1),)


def _local(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("local", tables.fast[arg], 1),)


def _cell(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("local", tables.cells[arg], 1),)


def _two_locals(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("local", tables.fast[arg >> 4], 1), Event("local", tables.fast[arg & 15], 1))


def _bind(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("bind", tables.fast[arg]),)


def _bind_cell(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("bind", tables.cells[arg]),)


def _bind_and_local(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("bind", tables.fast[arg >> 4]), Event("local", tables.fast[arg & 15], 1))


def _two_binds(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("bind", tables.fast[arg >> 4]), Event("bind", tables.fast[arg & 15]))


def _store(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("store", tables.names[arg]),)


def _constant(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("const", value=tables.constants[arg]),)


def _return_constant(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("const", value=tables.constants[arg]), Event("return"))


def _return(_tables: _Tables, _arg: int) -> tuple[Event, ...]:
    return (Event("return"),)


def _call(_tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("call", amount=arg),)


def _call_with_stars(_tables: _Tables, _arg: int) -> tuple[Event, ...]:
    return (Event("call", amount=MANY),)


def _import(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("import", tables.names[arg]),)


def _import_from(tables: _Tables, arg: int) -> tuple[Event, ...]:
    return (Event("from", tables.names[arg]),)


_DECODERS: Mapping[str, _Decoder] = {
    "LOAD_GLOBAL": _global,
    "LOAD_NAME": _name,
    "LOAD_FROM_DICT_OR_GLOBALS": _name,
    "LOAD_ATTR": _attr,
    "LOAD_METHOD": _attr,
    "LOAD_SUPER_ATTR": _super_attr,
    "LOAD_FAST": _local,
    "LOAD_FAST_CHECK": _local,
    "LOAD_FAST_LOAD_FAST": _two_locals,
    "LOAD_DEREF": _cell,
    "LOAD_CLASSDEREF": _cell,
    "LOAD_FROM_DICT_OR_DEREF": _cell,
    "STORE_FAST": _bind,
    "STORE_DEREF": _bind_cell,
    "STORE_FAST_LOAD_FAST": _bind_and_local,
    "STORE_FAST_STORE_FAST": _two_binds,
    "STORE_NAME": _store,
    "STORE_GLOBAL": _store,
    "LOAD_CONST": _constant,
    "RETURN_CONST": _return_constant,
    "RETURN_VALUE": _return,
    "CALL": _call,
    "CALL_FUNCTION": _call,
    "CALL_METHOD": _call,
    "CALL_KW": _call,
    "CALL_FUNCTION_KW": _call,
    "CALL_FUNCTION_EX": _call_with_stars,
    "IMPORT_NAME": _import,
    "IMPORT_FROM": _import_from,
}


def decoded(code: CodeType) -> list[Event]:
    """The instructions of a code object that matter, in order."""
    fast = code.co_varnames
    cells = (*code.co_cellvars, *code.co_freevars)
    if _VERSION >= (3, 11):
        cells = fast = (*fast, *(cell for cell in code.co_cellvars if cell not in fast), *code.co_freevars)
    tables = _Tables(code.co_names, code.co_consts, fast, cells)
    events: list[Event] = []
    extended = 0
    raw = code.co_code
    for op, low in zip(raw[::2], raw[1::2]):  # noqa: B905 - both have one entry for each instruction
        if op == dis.EXTENDED_ARG:
            extended = (extended | low) << 8
            continue
        arg, extended = extended | low, 0
        name = dis.opname[op]
        if name in _SKIPPED:
            continue
        if name in _WITH_NAMES:
            events.pop()
        decoder = _DECODERS.get(name)
        events += decoder(tables, arg) if decoder else (Event(name),)
    return events
