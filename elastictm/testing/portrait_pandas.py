"""What is to be seen of pandas' frames, series, indexes and arrays."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_numpy import content, memory
from elastictm.testing.portrait_walk import Attributes, Inner, Look, Memory, Sight, Walk

LIBRARY: Final = "pandas"


def text(value: Any, pandas: ModuleType) -> str | None:
    """The text of a scalar or data type."""
    if value is pandas.NA or value is pandas.NaT:
        return f"pandas {value!r}"
    if isinstance(value, pandas.Timestamp | pandas.Timedelta):
        return f"pandas {value!r} {getattr(value, 'unit', '')}"
    if isinstance(value, pandas.Period | pandas.Interval | pandas.tseries.offsets.BaseOffset):
        return f"pandas {value!r}"
    if isinstance(value, pandas.api.extensions.ExtensionDtype) and not isinstance(value, pandas.CategoricalDtype):
        return f"dtype {value!r}"
    return None


def looks(pandas: ModuleType) -> dict[type, Look]:
    """The looks for what holds data in columns."""
    return {
        pandas.DataFrame: _frame,
        pandas.Series: _series,
        pandas.Index: _index,
        pandas.MultiIndex: _multi_index,
        pandas.RangeIndex: lambda value, _: Sight(
            f"{value.start} {value.stop} {value.step}", [Inner("name", value.name)], "own", whole=True
        ),
        pandas.CategoricalDtype: lambda value, _: Sight(
            f"ordered={value.ordered}", [Inner("categories", value.categories)], "none", whole=True
        ),
        pandas.api.extensions.ExtensionArray: _extension,
    }


def _frame(value: Any, _walk: Walk) -> Sight:
    columns: list[Inner] = []
    spans: list[Memory | None] = []
    for block in value._mgr.blocks:  # noqa: SLF001 - asking for columns would make and remember series
        for row, place in enumerate(block.mgr_locs.as_array.tolist()):
            part = block.values[row] if block.values.ndim > 1 else block.values
            columns += [Inner(f"column {place} {inner.label}", inner.value) for inner in _column(part)]
        spans.append(_span(block))
    columns.sort(key=lambda inner: int(inner.label.split()[1]))
    inside = [Inner("columns", value.columns), Inner("index", value.index), *_side_data(value), *columns]
    inside += [Inner("memory", Block(span)) for span in spans if span is not None]
    return Sight(str(value.shape), inside, whole=True)


def _series(value: Any, _walk: Walk) -> Sight:
    (block,) = value._mgr.blocks  # noqa: SLF001 - likewise
    inside = [Inner("name", value.name), Inner("index", value.index), *_side_data(value), *_column(block.values)]
    return Sight(str(value.shape), inside, whole=True, memory=_span(block))


class Block:
    """The memory of one block of a frame."""

    def __init__(self, span: Memory) -> None:
        self.span = span


def block_look(value: Block, _walk: Walk) -> Sight:
    """Nothing but the memory that a block uses."""
    return Sight("", whole=True, memory=value.span)


def _span(block: Any) -> Memory | None:
    values = getattr(block.values, "_ndarray", block.values)
    if not hasattr(values, "__array_interface__"):
        return None
    # Frames that were copied lazily use the same memory, and part when one of them is written to.
    return memory(values, id(block.refs))


def _column(values: Any) -> list[Inner]:
    """The data of one column, whichever array holds it: that may be shared by frames that were copied lazily."""
    inner = values if hasattr(values, "__array_interface__") else getattr(values, "_ndarray", None)
    kind = Inner("kind", type(values).__name__)
    if inner is not None:
        return [kind, Inner("dtype", values.dtype), *content(inner)]
    masked = [getattr(values, name, None) for name in ("_data", "_mask")]
    if all(hasattr(part, "__array_interface__") for part in masked):
        return [kind, Inner("dtype", values.dtype), *(inner for part in masked for inner in content(part))]
    return [kind, Inner("attributes", Attributes(dict(vars(values))))]


def _side_data(value: Any) -> list[Inner]:
    return [Inner("attrs", value.attrs), Inner("flags", value.flags.allows_duplicate_labels)]


def _index(value: Any, _walk: Walk) -> Sight:
    inside = [Inner("name", value.name), Inner("frequency", getattr(value, "freqstr", None)), *_column(value._data)]  # noqa: SLF001
    return Sight(str(value.shape), inside, "own", whole=True)


def _multi_index(value: Any, _walk: Walk) -> Sight:
    inside = [Inner("names", tuple(value.names)), Inner("levels", tuple(value.levels))]
    inside += [part for codes in value.codes for part in content(codes)]
    return Sight(str(value.shape), inside, "own", whole=True)


def _extension(value: Any, _walk: Walk) -> Sight:
    if not hasattr(value, "_ndarray") and not hasattr(value, "__dict__"):
        return Sight(repr(value), whole=True)
    return Sight(str(len(value)), _column(value), whole=True)
