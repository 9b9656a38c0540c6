"""Readers and writers of comma-separated values."""

from __future__ import annotations

import csv
import gc
import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MethodType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "csv"

_SETTINGS: Final = (
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
)
_Dialect: Any = type(csv.reader(()).dialect)


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for readers, writers and their dialects."""
    return {
        type(csv.reader(())): reduce_reader,
        type(csv.writer(SimpleNamespace(write=print))): reduce_writer,
        _Dialect: reduce_dialect,
    }


def _settings(dialect: Any) -> dict[str, Any]:
    return {name: getattr(dialect, name) for name in _SETTINGS}


def _held(value: Any) -> Any:
    """What a reader reads from, or a writer writes with."""
    return next(held for held in gc.get_referents(value) if not isinstance(held, (type, _Dialect)))


def reduce_reader(value: Any, _view: FreezingPass) -> Any:
    """A reader as its lines, its dialect and the number of lines that it has read."""
    return reader, (_held(value), _settings(value.dialect), value.line_num)


def reader(lines: Iterator[str], settings: Mapping[str, Any], read: int) -> Any:
    """A reader that counts on from the lines that were read before."""
    # The count grows only with lines that are read: empty ones stand in for those before.
    source = itertools.chain(itertools.repeat("", read), lines) if read else lines
    made = csv.reader(source, **settings)
    for _ in range(read):
        next(made)
    return made


def reduce_writer(value: Any, _view: FreezingPass) -> Any:
    """A writer as the method that it writes with, and its dialect."""
    return writer, (_held(value), _settings(value.dialect))


def writer(write: Callable[[str], Any] | MethodType, settings: Mapping[str, Any]) -> Any:
    """A writer that writes with a method of something else."""
    return csv.writer(SimpleNamespace(write=write), **settings)


def reduce_dialect(value: Any, _view: FreezingPass) -> Any:
    """A dialect as its settings."""
    return dialect, (_settings(value),)


def dialect(settings: Mapping[str, Any]) -> Any:
    """A dialect with these settings."""
    return csv.reader((), **settings).dialect
