"""Freezing: one pass of the pickler gives stream, buffers, digest, size and seconds of a value, or why it has none.

The pickler runs at protocol 5 and is the walker: what it sees is what would be stored.
Without ``keep`` the stream goes into a digest and nowhere else, and buffers are hashed where they lie (DESIGN, freeze).
"""

from __future__ import annotations

import bisect
import pickle
import struct
import sys
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any, Final, TypeAlias

import xxhash

from elastictm.ids import DefinitionKey, Fingerprint, Name
from elastictm.model.records import Refusal
from elastictm.values import rebuild
from elastictm.values.definitions import Definition, DefinitionTable, Purity
from elastictm.values.memory import Export, Slice, segments
from elastictm.values.reducers import arrays, loaded_reducers
from elastictm.values.route import route_to
from elastictm.values.source import CodePlace, SourceLibrary


@dataclass(frozen=True, slots=True)
class Frozen:
    """One value of a group: digest, size in bytes with its buffers, seconds, and the code and definitions it uses."""

    digest: Fingerprint
    size: int
    seconds: float
    definitions: tuple[DefinitionKey, ...]
    code: tuple[CodeType, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A frozen group with its bytes: streams one after another, memory segments, and what it refers to."""

    names: tuple[Name, ...]
    stream: bytes
    segments: tuple[memoryview, ...]
    slices: tuple[Slice, ...]
    definitions: tuple[DefinitionKey, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrozenGroup:
    """What freezing a group gave: a part for each name that can be stored, a refusal for each that cannot."""

    parts: Mapping[Name, Frozen]
    refusals: Mapping[Name, Refusal]
    unit: Unit | None = None


class OutOfTime(Exception):
    """A pass was given up because its time was over."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the values of one session are frozen against and thawed into.

    ``singletons`` maps the types of objects that every session has one of to the names that stand for them.
    """

    namespace: dict[str, Any]
    definitions: DefinitionTable = field(default_factory=DefinitionTable)
    sources: SourceLibrary = field(default_factory=SourceLibrary)
    singletons: Mapping[type, str] = field(default_factory=dict)


Clock: TypeAlias = Callable[[], float]


class _Sink:
    """Takes the stream: digests it, counts it, keeps it if asked, and ends the pass when its time is over."""

    __slots__ = ("clock", "deadline", "hasher", "kept", "size")

    def __init__(self, clock: Clock, deadline: float | None, *, keep: bool) -> None:
        self.clock = clock
        self.deadline = deadline
        self.kept: list[bytes] | None = [] if keep else None
        self.start()

    def start(self) -> None:
        self.hasher = xxhash.xxh3_128()
        self.size = 0

    def write(self, data: Any) -> None:
        self.hasher.update(data)
        self.size += len(data)
        if self.kept is not None:
            self.kept.append(bytes(data))
        self.check_time()

    def check_time(self) -> None:
        if self.deadline is not None and self.clock() > self.deadline:
            raise OutOfTime


class _Buffers:
    """The out-of-band buffers of one pass: known by their memory, digested where they lie."""

    def __init__(self, sink: _Sink) -> None:
        self.exports: list[Export] = []
        self._sink = sink
        self._own: dict[int, tuple[pickle.PickleBuffer, Export]] = {}
        self._stretches: list[tuple[int, int]] = []

    def give(self, memory: Export) -> pickle.PickleBuffer:
        """What stands for memory in the stream; the pickler hands this very object to ``take``, in due course."""
        buffer = pickle.PickleBuffer(memory.view)
        self._own[id(buffer)] = (buffer, memory)
        return buffer

    def take(self, buffer: pickle.PickleBuffer) -> None:
        """Called by the pickler for each buffer that it comes upon."""
        own = self._own.pop(id(buffer), None)
        memory = _export_of(buffer.raw()) if own is None else own[1]
        self.exports.append(memory)
        self._sink.hasher.update(xxhash.xxh3_128_digest(memory.view))
        self._sink.hasher.update(self._overlap(memory))
        self._sink.size += memory.length
        self._sink.check_time()

    def _overlap(self, memory: Export) -> bytes:
        """Where a buffer lies in the memory of those before it: sharing is part of what is digested."""
        start, stop = memory.address, memory.address + memory.length
        at = bisect.bisect_left(self._stretches, (start, 0))
        low = at - 1 if at and self._stretches[at - 1][1] > start else at
        high = low
        while high < len(self._stretches) and self._stretches[high][0] < stop:
            high += 1
        met = self._stretches[low:high]
        if met:
            self._stretches[low:high] = [(min(start, met[0][0]), max(stop, met[-1][1]))]
            return b"".join(struct.pack("<qq", start - first, stop - first) for first, _ in met)
        if memory.length:
            self._stretches.insert(at, (start, stop))
        return b""


class _Pass(pickle.Pickler):
    """One pickler over the values of one group, sharing its memo between them."""

    def __init__(self, around: Surroundings, sink: _Sink, purity: Purity, root: Definition | None = None) -> None:
        self._buffers = _Buffers(sink)
        # A method of the pass itself would close a cycle, which keeps users' objects alive for long.
        super().__init__(sink, 5, buffer_callback=self._buffers.take)
        self.sink = sink
        self.namespace = around.namespace
        self.definitions: dict[DefinitionKey, int] = {}
        self.sources: dict[str, None] = {}
        self.code: dict[CodeType, None] = {}
        self.culprit: Any = None
        self._around = around
        self._purity = purity
        self._root = root
        self._table = loaded_reducers()
        self._arrays: dict[int, Any] = {}
        self._scopes: dict[int, _Scope] = {id(around.namespace): _Scope(None)}

    def reducer_override(self, value: Any) -> Any:
        """Ask the reducer of the value's type; called by the pickler for all but built-in data."""
        kind = type(value)
        try:
            reduce = self._table[kind]
        except KeyError:
            reduce = self._table[kind] = self._reducer_of(kind)
        if reduce is None:
            self.culprit = value
            return NotImplemented
        self.culprit = value
        return reduce(value, self)

    def is_root(self, value: Any) -> bool:
        return value is self._root

    def reference(self, definition: Definition) -> int | None:
        if not self._purity(definition):
            return None
        key = self._around.definitions.key(definition)
        return self.definitions.setdefault(key, len(self.definitions))

    def place(self, body: CodeType) -> CodePlace | None:
        self.code[body] = None
        place = self._around.sources.place(body)
        if place is not None:
            self.sources[place.filename] = None
        return place

    def scope(self, function: FunctionType) -> Any:
        known = self._scopes.get(id(function.__globals__))
        if known is None:
            known = self._scopes[id(function.__globals__)] = _Scope(function.__globals__)
        return known

    def export(self, memory: Export) -> Any:
        return self._buffers.give(memory)

    @property
    def exports(self) -> list[Export]:
        """The memory that the values use, in the order of their buffers."""
        return self._buffers.exports

    def seen(self, value: Any) -> bool:
        known = id(value) in self._arrays
        # The reference keeps the address from being used again while the pass lasts.
        self._arrays[id(value)] = value
        return known

    def _reducer_of(self, kind: type) -> Any:
        if issubclass(kind, type):
            return self._table[type]
        if kind is _Scope:
            return _reduce_scope
        for single, name in self._around.singletons.items():
            if issubclass(kind, single):
                return lambda _value, _view, name=name: (rebuild.singleton, (name,))
        numpy = sys.modules.get("numpy")
        return None if numpy is None else arrays.kindred_reducer(kind, numpy)


class _Scope:
    """Stands in a stream for a namespace that functions have as their globals."""

    __slots__ = ("content",)

    def __init__(self, content: dict[str, Any] | None) -> None:
        self.content = content


_OF_THE_MODULE: Final = frozenset({"__builtins__", "__loader__", "__nonzero__", "__spec__"})


def _reduce_scope(value: _Scope, _view: _Pass) -> Any:
    if value.content is None:
        return rebuild.session_namespace, ()
    module = sys.modules.get(value.content.get("__name__", ""))
    if module is not None and vars(module) is value.content:
        return rebuild.module_scope, (module.__name__,)
    state = {name: item for name, item in value.content.items() if name not in _OF_THE_MODULE}
    return rebuild.scope, (), state, None, None, rebuild.set_scope


def _export_of(view: memoryview) -> Export:
    # A library's own buffer: its address is only known through numpy, which such libraries have loaded.
    import numpy as np  # noqa: PLC0415

    return Export(
        np.frombuffer(view, np.uint8).__array_interface__["data"][0] if view.nbytes else 0, view.nbytes, view, view
    )


class GroupPass:
    """One pass over the values of a group, one after the other; more can be added as long as none refused."""

    def __init__(self, around: Surroundings, clock: Clock, named: Container[int], *, keep: bool) -> None:
        self._around = around
        self._clock = clock
        self._named = named
        self._sink = _Sink(clock, None, keep=keep)
        self._run = _Pass(around, self._sink, Purity(around.namespace))
        self._names: list[Name] = []

    def add(self, name: Name, value: Any, seconds: float | None = None) -> Frozen | Refusal:
        """Freeze one more value; after a refusal the pass is spoiled and must not go on.

        Raises:
            OutOfTime: it would take longer than ``seconds``.
        """
        if value is self._around.namespace:
            return Refusal(name, "cannot store the session's namespace as a value of itself")
        started = self._clock()
        run, sink = self._run, self._sink
        sink.deadline = None if seconds is None else started + seconds
        before = len(run.definitions)
        sink.start()
        run.culprit = None
        run.code.clear()
        try:
            run.dump(value)
            for key in tuple(run.definitions)[before:]:
                sink.hasher.update(self._content(key, _Others(self._named, id(value)), set()))
        except OutOfTime:
            raise
        except RecursionError:
            return Refusal(name, "nested too deeply to be stored")
        except Exception as error:  # noqa: BLE001 - a user's object may raise anything; it is kept in the refusal
            return Refusal(route_to(value, run.culprit, name) or name, _reason(error))
        self._names.append(name)
        digest = Fingerprint(sink.hasher.hexdigest())
        return Frozen(digest, sink.size, self._clock() - started, tuple(run.definitions), tuple(run.code))

    def unit(self) -> Unit:
        """All that was kept of the values added so far."""
        views, slices = segments(self._run.exports)
        stream = b"".join(self._sink.kept or ())
        return Unit(tuple(self._names), stream, views, slices, tuple(self._run.definitions), tuple(self._run.sources))

    def _content(self, key: DefinitionKey, named: Container[int], visited: set[DefinitionKey]) -> bytes:
        """The content of a definition that no variable names, with all that it refers to; nothing for the others."""
        definition = self._around.definitions.get(key)
        if definition is None or key in visited:
            return b""
        visited.add(key)
        label = definition.__qualname__.encode()
        if id(definition) in named:
            return label
        sink = _Sink(self._clock, self._sink.deadline, keep=False)
        run = _Pass(self._around, sink, Purity(self._around.namespace), definition)
        run.dump(definition)
        for inner in run.definitions:
            sink.hasher.update(self._content(inner, named, visited))
        return label + sink.hasher.digest()


class Freezer:
    """Freezes values of one session.

    Responsibilities:
    - digest groups of values within a time limit;
    - produce the units that an archive stores, for groups and for definitions;
    - name the inner object that refuses, and the way to it.
    """

    def __init__(self, around: Surroundings, clock: Clock = time.perf_counter) -> None:
        self.around = around
        self._clock = clock

    def start(self, named: Container[int] = frozenset(), *, keep: bool = False) -> GroupPass:
        """Begin a pass over a group.

        ``named`` are the addresses of definitions that are variables themselves, whose content is theirs and not part
        of what refers to them.
        """
        return GroupPass(self.around, self._clock, named, keep=keep)

    def group(
        self, values: Mapping[Name, Any], named: Container[int] = frozenset(), *, keep: bool = False
    ) -> FrozenGroup:
        """Freeze values that may share objects, in their order, without those that refuse."""
        refusals: dict[Name, Refusal] = {}
        while True:
            run = self.start(named, keep=keep)
            parts: dict[Name, Frozen] = {}
            for name in [name for name in values if name not in refusals]:
                outcome = run.add(name, values[name])
                if isinstance(outcome, Refusal):
                    refusals[name] = outcome
                    break
                parts[name] = outcome
            else:
                return FrozenGroup(parts, refusals, run.unit() if keep else None)

    def definition(self, definition: Definition) -> Unit | Refusal:
        """The unit of a definition that has one."""
        sink = _Sink(self._clock, None, keep=True)
        run = _Pass(self.around, sink, Purity(self.around.namespace), definition)
        try:
            run.dump(definition)
        except Exception as error:  # noqa: BLE001 - a user's class may hold anything; it is kept in the refusal
            path = route_to(definition, run.culprit, definition.__name__)
            return Refusal(path or definition.__qualname__, _reason(error))
        views, slices = segments(run.exports)
        return Unit((), b"".join(sink.kept or ()), views, slices, tuple(run.definitions), tuple(run.sources))


@dataclass(frozen=True, slots=True)
class _Others:
    """The definitions that variables other than the one at hand name: their content is not part of its own."""

    named: Container[int]
    own: int

    def __contains__(self, identity: object) -> bool:
        return identity in self.named and identity != self.own


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if isinstance(error, TypeError | pickle.PicklingError) else f"{type(error).__name__}: {text}"


def combined(digests: Iterable[Fingerprint]) -> Fingerprint:
    """One digest for an alias group, from those of its members in order."""
    hasher = xxhash.xxh3_128()
    for digest in digests:
        hasher.update(digest.encode())
    return Fingerprint(hasher.hexdigest())
