"""What pydantic looks names up in: the namespace of the session itself, never a copy of it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "pydantic._internal._namespace_utils"


def reducers(module: ModuleType) -> dict[type, Any]:
    """The reducer for pairs of namespaces."""
    found = getattr(module, "NamespacesTuple", None)
    return {} if found is None else {found: reduce_namespaces}


def reduce_namespaces(value: Any, view: FreezingPass) -> Any:
    """Two namespaces, the global one as that of a function."""
    return namespaces, (view.scope(value.globals), value.locals)


def namespaces(outer: dict[str, Any], inner: Any) -> Any:
    """A pair of namespaces."""
    return importlib.import_module(LIBRARY).NamespacesTuple(outer, inner)
