"""Which mutable objects a value holds, to see what it shares with other values.

The walk goes level by level through the garbage collector's own knowledge of who refers to whom, at C speed.
Classes, modules, frames and objects that cannot change are not followed: sharing them ties nothing (DESIGN, section 4).
"""

from __future__ import annotations

import gc
import logging
import sys
import types
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from elastictm.values.definitions import Purity, importable
from elastictm.values.freeze import OutOfTime, Surroundings
from elastictm.values.kinds import FIXED, fixed_types
from elastictm.values.reducers.arrays import extent

_NEVER_FOLLOWED: Final = (logging.Logger, logging.Handler, types.FrameType, types.TracebackType)
_ISOLATION_UP_TO: Final = 20_000
"""Objects; counting references costs about a microsecond each."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The mutable objects inside some values by identity, the memory that their arrays use, and the code they carry.

    ``references`` counts, for each object, the references to it that the walk itself found.
    """

    objects: dict[int, Any]
    spans: tuple[tuple[int, int], ...]
    code: tuple[CodeType, ...]
    references: Counter[int]

    def isolated(self, outside: Counter[int]) -> bool:
        """Whether nothing but the walked values and the counted references holds any of the objects."""
        if len(self.objects) > _ISOLATION_UP_TO or self.spans:
            return False
        own = _count({0: object()}, 0)
        return all(_count(self.objects, key) - own <= self.references[key] + outside[key] for key in self.objects)


def _count(objects: dict[int, Any], key: int) -> int:
    """References to an object of a record, with those of the record and of the call itself."""
    return sys.getrefcount(objects[key])


class Surveyor:
    """Walks values of one session."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._singletons = tuple(around.singletons)

    def survey(self, values: Iterable[Any], *, out_of_time: Callable[[], bool] = lambda: False) -> Survey:
        """Walk all that the values hold.

        Raises:
            OutOfTime: ``out_of_time`` said so between two levels.
        """
        walk = _Walk(self._around, self._singletons)
        level: list[Any] = list(values)
        while level:
            level = walk.step(level)
            if out_of_time():
                raise OutOfTime
        # Its methods are among its ways: without this cut, a cycle would keep what was met alive for long.
        walk._ways.clear()
        objects = {key: held for key, held in walk.met.items() if key not in walk.passed}
        return Survey(objects, tuple(walk.spans), tuple(walk.code), walk.references)


class _Walk:
    """One walk: what was met, and how each type is followed."""

    def __init__(self, around: Surroundings, singletons: tuple[type, ...]) -> None:
        self.met: dict[int, Any] = {id(around.namespace): around.namespace}
        self.passed: set[int] = {id(around.namespace)}
        self.spans: list[tuple[int, int]] = []
        self.code: dict[CodeType, None] = {}
        self.references: Counter[int] = Counter()
        self._pure = Purity()
        self._stop = (*_NEVER_FOLLOWED, *singletons, *fixed_types())
        self._numpy = sys.modules.get("numpy")
        self._ways: dict[type, Callable[[Any], list[Any]] | None] = dict.fromkeys(FIXED)

    def step(self, level: list[Any]) -> list[Any]:
        """Take note of the objects of a level and return what they refer to."""
        plain: list[Any] = []
        found: list[Any] = []
        ways = self._ways
        for kind in set(map(type, level)) - ways.keys():
            ways[kind] = self._way(kind)
        for value in level:
            way = ways[type(value)]
            if way is None:
                continue
            key = id(value)
            self.references[key] += 1
            if key in self.met:
                continue
            self.met[key] = value
            if way is gc.get_referents:
                plain.append(value)
            else:
                found += way(value)
        found += gc.get_referents(*plain)
        return [value for value in found if type(value) not in FIXED]

    def _way(self, kind: type) -> Callable[[Any], list[Any]] | None:
        if issubclass(kind, self._stop):
            return None
        if issubclass(kind, type):
            return self._class
        if kind is FunctionType:
            return self._function
        if kind is weakref.ref:
            return lambda reference: [reference()]
        if self._numpy is not None and issubclass(kind, self._numpy.ndarray):
            return self._array
        return gc.get_referents

    def _function(self, value: FunctionType) -> list[Any]:
        if importable(value):
            return self._pass(value)
        self.code[value.__code__] = None
        if self._pure(value):
            self._pass(value)
            return [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        inside: list[Any] = [*(value.__closure__ or ()), *(value.__defaults__ or ())]
        inside += [*(value.__kwdefaults__ or {}).values(), value.__dict__]
        if value.__globals__ is not self._around.namespace and not _of_module(value.__globals__):
            inside.append(value.__globals__)
        return inside

    def _class(self, value: Any) -> list[Any]:
        if importable(value) or value.__module__ == "builtins":
            return self._pass(value)
        inside = [item for item in vars(value).values() if not isinstance(item, ModuleType)]
        if self._pure(value):
            self._pass(value)
            return [item for item in inside if isinstance(item, FunctionType | property | staticmethod | classmethod)]
        return [*inside, *value.__bases__]

    def _array(self, value: Any) -> list[Any]:
        inside: list[Any] = list(vars(value).values()) if type(value) is not self._numpy.ndarray else []  # type: ignore[union-attr]
        if value.base is not None:
            inside.append(value.base)
        if not isinstance(value.base, self._numpy.ndarray) and value.size:  # type: ignore[union-attr]
            self.spans.append(extent(value))
        if value.dtype == object and not isinstance(value.base, self._numpy.ndarray):  # type: ignore[union-attr]
            inside += value.ravel("K").tolist()
        return inside

    def _pass(self, value: Any) -> list[Any]:
        """Pass over a shared definition: it is no data of the value that uses it."""
        self.passed.add(id(value))
        return []


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - the look-up is the check
    except ValueError:
        return False
    return True


def _of_module(namespace: dict[str, Any]) -> bool:
    module = sys.modules.get(namespace.get("__name__", ""))
    return module is not None and vars(module) is namespace
