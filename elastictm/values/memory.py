"""Out-of-band buffers as slices of memory segments, so that overlapping views share memory again after a restore."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Export:
    """A stretch of memory that a frozen value uses: address and length in bytes, and what keeps it alive."""

    address: int
    length: int
    view: memoryview
    owner: Any


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a buffer lies: the index of its segment, and offset and length in bytes."""

    segment: int
    offset: int
    length: int


def window(address: int, length: int, owner: Any) -> Export:
    """The memory at an address as bytes; ``owner`` keeps it alive, and the view of it keeps the owner."""
    if length == 0:
        return Export(0, 0, memoryview(b""), owner)
    memory = (ctypes.c_char * length).from_address(address)
    # The view outlives the pass, and some arrays are made for the pass alone.
    memory.owner = owner  # type: ignore[attr-defined]
    return Export(address, length, memoryview(memory).cast("B"), owner)


def copied(data: bytes) -> Export:
    """Bytes of the pass's own."""
    block = ctypes.create_string_buffer(data, len(data))
    return Export(ctypes.addressof(block), len(data), memoryview(block).cast("B").toreadonly(), block)


def segments(exports: Sequence[Export]) -> tuple[tuple[memoryview, ...], tuple[Slice, ...]]:
    """Merge overlapping exports: the memory to store, and the slice of it that each export is.

    Exports that overlap lie in one allocation, so their union can be read as one stretch.
    """
    order = sorted(range(len(exports)), key=lambda i: (exports[i].address, -exports[i].length))
    views: list[memoryview] = []
    slices: list[Slice | None] = [None] * len(exports)
    start = end = -1
    members: list[int] = []

    def close() -> None:
        if not members:
            return
        whole = next((exports[i] for i in members if exports[i].length == end - start), None)
        union = whole or window(start, end - start, [exports[i].owner for i in members])
        for i in members:
            slices[i] = Slice(len(views), exports[i].address - start, exports[i].length)
        views.append(union.view)
        members.clear()

    for i in order:
        export = exports[i]
        if export.length == 0:
            slices[i] = Slice(0, 0, 0)
            continue
        if not members or export.address >= end:
            close()
            start, end = export.address, export.address + export.length
        end = max(end, export.address + export.length)
        members.append(i)
    close()
    return tuple(views), tuple(s for s in slices if s is not None)


def alone(stored: Sequence[memoryview], slices: Sequence[Slice]) -> list[int]:
    """The numbers of the buffers that are the whole of a segment that no other buffer lies in."""
    users = Counter(s.segment for s in slices if s.length)
    return [i for i, s in enumerate(slices) if users[s.segment] == 1 and s.length == stored[s.segment].nbytes]


def buffers(stored: Sequence[memoryview], slices: Sequence[Slice]) -> list[memoryview]:
    """The buffers of a frozen value, as slices of its loaded segments."""
    empty = memoryview(bytearray())
    return [stored[s.segment][s.offset : s.offset + s.length] if s.length else empty for s in slices]
