"""One walk through all that values hold.

It goes level by level through the garbage collector's own knowledge of who refers to whom, at C speed.
Classes, modules of libraries, frames and objects that cannot change are not followed: sharing them ties nothing
(DESIGN, section 4).
"""

from __future__ import annotations

import functools
import gc
import logging
import sys
import types
import weakref
from collections import Counter
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.definitions import BARE, Purity, importable
from elastictm.values.freeze import OutOfTime
from elastictm.values.kinds import FIXED, fixed_types, module_of
from elastictm.values.modules import class_data, data, function_data, is_made_here, is_own
from elastictm.values.reducers.arrays import extent
from elastictm.values.reducers.arrow import memory_types, stretches
from elastictm.values.reducers.torch import reach
from elastictm.values.scopes import scope_of
from elastictm.values.surveyed import Span
from elastictm.values.ways import INTERNAL_MODULES, inside_paused, library_ways, only_reads, shared_by_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator

    from elastictm.values.definitions import Definition
    from elastictm.values.freeze import Surroundings

_NEVER_FOLLOWED: Final = (Enum, logging.Logger, types.FrameType, types.TracebackType)
_PROGRAM: Final = FIXED | {FunctionType, ModuleType, type, property, staticmethod, classmethod}
_COUNTED_UP_TO: Final = 100_000
"""References from one level to the next; beyond, so many objects are to be expected that isolation is not asked for."""
_FEW: Final = 8
"""Objects of a level, up to which they are looked at one by one."""
_NOT_MANY: Final = 100
"""Objects up to which what is found is gone through one by one."""
_STEPS_BETWEEN_LOOKS: Final = 100
_AT_ONCE: Final = 20_000
"""Objects that are gone through between two looks at the clock, some milliseconds."""
_MEMORY_OF_ITS_OWN: Final = (bytes, bytearray, memoryview)
_MEMOISED: Final = type(functools.lru_cache(lambda: None))


def _parts(objects: list[Any]) -> Iterator[list[Any]]:
    if len(objects) <= _AT_ONCE:
        yield objects
    else:
        for start in range(0, len(objects), _AT_ONCE):
            yield objects[start : start + _AT_ONCE]


def _results(memoised: Any) -> list[Any]:
    """What a memoised function holds, of its cache only the results that can change in place: there may be many."""
    inside = [memoised.__wrapped__, memoised.__dict__]
    for held in gc.get_referents(memoised):
        if type(held) is dict and held is not memoised.__dict__:
            results: list[Any] = list(held.values())
            if results and type(results[0]).__name__ == "_lru_list_elem":
                results = gc.get_referents(*results)
            inside += [result for result in results if type(result) not in FIXED]
    return inside


class Walk:
    """One walk: what was met, and how each type is followed.

    ``passed`` are objects that were met but are no data of the values, ``still`` those whose memory is never written.
    """

    def __init__(
        self, around: Surroundings, singletons: tuple[type, ...], trodden: Container[int] = frozenset()
    ) -> None:
        self.met: dict[int, Any] = {id(shared): shared for shared in (around.namespace, *shared_by_all())}
        self.passed: set[int] = set(self.met)
        self.spans: list[Span] = []
        self.still: list[Any] = []
        self.code: dict[CodeType, None] = {}
        self.definitions: dict[int, Definition] = {}
        self.references: Counter[int] = Counter()
        self.weak: Counter[int] = Counter()
        self.met_types: set[type] = set()
        self.exposed = False
        self._trodden = trodden
        self._left_to_libraries: set[type | str] = set()
        self._namespace = around.namespace
        self._pure = Purity(around.namespace)
        self._stop = (*_NEVER_FOLLOWED, *singletons, *fixed_types())
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        self._array_type: Any = getattr(numpy, "ndarray", ())
        self._flat_type: Any = getattr(numpy, "flatiter", ())
        self._void_type: Any = getattr(numpy, "void", ())
        self._index_type: Any = getattr(pandas, "Index", ())
        torch = sys.modules.get("torch")
        self._tensor_types: Any = tuple(getattr(torch, name, ()) for name in ("Tensor", "UntypedStorage"))
        self._ways: dict[type, Callable[[Any], Collection[Any]] | None] = dict.fromkeys(FIXED)

    def go(self, values: Iterable[Any], out_of_time: Callable[[], bool]) -> None:
        """Walk all that the values hold.

        Raises:
            OutOfTime: ``out_of_time`` said so between two levels.
        """
        try:
            level = self._new(list(values))
            steps = 0
            while level:
                few = len(level) <= _FEW
                if few:
                    found = self._step_few(level)
                    level = self._new_few(found) if len(found) <= _NOT_MANY else self._new_of_many([found], out_of_time)
                else:
                    level = self._new_of_many(map(self._step, _parts(level)), out_of_time)
                # There may be a million levels of one object each.
                steps += 1
                if (not few or not steps % _STEPS_BETWEEN_LOOKS) and out_of_time():
                    raise OutOfTime
        finally:
            # Its methods are among its ways: without this cut, a cycle would keep what was met alive for long.
            self._ways.clear()

    def _new_of_many(self, steps: Iterable[list[Any]], out_of_time: Callable[[], bool]) -> list[Any]:
        """The next level, with a look at the clock after each part where there are many objects."""
        fresh: list[Any] = []
        total = 0
        for step in steps:
            for found in _parts(step):
                if total and out_of_time():
                    raise OutOfTime
                total += len(found)
                few = len(found) <= _NOT_MANY
                fresh += self._new_few(found) if few else self._new(found, counted=total <= _COUNTED_UP_TO)
        return fresh

    def _new(self, found: list[Any], *, counted: bool = True) -> list[Any]:
        """Count the references to what was found, and return what was not met before, each once."""
        if set(map(type, found)) <= FIXED:
            return []
        found = [value for value in found if type(value) not in FIXED]
        if counted:
            self.references.update(map(id, found))
        else:
            self.exposed = True
        fresh = dict(zip(map(id, found), found, strict=True))
        for key in fresh.keys() & self.met.keys():
            del fresh[key]
        self.met.update(fresh)
        return [value for key, value in fresh.items() if key not in self._trodden]

    def _new_few(self, found: list[Any]) -> list[Any]:
        """The same at less cost for few objects."""
        met, references, trodden = self.met, self.references, self._trodden
        fresh: list[Any] = []
        for value in found:
            if type(value) not in FIXED:
                key = id(value)
                references[key] = references.get(key, 0) + 1
                if key not in met:
                    met[key] = value
                    if key not in trodden:
                        fresh.append(value)
        return fresh

    def held(self) -> dict[int, Any]:
        """What was met and not passed over."""
        found = self.met.copy()
        for key in self.passed:
            found.pop(key, None)
        return found

    def _step(self, level: list[Any]) -> list[Any]:
        """What the objects of a level refer to."""
        ways = self._ways
        kinds = set(map(type, level))
        self.met_types |= kinds
        for kind in kinds - ways.keys():
            ways[kind] = self._way(kind)
        if all(ways[kind] is gc.get_referents for kind in kinds):
            return gc.get_referents(*level)
        plain: list[Any] = []
        found: list[Any] = []
        for value in level:
            way = ways[type(value)]
            if way is gc.get_referents:
                plain.append(value)
            elif way is not None:
                found += way(value)
        found += gc.get_referents(*plain)
        return found

    def _step_few(self, level: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in level:
            kind = type(value)
            if kind not in self._ways or kind not in self.met_types:
                return self._step(level)
            way = self._ways[kind]
            if way is not None:
                found += way(value)
        return found

    def _way(self, kind: type) -> Callable[[Any], Collection[Any]] | None:
        if issubclass(kind, self._void_type):
            return lambda value: [value.base]
        if issubclass(kind, BARE):
            return self._bare
        self._leave_to_library(kind)
        if issubclass(kind, self._stop) or module_of(kind) in INTERNAL_MODULES:
            return self._pass
        for base, way in (
            (type, self._class),
            (FunctionType, self._function),
            (ModuleType, self._module),
            (self._array_type, self._array),
            (self._index_type, self._index),
            (self._tensor_types, self._tensor),
            (memory_types(), self._arrow),
            *library_ways(self._pass),
            (weakref.ref, self._weak),
            (weakref.ProxyTypes, self._proxy),
            (_MEMOISED, _results),
            ((types.BuiltinFunctionType, types.MethodWrapperType), lambda value: [value.__self__]),
            (memoryview, lambda value: [value.obj]),
            (self._flat_type, lambda value: [value.base]),
            (types.GeneratorType, lambda value: self._paused(value, value.gi_frame)),
            (types.CoroutineType, lambda value: self._paused(value, value.cr_frame)),
            (types.AsyncGeneratorType, lambda value: self._paused(value, value.ag_frame)),
        ):
            if issubclass(kind, base):
                return way
        return gc.get_referents

    def _leave_to_library(self, kind: type) -> None:
        """What a class of a library, or its module, holds is the library's: constants that many values may share."""
        bases = [base for base in kind.__mro__[:-1] if base not in self._left_to_libraries]
        self._left_to_libraries.update(bases)
        for base in bases:
            module = module_of(base)
            if module not in {"builtins", "__main__"} and importable(base) and not _is_users(base):
                held: tuple[Any, ...] = tuple(vars(base).values())
                if module not in self._left_to_libraries:
                    self._left_to_libraries.add(module)
                    held = (*held, *vars(sys.modules[module]).values())
                shared = {id(item): item for item in held if type(item) not in _PROGRAM}
                self.met.update(shared)
                self.passed.update(shared)

    def _pass(self, value: Any) -> list[Any]:
        """Pass over what is no data of the value that uses it."""
        self.passed.add(id(value))
        return []

    def _bare(self, value: Any) -> list[Any]:
        if not importable(value, value.__name__):
            self.definitions[id(value)] = value
        return self._pass(value)

    def _function(self, value: FunctionType) -> list[Any]:
        if importable(value):
            self._pass(value)
            return function_data(value) if _is_users(value) else []
        self.definitions[id(value)] = value
        if self._pure(value):
            return self._pass(value)
        inside: list[Any] = [*(value.__closure__ or ()), *(value.__defaults__ or ())]
        inside += [*(value.__kwdefaults__ or {}).values(), value.__dict__]
        scope = value.__globals__
        if scope is not self._namespace and not of_module(scope):
            own = scope_of(value)
            inside += [scope] if own is scope else own.values()
        return inside

    def _class(self, value: Any) -> list[Any]:
        if importable(value) or module_of(value) == "builtins":
            self._pass(value)
            return class_data(value) if _is_users(value) else []
        self.definitions[id(value)] = value
        if self._pure(value):
            return self._pass(value)
        return [*vars(value).values(), *value.__bases__]

    def _module(self, value: ModuleType) -> list[Any]:
        self._pass(value)
        if vars(value) is self._namespace:
            return []
        if is_made_here(value):
            self.passed.discard(id(value))
            return [vars(value)]
        return list(data(value).values()) if is_own(value) else []

    def _weak(self, value: weakref.ref[Any]) -> list[Any]:
        target = value()
        self.weak[id(target)] += 1
        self.references[id(target)] -= 1
        return [target]

    def _proxy(self, value: Any) -> list[Any]:
        self.passed.add(id(value))
        try:
            # Any method of the object knows it; the proxy itself does not tell.
            target = value.__init__.__self__
        except ReferenceError:
            return []
        self.weak[id(target)] += 1
        self.references[id(target)] -= 1
        return [target]

    def _index(self, value: Any) -> list[Any]:
        """An index of a frame can be renamed, but its memory, which copies of the frame share, is never written."""
        self.still += gc.get_referents(value)
        return []

    def _array(self, value: Any) -> list[Any]:
        inside: list[Any] = list(vars(value).values()) if type(value) is not self._array_type else []
        base = value.base
        if base is not None:
            inside.append(base)
            self.exposed |= not issubclass(type(base), (self._array_type, *_MEMORY_OF_ITS_OWN))
        if issubclass(type(base), self._array_type):
            return inside
        if value.size:
            self.spans.append(Span(*extent(value)))
        if value.dtype.hasobject:
            inside += value.ravel("K").tolist()
        return inside

    def _tensor(self, value: Any) -> list[Any]:
        inside, memory = reach(value)
        self.spans += [Span(*stretch, foreign=True) for stretch in memory]
        self.exposed = True
        return inside

    def _arrow(self, value: Any) -> list[Any]:
        self.spans += [Span(start, stop, fixed=True, foreign=True) for start, stop in stretches(value)]
        self.exposed = True
        return []

    def _paused(self, value: Any, frame: types.FrameType | None) -> list[Any]:
        if frame is not None and (frame.f_globals is self._namespace or not of_module(frame.f_globals)):
            self.code[frame.f_code] = None
        inside = inside_paused(value, frame)
        if not only_reads(frame):
            return inside
        self.still += inside
        return []


def _is_users(definition: Any) -> bool:
    is_class = issubclass(type(definition), type)
    module = sys.modules.get(module_of(definition) if is_class else definition.__module__)
    return module is not None and is_own(module)


def of_module(namespace: dict[str, Any]) -> bool:
    """Whether a namespace is that of a module that is loaded."""
    module = sys.modules.get(namespace.get("__name__", ""))
    return module is not None and vars(module) is namespace
