"""Which libraries a frozen stream needs, and whose version decides on whether its objects load as they were."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

_OURS: Final = "elastictm"
_REDUCERS: Final = "elastictm.values.reducers."
_NOT_LIBRARIES: Final = sys.stdlib_module_names | {"__main__", "__mp_main__", _OURS}

_OWN_FORM: Final = frozenset({"arrays", "torch"})
"""Reducers whose streams hold memory and plain facts, which any version of the library takes."""

_LASTING: Final = frozenset(
    {
        "numpy.generic",
        "numpy.ufunc",
        "numpy.dtype",
        "torch.dtype",
        "torch.device",
        "torch.Size",
    }
)
"""Kinds that are a name or a number, in every version."""


def named(modules: Iterable[str]) -> frozenset[str]:
    """The libraries, as top-level modules, of the modules that a stream names."""
    found = (_library(module) for module in modules)
    return frozenset(library for library in found if library not in _NOT_LIBRARIES)


def shaping(kinds: Iterable[type], modules: Iterable[str]) -> frozenset[str]:
    """The libraries whose classes had a say in how objects were taken apart.

    Args:
        kinds: The types of the objects that pickle took apart.
        modules: The modules that the stream names, those of our own reducers among them.
    """
    owners = {base.__module__ for kind in kinds if not _lasts(kind) for base in kind.__mro__}
    owners |= {module for module in modules if _reducer(module) not in {"", *_OWN_FORM}}
    return named(owner for owner in owners if isinstance(owner, str))


def _lasts(kind: type) -> bool:
    return any(f"{base.__module__}.{base.__qualname__}" in _LASTING for base in kind.__mro__)


def _reducer(module: str) -> str:
    return module.removeprefix(_REDUCERS) if module.startswith(_REDUCERS) else ""


def _library(module: str) -> str:
    """The library of a module; that of a reducer is the one that it serves."""
    served = getattr(sys.modules.get(module), "LIBRARY", None) if _reducer(module) else None
    return (served or module).partition(".")[0]
