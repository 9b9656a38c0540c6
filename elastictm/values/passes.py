"""The pass that freezes values: what it writes into, the memory that it hands over, and what it asks reducers for."""

from __future__ import annotations

import bisect
import pickle
import struct
import sys
from collections.abc import Callable, Container
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import xxhash

from elastictm.ids import DefinitionKey
from elastictm.values import rebuild
from elastictm.values.deep import StackPickler
from elastictm.values.extras import Keeper, keeper
from elastictm.values.kinds import FIXED
from elastictm.values.memory import Export, copied
from elastictm.values.reducers import kindred_reducer, loaded_reducers
from elastictm.values.reducers.instances import reduce_answering, reduce_instance
from elastictm.values.unsaid import Watcher, watcher

if TYPE_CHECKING:
    from elastictm.values.definitions import Definition, Purity
    from elastictm.values.freeze import Surroundings
    from elastictm.values.source import CodePlace

Clock: TypeAlias = Callable[[], float]

_OWN_WAYS: Final = (None, reduce_instance, reduce_answering)
_AT_ONCE: Final = 2**28
"""Bytes that are digested in a few hundredths of a second."""
_OF_CLASSES: Final = (Keeper, Watcher)


class OutOfTime(Exception):
    """A pass was given up because its time was over."""


class Sink:
    """Takes the stream: digests it, counts it, keeps it if asked, and ends the pass when its time is over."""

    __slots__ = ("clock", "deadline", "hasher", "kept", "size")

    def __init__(self, clock: Clock, deadline: float | None, *, keep: bool) -> None:
        self.clock = clock
        self.deadline = deadline
        self.kept: list[bytes] | None = [] if keep else None
        self.start()

    def start(self) -> None:
        """Begin the digest and the size of one more value."""
        self.hasher = xxhash.xxh3_128()
        self.size = 0

    def start_over(self) -> None:
        """Forget all values."""
        if self.kept is not None:
            self.kept = []
        self.start()

    def write(self, data: Any) -> None:
        """Take bytes of the stream."""
        self.hasher.update(data)
        self.size += len(data)
        if self.kept is not None:
            self.kept.append(bytes(data))
        self.check_time()

    def check_time(self) -> None:
        """Raise OutOfTime once the deadline is over."""
        if self.deadline is not None and self.clock() > self.deadline:
            raise OutOfTime


class _Buffers:
    """The out-of-band buffers of one pass: known by their memory, digested where they lie."""

    def __init__(self, sink: Sink) -> None:
        self.exports: list[Export] = []
        self._sink = sink
        self._own: dict[int, tuple[pickle.PickleBuffer, Export]] = {}
        self._aside: set[int] = set()
        self._stretches: list[tuple[int, int]] = []

    def give(self, memory: Export) -> pickle.PickleBuffer:
        """What stands for memory in the stream; the pickler hands this very object to ``take``, in due course."""
        buffer = pickle.PickleBuffer(memory.view)
        self._own[id(buffer)] = (buffer, memory)
        return buffer

    def give_aside(self, memory: Export) -> pickle.PickleBuffer:
        """The same for what is stored and not digested."""
        self._aside.add(memory.address)
        return self.give(memory)

    def take(self, buffer: pickle.PickleBuffer) -> None:
        """Called by the pickler for each buffer that it comes upon."""
        own = self._own.pop(id(buffer), None)
        memory = _export_of(buffer.raw()) if own is None else own[1]
        self.exports.append(memory)
        if memory.address in self._aside:
            return
        self._sink.hasher.update(_digest(memory.view))
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


def _digest(view: memoryview) -> bytes:
    """The digest of memory, with a moment in which an interrupt is heard now and then."""
    if view.nbytes <= _AT_ONCE:
        return xxhash.xxh3_128_digest(view)
    hasher, flat = xxhash.xxh3_128(), view.cast("B")
    for start in range(0, flat.nbytes, _AT_ONCE):
        hasher.update(flat[start : start + _AT_ONCE])
    return hasher.digest()


class _Knowledge:
    """What one pass knows and finds, whichever pickler walks: the view of it that reducers get."""

    def __init__(self, around: Surroundings, sink: Sink, purity: Purity, root: Definition | None) -> None:
        self.sink = sink
        self.losses: list[tuple[Any, str]] = []
        self.namespace = around.namespace
        self.definitions: dict[DefinitionKey, int] = {}
        self.sources: dict[str, None] = {}
        self.code: dict[CodeType, None] = {}
        self.modules: set[str] = set()
        self.culprit: Any = None
        self.watched: list[Any] = []
        self.partial: set[type] = set()
        self._around = around
        self._purity = purity
        self._root = root
        self._ties: list[_Tie] = []
        self._buffers = _Buffers(sink)
        self._of_libraries = loaded_reducers()
        self._met: dict[type, Any] = {}
        self._arrays: dict[int, Any] = {}
        self.tries = False
        self._scopes: dict[int, _Scope] = {id(around.namespace): _Scope(None)}

    def reducer_override(self, value: Any) -> Any:
        """Ask the reducer of the value's type; called by the pickler for all but built-in data."""
        kind = type(value)
        try:
            reduce = self._met[kind]
        except KeyError:
            reduce = self._met[kind] = self._of_libraries.get(kind) or self._reducer_of(kind)
        if reduce is None:
            self.culprit = value
            return NotImplemented
        self.culprit = value
        return reduce(value, self)

    def is_root(self, value: Any) -> bool:
        """Whether this value is the definition whose own unit is being written."""
        return value is self._root

    def reference(self, definition: Definition) -> int | None:
        """The index of a definition that has a unit of its own; None where it must be stored in place."""
        if not self._purity(definition):
            return None
        key = self._around.definitions.key(definition)
        return self.definitions.setdefault(key, len(self.definitions))

    def place(self, body: CodeType) -> CodePlace | None:
        """Where in the session's sources a code object comes from."""
        self.code[body] = None
        place = self._around.sources.place(body)
        if place is not None:
            self.sources[place.filename] = None
        return place

    def scope(self, content: dict[str, Any]) -> Any:
        """What stands in the stream for a namespace that names are looked up in."""
        known = self._scopes.get(id(content))
        if known is None:
            known = self._scopes[id(content)] = _Scope(content)
        return known

    def export(self, memory: Export) -> Any:
        """Hand over memory to be stored beside the stream; returns what stands for it there."""
        return self._buffers.give(memory)

    @property
    def keeps(self) -> bool:
        """Whether the bytes are kept, not only digested."""
        return self.sink.kept is not None

    def aside(self, data: bytes) -> Any:
        """Hand over bytes to be stored beside the stream, which are no part of the digest."""
        return self._buffers.give_aside(copied(data if self.keeps else b""))

    def tie_later(self, target: Any, call: Callable[..., None], *arguments: Any) -> None:
        """Have a call made when the value is loaded, if anything but this holds the target: it may be garbage.

        What only weak references lead to is gone at some moment, and with it would change the digest of a value that
        nobody touched.
        """
        self._ties.append(_Tie(target, call, arguments))

    def due(self, held: Container[int]) -> Ties | None:
        """What is to be tied, of objects that are ``held`` by now; the others wait for the next value."""
        due = tuple((tie.call, tie.arguments) for tie in self._ties if id(tie.target) in held)
        self._ties = [tie for tie in self._ties if id(tie.target) not in held]
        return Ties(due) if due else None

    @property
    def exports(self) -> list[Export]:
        """The memory that the values use, in the order of their buffers."""
        return self._buffers.exports

    def kinds(self) -> frozenset[type]:
        """The types of the objects met that are taken apart as their classes say."""
        return frozenset(kind for kind, way in self._met.items() if way in _OWN_WAYS or type(way) in _OF_CLASSES)

    def seen(self, value: Any) -> bool:
        """Whether this array was written earlier in the pass; notes it if not."""
        known = id(value) in self._arrays
        # The reference keeps the address from being used again while the pass lasts.
        self._arrays[id(value)] = value
        return known

    def watch(self, value: Any, *, whole: bool) -> None:
        """Note an object whose class may leave out some of it; ``whole`` tells that it visibly did not."""
        self.watched.append(value)
        if not whole:
            self.partial.add(type(value))

    def lose(self, value: Any, loss: str) -> None:
        """Note what an object comes back without."""
        self.losses.append((value, loss))

    def storable(self, value: Any) -> bool:
        """Whether a part could be stored by itself; what is asked while another part is tried counts as storable.

        Raises:
            OutOfTime: as while freezing.
        """
        if self.tries or type(value) in FIXED:
            return True
        run = Pass(self._around, Sink(self.sink.clock, self.sink.deadline, keep=False), self._purity)
        run.tries = True
        try:
            run.walked(value)
        except OutOfTime:
            raise
        except Exception:  # noqa: BLE001 - a user's object may raise anything; it is told as a loss
            return False
        return True

    def _reducer_of(self, kind: type) -> Any:
        if issubclass(kind, type):
            return self._of_libraries[type]
        if kind is _Scope:
            return _reduce_scope
        if kind is Fixture:
            return lambda value, _view: (rebuild.singleton, (value.name,))
        if kind is Ties:
            return lambda value, _view: (rebuild.tie, value.calls)
        for single, name in self._around.singletons.items():
            if issubclass(kind, single):
                return lambda _value, _view, name=name: (rebuild.singleton, (name,))
        found = kindred_reducer(kind)
        return found or keeper(kind) or watcher(kind)


class Pass(_Knowledge, pickle.Pickler):
    """One pickler over the values of one group, sharing its memo between them."""

    def __init__(self, around: Surroundings, sink: Sink, purity: Purity, root: Definition | None = None) -> None:
        _Knowledge.__init__(self, around, sink, purity, root)
        # A method of the pass itself would close a cycle, which keeps users' objects alive for long.
        pickle.Pickler.__init__(self, sink, 5, buffer_callback=self._buffers.take)

    def dump(self, value: Any) -> None:
        """Write one more value, and what objects of it and of those before know weakly of each other."""
        super().dump(value)
        if self._ties and (due := self.due(self.memo.copy())) is not None:
            super().dump(due)

    def holds(self, value: Any) -> bool:
        """Whether what was written so far has this very object inside."""
        return id(value) in self.memo.copy()

    def walked(self, value: Any) -> Pass | DeepPass:
        """Write the only value of a pass; returns the pass that could, whatever the depth."""
        try:
            self.dump(value)
        except RecursionError:
            self.sink.start_over()
            deep = DeepPass(self._around, self.sink, self._purity, self._root)
            try:
                deep.dump(value)
            finally:
                self.culprit = deep.culprit
            return deep
        return self


class DeepPass(_Knowledge, StackPickler):
    """The same for values of any depth: slower, and with the same stream and digests."""

    def __init__(self, around: Surroundings, sink: Sink, purity: Purity, root: Definition | None = None) -> None:
        _Knowledge.__init__(self, around, sink, purity, root)
        StackPickler.__init__(self, sink, self._buffers.take)

    def dump(self, value: Any) -> None:
        """Write one more value, and what objects of it and of those before know weakly of each other."""
        super().dump(value)
        if self._ties and (due := self.due(self._memo)) is not None:
            depth = self.depth
            super().dump(due)
            self.depth = max(depth, self.depth)

    def holds(self, value: Any) -> bool:
        """Whether what was written so far has this very object inside."""
        return id(value) in self._memo


class Fixture(NamedTuple):
    """Stands in a stream for an object of the shell's own."""

    name: str


class _Tie(NamedTuple):
    """A call to be made once a target is known to be held."""

    target: Any
    call: Callable[..., None]
    arguments: tuple[Any, ...]


class Ties(NamedTuple):
    """Stands in a stream for calls to be made when it is loaded."""

    calls: tuple[tuple[Callable[..., None], tuple[Any, ...]], ...]


class _Scope:
    """Stands in a stream for a namespace that functions have as their globals."""

    __slots__ = ("content",)

    def __init__(self, content: dict[str, Any] | None) -> None:
        self.content = content


def tells_by_itself(kind: type) -> bool:
    """Whether a class has a say of its own in what is written of its objects, that nobody here looks behind."""
    known = kind in loaded_reducers() or kindred_reducer(kind) is not None or keeper(kind) is not None
    return not known and watcher(kind) is not None


_OF_THE_MODULE: Final = frozenset({"__builtins__", "__loader__", "__nonzero__", "__spec__"})


def _reduce_scope(value: _Scope, _view: _Knowledge) -> Any:
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
