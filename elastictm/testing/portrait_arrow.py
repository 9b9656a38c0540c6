"""What is to be seen of pyarrow's columns, tables and buffers: their elements, whatever memory they lie in."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Memory, Sight, Walk, digest

LIBRARY: Final = "pyarrow"
_NEVER_WRITTEN: Final = -1
"""The keeper of arrow's memory: two columns that overlap do not see each other, an array beneath does."""


def text(value: Any, arrow: ModuleType) -> str | None:
    """The text of a type, field or scalar."""
    if isinstance(value, arrow.DataType | arrow.Field):
        return f"pyarrow {value!r} {getattr(value, 'metadata', None)}"
    if isinstance(value, arrow.Scalar):
        return f"pyarrow {value.type!r} {value.as_py()!r}"
    return None


def looks(arrow: ModuleType) -> dict[type, Look]:
    """The looks for what holds elements."""
    return {
        arrow.Array: _array,
        arrow.ChunkedArray: _column,
        arrow.Table: _table,
        arrow.RecordBatch: _table,
        arrow.Schema: lambda value, _: Sight(repr(value), whole=True),
        arrow.Buffer: lambda value, _: Sight(digest(value.to_pybytes()), whole=True),
    }


def _array(value: Any, _walk: Walk) -> Sight:
    buffers = value.buffers()
    last = buffers[-1] if buffers else None
    memory = Memory(last.address, last.address + last.size, _NEVER_WRITTEN) if last else None
    return Sight(f"{value.type} {_elements(value)}", whole=True, memory=memory)


def _column(value: Any, _walk: Walk) -> Sight:
    return Sight(f"{value.type} {_elements(value)} {[len(chunk) for chunk in value.chunks]}", whole=True)


def _table(value: Any, _walk: Walk) -> Sight:
    columns = [Inner(name, _elements(column)) for name, column in zip(value.column_names, value.columns, strict=True)]
    return Sight(repr(value.schema), columns, whole=True)


def _elements(value: Any) -> str:
    return f"{len(value)} {digest(repr(value.to_pylist()).encode())}"
