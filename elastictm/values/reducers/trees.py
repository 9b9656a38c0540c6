"""SciPy's trees of points, which look at the very array that they were made of."""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "scipy.spatial"


def reducers(spatial: ModuleType) -> dict[type, Any]:
    """The reducer for both classes of trees."""
    # While scipy.spatial is being imported, not all of it is there.
    found = (getattr(spatial, name, None) for name in ("cKDTree", "KDTree"))
    return {kind: reduce_tree for kind in found if kind is not None}


def reduce_tree(value: Any, _view: FreezingPass) -> Any:
    """A tree by its own state, with its points themselves where the class gives a copy of them."""
    nodes, _, *rest = value.__getstate__()
    state = (nodes, value.data, *rest)
    made = copyreg.__newobj__, (type(value),)  # type: ignore[attr-defined]
    attributes = getattr(value, "__dict__", None)
    if not attributes:
        return *made, state
    return *made, (state, attributes), None, None, set_with_attributes


def set_with_attributes(made: Any, given: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    """Give a tree its state, and the attributes that the session gave it."""
    state, attributes = given
    made.__setstate__(state)
    vars(made).update(attributes)
