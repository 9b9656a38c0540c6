"""Parsers and packers of the standard library that are made from a few settings."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

_OF_SCANNER: Final = ("strict", "object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for packers and generators without state."""
    return {struct.Struct: reduce_struct, random.SystemRandom: reduce_system_random}


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of argument parsers and what they consist of, and of what decoders of JSON consist of."""
    json = sys.modules.get("_json")
    if json is not None and kind is json.make_scanner:
        return reduce_scanner
    argparse = sys.modules.get("argparse")
    if argparse is None or not issubclass(kind, (argparse._ActionsContainer, argparse.Action)):  # noqa: SLF001
        return None
    return reduce_arguments


def reduce_struct(value: struct.Struct, _view: FreezingPass) -> Any:
    """A packer by its format."""
    return struct.Struct, (value.format,)


def reduce_system_random(_value: random.SystemRandom, _view: FreezingPass) -> Any:
    """A source of the system's random numbers, which has no state."""
    return random.SystemRandom, ()


def reduce_scanner(value: Any, _view: FreezingPass) -> Any:
    """The inner part of a JSON decoder by its settings."""
    return scanner, ({name: getattr(value, name) for name in _OF_SCANNER},)


def scanner(settings: Mapping[str, Any]) -> Any:
    """The inner part of a JSON decoder."""
    from json.scanner import make_scanner  # noqa: PLC0415 - a rare kind of value

    return make_scanner(SimpleNamespace(**settings, memo={}))  # type: ignore[arg-type]


def reduce_arguments(value: Any, _view: FreezingPass) -> Any:
    """A part of an argument parser; it compares one of its strings by identity."""
    reduced = value.__reduce_ex__(4)
    if not isinstance(reduced, tuple) or len(reduced) != 5 or not isinstance(reduced[2], dict):  # noqa: PLR2004
        return reduced
    return *reduced[:5], set_arguments


def set_arguments(made: Any, state: Mapping[str, Any]) -> None:
    """Give a part of an argument parser its attributes."""
    from argparse import SUPPRESS  # noqa: PLC0415 - a rare kind of value

    for name, item in state.items():
        vars(made)[name] = SUPPRESS if type(item) is str and item == SUPPRESS else item
