"""NumPy arrays: memory out of band, views as slices of the memory that they share."""

from __future__ import annotations

import marshal
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal

from elastictm.values.memory import window

if TYPE_CHECKING:
    import numpy as np

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "numpy"
_TEXT: Final = ({str}, {str, type(None)}, {type(None)})
_TEXT_FROM: Final = 256
"""Object arrays of fewer elements than this are left to pickle."""


def reducers(numpy: ModuleType) -> dict[type, Any]:
    """The reducer for plain arrays; subclasses keep their own way."""
    return {numpy.ndarray: reduce_array}


def reduce_array(value: np.ndarray[Any, Any], view: FreezingPass) -> Any:
    """An array as a window on memory, or as a view of an array that the stream already holds."""
    base = value.base
    if type(base) is type(value) and base.flags.forc and (value.dtype.hasobject or view.seen(base)):
        offset = address(value) - address(base)
        view.seen(value)
        return array_view, (base, offset, value.dtype, value.shape, value.strides, value.flags.writeable)
    view.seen(value)
    if value.dtype.hasobject:
        return _reduce_objects(value)
    low, high = extent(value)
    memory = view.export(window(low, high - low, value))
    offset = address(value) - low if high > low else 0
    return array, (memory, offset, value.dtype, value.shape, value.strides, value.flags.writeable)


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
        return NotImplemented
    order: Literal["F", "C"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    elements = value.ravel(order).tolist()
    if set(map(type, elements)) not in _TEXT:
        return NotImplemented
    # Version 0 of marshal knows neither interned strings nor back references, so equal text gives equal bytes.
    return text_array, (marshal.dumps(elements, 0), value.shape, order, value.flags.writeable)


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

    if dtype.hasobject:
        made = _objects(base, offset, shape, strides)
    else:
        made = np.ndarray(shape, dtype, base if base.flags.c_contiguous else base.T, offset, strides)
    if not writeable:
        made.flags.writeable = False
    return made


def _objects(base: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    import numpy as np  # noqa: PLC0415

    start = base.reshape(-1, order="A")[offset // base.itemsize :]
    return np.lib.stride_tricks.as_strided(start, shape, strides)


def text_array(data: bytes, shape: tuple[int, ...], order: Any, writeable: bool) -> Any:  # noqa: FBT001
    """An object array of text; equal strings become one object, as they mostly were."""
    import numpy as np  # noqa: PLC0415

    elements = marshal.loads(data)  # noqa: S302 - trust was given before anything is loaded
    made: Any = np.empty(len(elements), dtype=object)
    made[:] = [sys.intern(e) if type(e) is str else e for e in elements]
    made = made.reshape(shape, order=order)
    if not writeable:
        made.flags.writeable = False
    return made
