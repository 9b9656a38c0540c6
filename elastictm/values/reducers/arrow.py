"""Memory in the form of Arrow: pyarrow and polars never write it, but an array that it was made of may be written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from elastictm.values.reducers.columns import number_chunks

_TYPES: Final = {
    "pyarrow": ("Buffer", "Array", "ChunkedArray", "RecordBatch", "Table"),
    "polars": ("Series", "DataFrame"),
}


def memory_types() -> tuple[type, ...]:
    """The types of loaded libraries that hold such memory."""
    found = [getattr(sys.modules.get(library), name, None) for library, names in _TYPES.items() for name in names]
    return tuple(kind for kind in found if isinstance(kind, type))


def stretches(value: Any) -> Iterator[tuple[int, int]]:
    """From where to where each buffer inside goes."""
    if type(value).__module__.startswith("polars."):
        for column in value.get_columns() if hasattr(value, "get_columns") else (value,):
            yield from _of_column(column)
    elif hasattr(value, "address"):
        if value.size:
            yield value.address, value.address + value.size
    elif hasattr(value, "buffers"):
        for buffer in value.buffers():
            if buffer is not None:
                yield from stretches(buffer)
        # What a dictionary encodes is not among the buffers.
        dictionary = getattr(value, "dictionary", None)
        if dictionary is not None:
            yield from stretches(dictionary)
    else:
        for part in value.chunks if hasattr(value, "chunks") else value.columns:
            yield from stretches(part)


def _of_column(column: Any) -> Iterator[tuple[int, int]]:
    """The memory of numbers without gaps: only such a column can be made over an array."""
    for array in number_chunks(column) or ():
        start = array.__array_interface__["data"][0]
        yield start, start + array.nbytes
