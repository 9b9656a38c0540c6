"""What is to be seen of Polars' frames, columns, expressions and lazy queries."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Look, Sight, digest

LIBRARY: Final = "polars"


def text(value: Any, polars: ModuleType) -> str | None:
    """The text of an expression or type, neither of which can change."""
    if isinstance(value, polars.Expr):
        return f"polars {value.meta.tree_format(return_as_string=True)}"
    if isinstance(value, polars.DataType) or (isinstance(value, type) and issubclass(value, polars.DataType)):
        return f"polars {value!r}"
    return None


def looks(polars: ModuleType) -> dict[type, Look]:
    """The looks for what holds elements, and for queries by what they would do."""
    return {
        polars.DataFrame: lambda value, _: Sight(f"{list(value.schema.items())} {_rows(value.rows())}", whole=True),
        polars.Series: lambda value, _: Sight(f"{value.name!r} {value.dtype!r} {_rows(value.to_list())}", whole=True),
        polars.LazyFrame: lambda value, _: Sight(digest(value.explain(optimized=False).encode()), whole=True),
    }


def _rows(rows: list[Any]) -> str:
    return f"{len(rows)} {digest(repr(rows).encode())}"
