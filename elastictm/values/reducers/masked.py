"""NumPy's masked arrays: a library of their own, which numpy itself loads no sooner than it is asked for."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.values.reducers import arrays

LIBRARY: Final = "numpy.ma"


def reducers(masked: ModuleType) -> dict[type, Any]:
    """The reducer for masked arrays: an array with attributes."""
    return {masked.MaskedArray: arrays.reduce_subclass}
