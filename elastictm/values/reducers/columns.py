"""Columns of polars: numbers without gaps out of band, over the memory of the array that they were made of if any."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "polars"

_SIZES: Final = (8, 16, 32, 64)
_PLAIN: Final = frozenset(
    f"{kind}{bits}" for kind, sizes in (("Int", _SIZES), ("UInt", _SIZES), ("Float", (32, 64))) for bits in sizes
) | {"Date", "Datetime", "Duration", "Time"}
"""Types whose memory numpy can see."""


def reducers(polars: ModuleType) -> dict[type, Any]:
    """Reducers for columns, and for frames, which are stored as theirs."""
    # While polars is being imported, not all of it is there.
    found = {getattr(polars, "Series", None): reduce_series, getattr(polars, "DataFrame", None): reduce_frame}
    return {kind: reduce for kind, reduce in found.items() if kind is not None}


def reduce_frame(value: Any, _view: FreezingPass) -> Any:
    """A frame as its columns."""
    if not value.width:
        return NotImplemented
    return frame, (value.get_columns(),), _added(value, "_df"), None, None, set_attributes


def frame(columns: list[Any]) -> Any:
    """A frame of columns."""
    import polars as pl  # noqa: PLC0415 - an archive with frames is what brings polars in

    return pl.DataFrame(columns)


def reduce_series(value: Any, _view: FreezingPass) -> Any:
    """A column as arrays over its memory, one for each chunk; left to polars where it has gaps or is not of numbers."""
    chunks = number_chunks(value)
    if chunks is None:
        return NotImplemented
    flags = value.flags
    order = "SORTED_DESC" if flags.get("SORTED_DESC") else "SORTED_ASC" if flags.get("SORTED_ASC") else ""
    return series, (value.name, value.dtype, chunks, order), _added(value, "_s"), None, None, set_attributes


def _added(value: Any, inner: str) -> dict[str, Any] | None:
    """The attributes that a user added; names that a class has are those of accessors, which are made when needed."""
    own = {name: item for name, item in vars(value).items() if name != inner and name not in vars(type(value))}
    return own or None


def number_chunks(value: Any) -> list[Any] | None:
    """The memory of a column of numbers or times without gaps, chunk by chunk; None for any other."""
    if str(value.dtype.base_type()) not in _PLAIN or value.null_count() or not len(value):
        return None
    return [chunk.to_physical().to_numpy(allow_copy=False) for chunk in value.get_chunks()]


def series(name: str, kind: Any, chunks: list[Any], order: str) -> Any:
    """A column over the memory of arrays."""
    import polars as pl  # noqa: PLC0415 - an archive with columns is what brings polars in

    made: Any = pl.concat([pl.Series(name, chunk) for chunk in chunks], rechunk=False)
    if made.dtype != kind:
        made = made.cast(kind)
    return made.set_sorted(descending=order == "SORTED_DESC") if order else made


def set_attributes(made: Any, state: dict[str, Any]) -> None:
    """Give a column the attributes that a user added."""
    vars(made).update(state)
