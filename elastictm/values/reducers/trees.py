"""Scikit-learn's trees of points: compiled objects that look at arrays without letting the garbage collector know."""

from __future__ import annotations

import sys
from typing import Any, Final

_MODULES: Final = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
_NAMES: Final = ("BinaryTree64", "BinaryTree32", "BinaryTree")


def tree_types() -> tuple[type, ...]:
    """The bases of trees, as far as they are loaded."""
    found = (getattr(sys.modules.get(module), name, None) for module in _MODULES for name in _NAMES)
    return tuple(kind for kind in found if isinstance(kind, type))


def arrays_of(tree: Any) -> list[Any]:
    """The arrays that a tree looks at."""
    return [part for part in tree.__getstate__() if hasattr(part, "__array_interface__")]
