"""NumPy arrays: memory out of band, views as slices of the memory that they share."""

from __future__ import annotations

import array as arrays
import contextlib
import marshal
import math
import mmap
import sys
from collections.abc import Container, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

from elastictm.values.memory import Export, window

if TYPE_CHECKING:
    import numpy as np

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "numpy"
OWNERS: Final = frozenset({bytearray, arrays.array, mmap.mmap})
"""Types of objects that own memory and are made anew with it, so that what lies over it must be laid there again."""

_TEXT: Final = ({str}, {str, type(None)}, {type(None)})
_NAMED_KINDS: Final = frozenset("biufcmMOSUV")
_TEXT_FROM: Final = 256
"""Object arrays of fewer elements than this are left to pickle."""


_COPIED_UP_TO: Final = 2**20
"""Bytes of an array up to which it gets memory of its own; larger ones stay where they are mapped."""


def reducers(numpy: ModuleType) -> dict[type, Any]:
    """The reducer for plain arrays."""
    return {numpy.ndarray: reduce_array}


def kindred_reducer(kind: type, numpy: ModuleType) -> Any:
    """The reducer for data types, and for arrays that are pickled as plain ones are; None for any other type."""
    plain: Any = numpy.ndarray
    if issubclass(kind, numpy.dtype):
        return reduce_dtype
    if not issubclass(kind, plain) or kind.__reduce__ is not plain.__reduce__:
        return None
    return reduce_subclass if kind.__reduce_ex__ is plain.__reduce_ex__ else None


def reduce_array(value: np.ndarray[Any, Any], view: FreezingPass) -> Any:
    """An array as a window on memory, or as a view of an array that the stream already holds."""
    base = value.base
    if type(base) is type(value) and base.dtype.hasobject and base.dtype != value.dtype:
        raise TypeError("cannot store a view of one field of an array that holds objects")
    if type(base) is type(value) and base.flags.forc and (value.dtype.hasobject or view.seen(base)):
        offset = address(value) - address(base)
        view.seen(value)
        return array_view, (base, offset, value.dtype, value.shape, value.strides, value.flags.writeable)
    view.seen(value)
    if value.dtype.hasobject:
        return _reduce_objects(value)
    held = None if base is None else owner_of(base)
    if held is not None:
        offset = address(value) - start_of(held)
        return array_over, (held, offset, value.dtype, value.shape, value.strides, value.flags.writeable)
    low, high = extent(value)
    memory = view.export(_memory(value, low, high - low))
    offset = address(value) - low if high > low else 0
    facts = (memory, offset, value.dtype, value.shape, value.strides, value.flags.writeable)
    if type(base) is type(value) and base.flags.forc and value.size:
        # The base may be a value that comes later; if not, its memory does not have to travel.
        place = address(base) - low
        return array_in_base, (*facts, (place, base.dtype, base.shape, base.strides, base.flags.writeable))
    return array, facts


def owner_of(base: Any) -> Any:
    """The object of Python's own whose memory an array uses, which makes its memory anew; None if there is none."""
    while type(base) is sys.modules["numpy"].ndarray:
        base = base.base
    if type(base) is memoryview:
        base = base.obj
    return base if type(base) in OWNERS else None


def start_of(held: Any) -> int:
    """Where the memory of such an object lies."""
    import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

    return address(np.frombuffer(held, np.uint8)) if len(held) else 0


def _memory(value: np.ndarray[Any, Any], low: int, length: int) -> Export:
    if length and value.flags.c_contiguous and value.flags.writeable:
        # Many times cheaper than a window, for which ctypes makes a type for each length.
        octets: Any = value.reshape(-1).view("u1")
        return Export(low, length, memoryview(octets), value)
    return window(low, length, value)


def reduce_dtype(value: np.dtype[Any], _view: FreezingPass) -> Any:
    """A data type by its short name where that says it all: versions of numpy pickle it in different ways."""
    import numpy as np  # noqa: PLC0415 - there is a data type, so it is loaded

    if value.names is None and value.subdtype is None and value.metadata is None and value.kind in _NAMED_KINDS:
        made: np.dtype[Any] = np.dtype(value.str)
        if type(made) is type(value):
            return np.dtype, (value.str,)
    return NotImplemented


def reduce_subclass(value: np.ndarray[Any, Any], _view: FreezingPass) -> Any:
    """An array of another class as a plain array over its memory, and its attributes, which pickle would lose."""
    import numpy as np  # noqa: PLC0415 - there is an array, so it is loaded

    plain: np.ndarray[Any, Any] = value.view(np.ndarray)
    plain.flags.writeable = value.flags.writeable
    return array_of_class, (type(value), plain), dict(vars(value)), None, None, set_attributes


def address(value: np.ndarray[Any, Any]) -> int:
    """Where an array's first element lies."""
    found: int = value.__array_interface__["data"][0]
    return found


def extent(value: np.ndarray[Any, Any]) -> tuple[int, int]:
    """The first address that an array uses and the one after its last."""
    start = address(value)
    if value.flags.forc:
        return start, start + value.nbytes
    if value.size == 0:
        return start, start
    spans = [(count - 1) * stride for count, stride in zip(value.shape, value.strides, strict=True)]
    low = sum(span for span in spans if span < 0)
    high = sum(span for span in spans if span > 0) + value.itemsize
    return start + low, start + high


def _reduce_objects(value: np.ndarray[Any, Any]) -> Any:
    """An array of text as one string of bytes, twenty times faster than one element after another."""
    if value.dtype != object or value.size < _TEXT_FROM:
        return _by_pickle(value)
    order: Literal["F", "C"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    elements = value.ravel(order).tolist()
    if set(map(type, elements)) not in _TEXT:
        return _by_pickle(value)
    # Version 0 of marshal knows neither interned strings nor back references, so equal text gives equal bytes.
    return text_array, (marshal.dumps(elements, 0), value.shape, order, value.flags.writeable)


def _by_pickle(value: np.ndarray[Any, Any]) -> Any:
    """Leave an array to pickle, which forgets that nobody may write to it."""
    if value.flags.writeable or type(value).__reduce__ is not sys.modules["numpy"].ndarray.__reduce__:
        return NotImplemented
    parts: Any = value.__reduce__()
    make, arguments, state = parts
    return make, arguments, state, None, None, set_closed


def array(  # noqa: PLR0913, PLR0917 - the six things that make an array
    memory: Any,
    offset: int,
    dtype: Any,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    writeable: bool,  # noqa: FBT001
) -> Any:
    """An array over loaded memory."""
    import numpy as np  # noqa: PLC0415 - an archive with arrays is what brings numpy in

    made: Any = np.empty(shape, dtype) if 0 in shape else np.ndarray(shape, dtype, memory, offset, strides)
    if not writeable:
        made.flags.writeable = False
    return made


def array_over(  # noqa: PLR0913, PLR0917 - the six things that make an array
    held: Any,
    offset: int,
    dtype: Any,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    writeable: bool,  # noqa: FBT001
) -> Any:
    """An array over the memory of an object."""
    return array(memoryview(held), offset, dtype, shape, strides, writeable)


def array_in_base(*_: Any) -> Any:
    """An array in the memory of another one; `Bases` replaces this while a unit is loaded."""
    raise TypeError("this stream belongs to an elastictm archive: load it with elastictm.restore()")


class Bases:
    """The arrays that others are views of, made while a unit is loaded, if all of their memory has travelled.

    A view may come before its base: it makes the base, which is handed out when its own turn comes.
    ``apart`` are the buffers, by their addresses as objects, that share their memory with no other.
    """

    def __init__(self, segments: Sequence[memoryview], apart: Container[int] = ()) -> None:
        self._segments = segments
        self._apart = apart
        self._ranges: list[tuple[int, int]] = []
        self._made: dict[tuple[Any, ...], Any] = {}
        self._waiting: set[tuple[Any, ...]] = set()

    def array(  # noqa: PLR0913, PLR0917 - the six things that make an array
        self,
        memory: Any,
        offset: int,
        dtype: Any,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        writeable: bool,  # noqa: FBT001
    ) -> Any:
        """An array over loaded memory: the one that a view was made of before, if it is that."""
        if self._waiting:
            key = (_start(memory) + offset, dtype, shape, strides)
            if key in self._waiting:
                self._waiting.remove(key)
                return self._made[key]
        made = array(memory, offset, dtype, shape, strides, writeable)
        if id(memory) in self._apart and made.nbytes == memory.nbytes <= _COPIED_UP_TO and made.flags.forc:
            # Only an array that owns its memory can be resized.
            made = made.copy("K")
            made.flags.writeable = writeable
        return made

    def array_in_base(  # noqa: PLR0913, PLR0917 - likewise, and its base
        self,
        memory: Any,
        offset: int,
        dtype: Any,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        writeable: bool,  # noqa: FBT001
        based: tuple[int, Any, tuple[int, ...], tuple[int, ...], bool],
    ) -> Any:
        """A view of an array whose memory has travelled, or else an array over what has."""
        place, *facts, _ = based
        start = _start(memory)
        key = (start + place, *facts)
        if key not in self._made and not self._make(key, writeable=based[-1]):
            return array(memory, offset, dtype, shape, strides, writeable)
        return array_view(self._made[key], offset - place, dtype, shape, strides, writeable)

    def _make(self, key: tuple[Any, ...], *, writeable: bool) -> bool:
        start, dtype, shape, strides = key
        if not self._ranges:
            self._ranges = [(_start(segment), segment.nbytes) for segment in self._segments]
        length = dtype.itemsize * math.prod(shape)
        for (begin, size), segment in zip(self._ranges, self._segments, strict=True):
            if begin <= start and start + length <= begin + size:
                self._made[key] = array(segment, start - begin, dtype, shape, strides, writeable)
                self._waiting.add(key)
                return True
        return False


def _start(memory: Any) -> int:
    import numpy as np  # noqa: PLC0415 - an archive with arrays is what brings numpy in

    return address(np.frombuffer(memory, np.uint8)) if memory.nbytes else 0


def array_of_class(kind: type, plain: Any) -> Any:
    """An array of another class over the memory of a plain one."""
    return plain.view(kind)


def set_closed(made: Any, state: Any) -> None:
    """Give an array its elements, and let nobody write to it."""
    made.__setstate__(state)
    made.flags.writeable = False


def set_attributes(made: Any, state: dict[str, Any]) -> None:
    """Give an array the attributes that it had, and no others."""
    vars(made).clear()
    vars(made).update(state)


def array_view(  # noqa: PLR0913, PLR0917 - the six things that make a view
    base: Any,
    offset: int,
    dtype: Any,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    writeable: bool,  # noqa: FBT001
) -> Any:
    """A view of an array, at an offset in bytes."""
    import numpy as np  # noqa: PLC0415

    closed = writeable and not base.flags.writeable
    if closed:
        # The view was made before its base was closed, and stayed open.
        with contextlib.suppress(ValueError):  # nobody can write to memory such as that of bytes
            base.flags.writeable = True
    if dtype.hasobject:
        made = _objects(base, offset, shape, strides)
    else:
        made = np.ndarray(shape, dtype, base if base.flags.c_contiguous else base.T, offset, strides)
    if closed:
        base.flags.writeable = False
    if not writeable:
        made.flags.writeable = False
    return made


def _objects(base: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    import numpy as np  # noqa: PLC0415

    flat = base.reshape(-1, order="A")
    first, count = offset // base.itemsize, math.prod(shape)
    if len(shape) == 1 and count and strides[0]:
        step = strides[0] // base.itemsize
        end = first + count * step
        return flat[first : None if end < 0 else end : step]
    start = flat[first:]
    # Indexing keeps the base; any other arrangement needs a view that numpy builds around it.
    if strides == np.empty(shape, base.dtype).strides:
        return start[:count].reshape(shape)
    if strides == np.empty(shape, base.dtype, "F").strides:
        return start[:count].reshape(shape[::-1]).T
    return np.lib.stride_tricks.as_strided(start, shape, strides)


def text_array(data: bytes, shape: tuple[int, ...], order: Any, writeable: bool) -> Any:  # noqa: FBT001
    """An object array of text; equal strings become one object, as they mostly were."""
    import numpy as np  # noqa: PLC0415

    elements = marshal.loads(data)  # noqa: S302 - trust was given before anything is loaded
    made: Any = np.empty(len(elements), dtype=object)
    known: dict[Any, Any] = {}
    made[:] = list(map(known.setdefault, elements, elements))
    made = made.reshape(shape, order=order)
    if not writeable:
        made.flags.writeable = False
    return made
