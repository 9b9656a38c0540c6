"""A pickler for values of any depth: it keeps a stack of its own and writes what ``pickle.Pickler`` writes.

Byte for byte the same at protocol 5, frames included, so that a digest does not tell which of the two walked, and
whether a value is too deep for the other one may depend on the depth of the caller.
Loading needs nothing of the kind: an unpickler is a stack machine.
"""

from __future__ import annotations

import copyreg
import importlib
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from elastictm.values import encoding, reduction

_FRAME: Final = 64 * 1024
_FRAME_AT_LEAST: Final = 4
_BATCH: Final = 1000
_OPENED_BETWEEN_LOOKS: Final = 256
"""Objects between two looks at the clock, about a millisecond."""

_NEW: Final = copyreg.__newobj__  # type: ignore[attr-defined]


class _Target(Protocol):
    """Where the stream goes: ``check_time`` raises when time is over."""

    def write(self, data: Any) -> None: ...

    def check_time(self) -> None: ...


class StackPickler:
    """Pickles values one after the other with one memo between them.

    Each value that is begun is an iterator on the stack, over what is inside it; where there is more to write between
    that, it is a generator that does so.  ``depth`` is that of the stack for the last value.
    """

    def __init__(self, target: _Target, buffer_callback: Callable[[pickle.PickleBuffer], None]) -> None:
        self._target = target
        self._buffer_callback = buffer_callback
        self._frame = bytearray()
        self._head = b""
        self._memo: dict[int, int] = {}
        # What is begun: iterators over what is inside, and what ends it.
        self._stack: list[Iterator[Any]] = []
        self._ends: list[Any] = []
        # The references keep the addresses in the memo from being used again.
        self._kept: list[Any] = []
        self.depth = 0

    def reducer_override(self, _value: Any) -> Any:
        """How to take a value apart; NotImplemented for pickle's own ways."""
        return NotImplemented

    def dump(self, value: Any) -> None:
        """Write one more value."""
        self._frame.clear()
        self._head = pickle.PROTO + b"\x05"
        self._stack.clear()
        self._ends.clear()
        self.depth = self._walk(value)
        self._frame += pickle.STOP
        self._commit()

    def _walk(self, value: Any) -> int:  # noqa: C901, PLR0912 - calls would cost as much as what they do
        """Write a value; returns how deep it is."""
        frame, known = self._frame, self._memo.get
        stack, ends = self._stack, self._ends
        stack.append(iter((value,)))
        ends.append(b"")
        opened = depth = 0
        while stack:
            for item in stack[-1]:
                if len(frame) >= _FRAME:
                    self._commit()
                kind = type(item)
                if item is None:
                    frame += b"N"
                elif kind is int:
                    frame += encoding.SMALL[item] if 0 <= item < 256 else encoding.integer(item)  # noqa: PLR2004 - one byte
                elif kind is float:
                    frame += encoding.float64(b"G", item)
                elif kind is bool:
                    frame += b"\x88" if item else b"\x89"
                elif (index := known(id(item))) is not None:
                    frame += encoding.reference(index)
                elif kind is str:
                    self._text(item)
                elif kind is bytes:
                    self._bytes(item)
                elif kind is tuple and not item:
                    frame += b")"
                else:
                    way = _WAYS.get(kind)
                    if way is not None:
                        way(self, item)
                    else:
                        self._other(item, kind)
                    depth = max(depth, len(stack))
                    opened += 1
                    if not opened % _OPENED_BETWEEN_LOOKS:
                        self._target.check_time()
                    break
            else:
                stack.pop()
                end = ends.pop()
                if type(end) is bytes:
                    frame += end
                else:
                    self._close(end)
        return depth

    def _open(self, inside: Iterator[Any], end: Any = b"") -> None:
        """Write what an iterator gives, then an end: some bytes, or the tuple or frozen set that is complete then."""
        self._stack.append(inside)
        self._ends.append(end)

    def _memoize(self, value: Any) -> None:
        self._memo[id(value)] = len(self._kept)
        self._kept.append(value)
        self._frame += b"\x94"

    def _again(self, value: Any, dropping: bytes) -> bool:
        """Whether what is inside a value that cannot change had it written already, in a cycle: it is used then."""
        index = self._memo.get(id(value))
        if index is None:
            return False
        self._frame += dropping + encoding.reference(index)
        return True

    def _commit(self) -> None:
        """Hand on what was written as one frame."""
        frame = self._frame
        if self._head:
            # Not before: buffers that come earlier are digested before it.
            self._target.write(self._head)
            self._head = b""
        if len(frame) >= _FRAME_AT_LEAST:
            self._target.write(encoding.size64(pickle.FRAME, len(frame)))
        if frame:
            self._target.write(frame)
        frame.clear()

    def _payload(self, header: bytes, data: Any) -> None:
        if len(data) < _FRAME:
            self._frame += header
            self._frame += data
        else:
            # Large data lie between frames.
            self._commit()
            self._target.write(header)
            self._target.write(data)

    def _text(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        self._payload(encoding.header(len(data), pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.BINUNICODE8), data)
        self._memoize(value)

    def _bytes(self, value: bytes) -> None:
        self._payload(encoding.header(len(value), pickle.SHORT_BINBYTES, pickle.BINBYTES, pickle.BINBYTES8), value)
        self._memoize(value)

    def _bytearray(self, value: bytearray) -> None:
        self._payload(encoding.size64(pickle.BYTEARRAY8, len(value)), value)
        self._memoize(value)

    def _buffer(self, value: pickle.PickleBuffer) -> None:
        with memoryview(value) as view:
            if not view.contiguous:
                raise pickle.PicklingError("PickleBuffer can not be pickled when pointing to a non-contiguous buffer")
            self._buffer_callback(value)
            self._frame += pickle.NEXT_BUFFER + (pickle.READONLY_BUFFER if view.readonly else b"")

    def _list(self, value: list[Any]) -> None:
        self._frame += b"]"
        self._memoize(value)
        if len(value) == 1:
            self._open(iter((value[0],)), b"a")
        elif len(value) > _BATCH:
            self._open(self._batches(iter(value), b"e", rest=False))
        elif value:
            self._frame += b"("
            self._open(iter(value), b"e")

    def _set(self, value: set[Any]) -> None:
        self._frame += b"\x8f"
        self._memoize(value)
        if len(value) >= _BATCH:
            self._open(self._batches(iter(value), pickle.ADDITEMS, rest=True))
        elif value:
            self._frame += b"("
            self._open(iter(value), pickle.ADDITEMS)

    def _dict(self, value: dict[Any, Any], more: bytes = b"") -> None:
        """A dict, and what is to be written after it."""
        self._frame += b"}"
        self._memoize(value)
        if len(value) >= _BATCH:
            self._open(self._batches(iter(value.items()), b"u", pairs=True, rest=True), more)
        elif value:
            if len(value) > 1:
                self._frame += b"("
            # A list costs less than a generator, also for the garbage collector: there may be many at a time.
            inside = [part for pair in value.items() for part in pair]
            self._open(iter(inside), (b"u" if len(value) > 1 else b"s") + more)
        else:
            self._frame += more

    def _batches(self, left: Iterator[Any], end: bytes, *, pairs: bool = False, rest: bool) -> Iterator[Any]:
        """Batches, each between a mark and an end; where ``rest`` says so, full ones are followed by an empty one."""
        frame = self._frame
        batch = [*itertools.islice(left, _BATCH)]
        while batch or rest:
            frame += b"("
            yield from itertools.chain.from_iterable(batch) if pairs else batch
            frame += end
            rest = rest and len(batch) == _BATCH
            batch = [*itertools.islice(left, _BATCH)]

    def _frozenset(self, value: frozenset[Any]) -> None:
        self._frame += b"("
        self._open(iter(value), value)

    def _tuple(self, value: tuple[Any, ...]) -> None:
        if len(value) > len(_SHORT_TUPLES):
            self._frame += b"("
        self._open(iter(value), value)

    def _close(self, value: tuple[Any, ...] | frozenset[Any]) -> None:
        short = type(value) is tuple and len(value) <= len(_SHORT_TUPLES)
        if not self._again(value, pickle.POP * len(value) if short else pickle.POP_MARK):
            if type(value) is tuple:
                self._frame += _SHORT_TUPLES[len(value) - 1] if short else pickle.TUPLE
            else:
                self._frame += pickle.FROZENSET
            self._memoize(value)

    def _other(self, value: Any, kind: type) -> None:
        reduced = self.reducer_override(value)
        if reduced is NotImplemented:
            reduced = reduction.reduced(value, kind)
        if reduced is None or isinstance(reduced, str):
            self._open(self._global(value, reduced))
        elif not isinstance(reduced, tuple):
            raise pickle.PicklingError("__reduce__ must return a string or tuple")
        elif not self._plain(value, kind, reduced):
            self._open(self._built(value, reduced))

    def _plain(self, value: Any, kind: type, reduced: tuple[Any, ...]) -> bool:
        """Begin an instance that has a dict and nothing else, as most have, if it is one."""
        if len(reduced) != 5 or reduced[0] is not _NEW or len(self._frame) > _FRAME - 100:  # noqa: PLR2004
            return False
        _, arguments, state, items, pairs = reduced
        index = self._memo.get(id(kind))
        if type(state) is not dict or not state or id(state) in self._memo or index is None:
            return False
        if items is not None or pairs is not None or len(arguments) != 1 or arguments[0] is not kind:
            return False
        if value.__class__ is not kind:
            return False
        self._frame += encoding.reference(index) + b")\x81"
        self._memoize(value)
        self._dict(state, b"b")
        return True

    def _global(self, value: Any, name: str | None) -> Iterator[Any]:
        if name is None:
            name = getattr(value, "__qualname__", None)
        if name is None:
            name = value.__name__
        # Strings of the same text are told apart: it is these very objects that pickle would write.
        module = pickle.whichmodule(value, name)  # type: ignore[attr-defined]
        try:
            found: Any = importlib.import_module(module)
        except ImportError as error:
            raise pickle.PicklingError(f"Can't pickle {value!r}: import of module {module!r} failed") from error
        try:
            for part in name.split("."):
                found = getattr(found, part)
        except AttributeError as error:
            message = f"Can't pickle {value!r}: attribute lookup {name} on {module} failed"
            raise pickle.PicklingError(message) from error
        if found is not value:
            raise pickle.PicklingError(f"Can't pickle {value!r}: it's not the same object as {module}.{name}")
        code = copyreg._extension_registry.get((module, name))  # type: ignore[attr-defined]  # noqa: SLF001
        if code is not None:
            self._frame += encoding.extension(code)
            return
        yield module
        yield name
        self._frame += pickle.STACK_GLOBAL
        self._memoize(value)

    def _built(self, value: Any, reduced: tuple[Any, ...]) -> Iterator[Any]:
        maker, arguments, state, items, pairs, setter = reduction.checked(reduced)
        yield from self._made(value, maker, arguments)
        if self._again(value, pickle.POP):
            return
        self._memoize(value)
        if items is not None:
            yield from self._extended(((item,) for item in items), pickle.APPEND, pickle.APPENDS)
        if pairs is not None:
            yield from self._extended(map(reduction.pair, pairs), pickle.SETITEM, pickle.SETITEMS)
        if state is None:
            return
        if setter is None:
            yield state
            self._frame += b"b"
        else:
            yield setter
            yield value
            yield state
            self._frame += pickle.TUPLE2 + pickle.REDUCE + pickle.POP

    def _made(self, value: Any, maker: Any, arguments: tuple[Any, ...]) -> Iterator[Any]:
        """A value without its state."""
        frame = self._frame
        name = getattr(maker, "__name__", None)
        if type(name) is not str:
            name = None
        if name == "__newobj__":
            if not arguments or arguments[0] is not getattr(value, "__class__", type(value)):
                raise pickle.PicklingError("args[0] from __newobj__ args has the wrong class")
            yield arguments[0]
            yield arguments[1:]
            frame += b"\x81"
        elif name == "__newobj_ex__":
            if len(arguments) != 3:  # noqa: PLR2004 - a class, arguments, keywords
                raise pickle.PicklingError("length of the NEWOBJ_EX argument tuple must be exactly 3")
            yield from arguments
            frame += pickle.NEWOBJ_EX
        else:
            yield maker
            yield arguments
            frame += b"R"

    def _extended(self, items: Iterator[tuple[Any, ...]], one: bytes, many: bytes) -> Iterator[Any]:
        """As the items of what is no list or dict come: one that stays alone has an instruction of its own."""
        frame = self._frame
        more = True
        while more:
            batch = [*itertools.islice(items, _BATCH)]
            if len(batch) > 1:
                frame += b"("
            for item in batch:
                yield from item
            if batch:
                frame += many if len(batch) > 1 else one
            more = len(batch) == _BATCH


_SHORT_TUPLES: Final = (pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)

_WAYS: Final[dict[type, Callable[[StackPickler, Any], None]]] = {
    dict: StackPickler._dict,  # noqa: SLF001 - here and below: of this module
    set: StackPickler._set,  # noqa: SLF001
    frozenset: StackPickler._frozenset,  # noqa: SLF001
    list: StackPickler._list,  # noqa: SLF001
    tuple: StackPickler._tuple,  # noqa: SLF001
    bytearray: StackPickler._bytearray,  # noqa: SLF001
    pickle.PickleBuffer: StackPickler._buffer,  # noqa: SLF001
}
