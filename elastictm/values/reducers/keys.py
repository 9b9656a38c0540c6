"""Sparse arrays of scipy that keep their entries by key: dicts by type, with all of it in an attribute instead.

Pickle takes them for the dicts that they are not, and they come back with their entries twice.
"""

from __future__ import annotations

import copyreg
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "scipy.sparse._dok"


def reducers(dok: ModuleType) -> dict[type, Any]:
    """The reducer for both kinds."""
    return {dok.dok_array: reduce_keys, dok.dok_matrix: reduce_keys}


def reduce_keys(value: Any, _view: FreezingPass) -> Any:
    """An array without entries of its own, and its attributes."""
    if dict.__len__(value):
        return NotImplemented
    return copyreg.__newobj__, (type(value),), dict(vars(value))  # type: ignore[attr-defined]
