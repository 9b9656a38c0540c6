"""Matplotlib's transforms, which keep those that depend on them by address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "matplotlib.transforms"


def reducers(_: ModuleType) -> dict[type, Any]:
    """None: every transform has a class of its own."""
    return {}


def kindred(kind: type, transforms: ModuleType) -> Any:
    """The reducer of all transforms."""
    return reduce_transform if issubclass(kind, transforms.TransformNode) else None


def reduce_transform(value: Any, view: FreezingPass) -> Any:
    """A transform without its dependents, of which those that are still in use are told once they are all there."""
    maker, arguments, state, *rest = value.__reduce_ex__(5)
    if not isinstance(state, dict) or not isinstance(state.get("_parents"), dict):
        return NotImplemented
    for dependent in state["_parents"].values():
        if dependent is not None:
            view.tie_later(dependent, depend, dependent, value)
    return maker, arguments, state | {"_parents": {}}, *rest


def depend(dependent: Any, transform: Any) -> None:
    """Have a transform know of one that depends on it."""
    dependent.set_children(transform)
