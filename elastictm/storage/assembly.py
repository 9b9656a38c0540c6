"""One piece of private memory over parts of several files, where the system can put them side by side."""

from __future__ import annotations

import ctypes
import mmap
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elastictm.storage.source import Source

_MOST_RUNS = 8192
"""Runs in one piece of memory; a process may have 65,530 in all."""


@dataclass(frozen=True, slots=True)
class Run:
    """The bytes ``[offset, offset + size)`` of a file."""

    source: Source
    offset: int
    size: int


_MAP_FIXED = 0x10
"""Linux's flag for a mapping at just this address, in place of what was there; the same on all processors."""


class AssembledMemory(mmap.mmap):
    """Mapped memory that no user has made, which its type tells from what users map."""


def can_assemble(runs: Sequence[Run]) -> bool:
    """Whether the runs meet at borders of pages, in the files and in the memory; the first may begin anywhere."""
    if sys.platform != "linux" or sys.maxsize < 2**32 or not 0 < len(runs) <= _MOST_RUNS:
        return False
    parts = _whole_pages(runs)
    return not any(part.offset % mmap.PAGESIZE for part in parts[1:]) and not any(
        part.size % mmap.PAGESIZE for part in parts[:-1]
    )


def assemble(runs: Sequence[Run]) -> memoryview | None:
    """The runs, one after the other, as private, writable memory; None where that cannot be had.

    The memory holds no file open and outlives the files' names; what is written to it does not reach them.
    """
    if not can_assemble(runs) or not all(_can_be_mapped(source) for source in {run.source for run in runs}):
        return None
    parts = _whole_pages(runs)
    try:
        memory = AssembledMemory(-1, sum(part.size for part in parts), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, ValueError, OverflowError):  # not so much address space
        return None
    return memoryview(memory)[parts[0].size - runs[0].size :] if _put_over(memory, parts) else None


def _whole_pages(runs: Sequence[Run]) -> list[Run]:
    """The runs, the first one from the border of a page on."""
    ahead = runs[0].offset % mmap.PAGESIZE
    return [Run(runs[0].source, runs[0].offset - ahead, runs[0].size + ahead), *runs[1:]]


def _can_be_mapped(source: Source) -> bool:
    # Asked beforehand: a file system that refuses in the middle would leave a hole in the memory.
    try:
        with mmap.mmap(source.descriptor, 1, access=mmap.ACCESS_COPY):
            return True
    except (OSError, ValueError):
        return False


def _put_over(memory: AssembledMemory, parts: Sequence[Run]) -> bool:
    """Put parts of files over the memory, whose end unmaps all of it at once; False where the system refuses one."""
    view = (ctypes.c_char * len(memory)).from_buffer(memory)
    address = ctypes.addressof(view)
    del view
    put = ctypes.CDLL(None).mmap
    put.restype = ctypes.c_void_p
    put.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
    for part in parts:
        protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | _MAP_FIXED
        if put(address, part.size, protection, flags, part.source.descriptor, part.offset) != address:
            # There may be a hole now into which another thread maps something, so this is never unmapped.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))
            return False
        address += part.size
    return True
