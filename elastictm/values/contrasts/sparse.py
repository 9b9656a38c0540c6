"""Sparse matrices and arrays of scipy: form, shape, and the stored values that differ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

from elastictm.values.contrasts.facts import Facts, Kind, Look, Part, lines
from elastictm.values.contrasts.words import changed, count
from elastictm.values.kinds import type_name

LIBRARY: Final = "scipy.sparse"

_COMPARED: Final = 3_000_000
"""Stored values."""


def kinds(sparse: Any) -> Mapping[type, Kind]:
    """The kinds of sparse matrices."""
    bases = [getattr(sparse, name, None) for name in ("sparray", "spmatrix")]
    return {base: Kind(_facts, _title) for base in bases if base is not None}


def _title(matrix: Any) -> str:
    return f"{type_name(matrix)} of shape {matrix.shape}, {matrix.dtype}, {count(matrix.nnz, 'stored value')}"


def _facts(before: Any, after: Any, look: Look) -> Facts:
    told = [
        changed("shape", before.shape, after.shape),
        changed("dtype", before.dtype, after.dtype),
        changed("stored values", f"{before.nnz:,}", f"{after.nnz:,}"),
    ]
    if before.shape != after.shape or before.ndim != 2:  # noqa: PLR2004 - rows and columns
        return Facts(lines(*told))
    if max(before.nnz, after.nnz) > _COMPARED:
        look.leave(f"the values of {_title(after)}")
        return Facts(lines(*told))
    old, new = (each.tocsr(copy=True) for each in (before, after))
    for each in (old, new):
        each.sum_duplicates()
    same_places = old.nnz == new.nnz and look.same(old.indices, new.indices) and look.same(old.indptr, new.indptr)
    if same_places:
        return Facts(lines(*told), (Part(".data", old.data, new.data),))
    with warnings.catch_warnings():
        # That most elements may differ is no news to anybody here.
        warnings.simplefilter("ignore")
        number = int((old != new).nnz)
    told.append(f"{count(number, 'element')} differ{'s' if number == 1 else ''}")
    return Facts(lines(*told))
