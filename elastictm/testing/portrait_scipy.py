"""What is to be seen of SciPy's trees of points: all but the addresses in their nodes."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Sight, Walk

LIBRARY: Final = "scipy.spatial"
_PARTS: Final = ("data", "leafsize", "boxsize", "indices", "maxes", "mins")


def text(_value: Any, _library: ModuleType) -> str | None:
    """No text: a tree looks at an array."""
    return None


def looks(spatial: ModuleType) -> dict[type, Look]:
    """The look for trees of points."""
    return {spatial.cKDTree: _tree}


def _tree(value: Any, _walk: Walk) -> Sight:
    return Sight(str(value.size), [Inner(name, getattr(value, name)) for name in _PARTS], whole=True)
