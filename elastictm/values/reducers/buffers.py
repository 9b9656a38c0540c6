"""Memory that has no name: views of other objects' memory, and mapped memory."""

from __future__ import annotations

import mmap
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.reducers.files import Seal, seal, sealed

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

_MAPS: Final = "/proc/self/maps"
_SHARED_MEMORY: Final = ("/dev/zero", "/memfd", "/SYSV", "[anon")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for views of memory."""
    return {memoryview: reduce_memoryview, mmap.mmap: reduce_mmap}


def reduce_memoryview(value: memoryview, _view: FreezingPass) -> Any:
    """A view of memory as a view of the same object's memory."""
    base = value.obj
    if base is None:
        raise TypeError("cannot store a view of memory that no object owns")
    if not value.ndim or (value.ndim > 1 and not value.c_contiguous):
        raise TypeError("cannot store a view of memory of several dimensions that does not follow row by row")
    whole = memoryview(base)
    if not whole.c_contiguous:
        raise TypeError("cannot store a view of memory with gaps")
    start = address(value) - address(whole)
    readonly = value.readonly and not whole.readonly
    shape = None if value.ndim == 1 else value.shape
    step = value.strides[0] if value.ndim == 1 and value.strides else value.itemsize
    return view_of, (base, start, value.nbytes // value.itemsize, step, value.format, shape, readonly)


def view_of(  # noqa: PLR0913, PLR0917 - stored so
    base: Any,
    start: int,
    count: int,
    step: int,
    form: str,
    shape: tuple[int, ...] | None,
    readonly: bool,  # noqa: FBT001 - stored so
) -> memoryview:
    """A view of so many items in an object's memory."""
    whole = memoryview(base).cast("B")
    size = memoryview(b"").cast("B").itemsize if form == "B" else _size_of(form)
    items, stride = _stretch(whole, start, count, step, size)
    cast: Any = items.cast
    view: memoryview[Any] = cast(form) if shape is None else cast(form, shape)
    if stride != 1:
        view = view[::stride]
    return view.toreadonly() if readonly else view


def _stretch(whole: memoryview, start: int, count: int, step: int, size: int) -> tuple[memoryview, int]:
    """The bytes from the first item to the last, and how many items a step is."""
    if step % size:
        raise ValueError(f"a view of memory steps {step} bytes over items of {size}")
    stride = step // size
    reach = (count - 1) * abs(step) + size if count else 0
    first = start if step > 0 else start - reach + size
    return whole[first : first + reach], stride


def _size_of(form: str) -> int:
    import struct  # noqa: PLC0415 - a rare kind of value

    return struct.calcsize(form)


def address(value: Any) -> int:
    """Where the first item of an object's memory lies."""
    import ctypes  # noqa: PLC0415 - a rare kind of value

    class Described(ctypes.Structure):
        """The beginning of what C code is told of an object's memory, with room for the rest."""

        _fields_ = (("start", ctypes.c_void_p), ("rest", ctypes.c_char * 256))

    described = Described()
    full = 0x11C
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(value), ctypes.byref(described), full)
    try:
        return int(described.start or 0)
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(described))


def reduce_mmap(value: mmap.mmap, view: FreezingPass) -> Any:
    """Mapped memory as its bytes, or, if it is a file's, as the file mapped again."""
    if value.closed:
        raise TypeError("cannot store mapped memory that was closed")
    if not sys.platform.startswith("linux"):
        raise TypeError("cannot store mapped memory: this system does not say of which file")
    place, modes, offset, path = _mapping_at(address(value))
    if not path or path.startswith(_SHARED_MEMORY):
        return mapped_memory, (value[:], value.tell())
    access = mmap.ACCESS_READ if "w" not in modes else mmap.ACCESS_WRITE if "s" in modes else mmap.ACCESS_COPY
    if access == mmap.ACCESS_COPY:
        raise TypeError(f"cannot store a private copy of the mapped file {path}")
    if "w" in modes and view.keeps:
        value.flush()
    return mapped_file, (seal(path), access, offset + address(value) - place, len(value), value.tell())


def _mapping_at(address: int) -> tuple[int, str, int, str]:
    """The start, modes, offset and path of the mapping at an address."""
    with open(_MAPS, encoding="utf-8") as lines:  # noqa: PTH123 - no file of the user's
        for line in lines:
            stretch, modes, offset, _device, inode, *path = line.split(maxsplit=5)
            start, stop = (int(bound, 16) for bound in stretch.split("-"))
            if start <= address < stop:
                return start, modes, int(offset, 16), path[0].strip() if path and inode != "0" else ""
    raise TypeError("cannot store mapped memory: it is not among what this process maps")


def mapped_memory(content: bytes, position: int) -> mmap.mmap:
    """Mapped memory without a file."""
    made = mmap.mmap(-1, len(content))
    made[:] = content
    made.seek(position)
    return made


def mapped_file(mark: Seal, access: int, offset: int, length: int, position: int) -> mmap.mmap:
    """A file mapped again, if it is what it was."""
    path = sealed(mark)
    handle = os.open(path, os.O_RDONLY if access == mmap.ACCESS_READ else os.O_RDWR)
    try:
        made = mmap.mmap(handle, length, access=access, offset=offset)
    finally:
        os.close(handle)
    made.seek(position)
    return made
