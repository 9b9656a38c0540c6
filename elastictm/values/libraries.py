"""Which libraries a frozen stream needs, and whose version decides on whether its objects load as they were."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from elastictm.values.kinds import module_of

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
        "numpy._ArrayFunctionDispatcher",
        "torch.dtype",
        "torch.device",
        "torch.Size",
    }
)
"""Kinds that are a name or a number, in every version."""


def named(kinds: Iterable[type], modules: Iterable[str]) -> frozenset[str]:
    """The libraries, as top-level modules, that a stream needs; see ``shaping`` for the arguments."""
    return _libraries({*modules, *_owners(kinds)})


def shaping(kinds: Iterable[type], modules: Iterable[str]) -> frozenset[str]:
    """The libraries whose classes had a say in how objects were taken apart.

    Args:
        kinds: The types of the objects that pickle took apart.
        modules: The modules that the stream names, those of our own reducers among them.
    """
    reducers = {module for module in modules if _reducer(module) not in {"", *_OWN_FORM}}
    return _libraries(_owners(kind for kind in kinds if not _lasts(kind)) | reducers)


def _owners(kinds: Iterable[type]) -> set[str]:
    """The modules of some types and of what they come from."""
    found = {module_of(base) for kind in kinds for base in kind.__mro__}
    return {owner for owner in found if isinstance(owner, str)}


def _libraries(modules: Iterable[str]) -> frozenset[str]:
    found = (_library(module) for module in modules)
    # What Cython calls the module of its own types is known to the code alone that it made.
    return frozenset(
        library for library in found if library not in _NOT_LIBRARIES and not library.startswith("_cython_")
    )


def _lasts(kind: type) -> bool:
    return any(f"{module_of(base)}.{base.__qualname__}" in _LASTING for base in kind.__mro__)


def _reducer(module: str) -> str:
    return module.removeprefix(_REDUCERS) if module.startswith(_REDUCERS) else ""


def _library(module: str) -> str:
    """The library of a module; that of a reducer is the one that it serves."""
    served = getattr(sys.modules.get(module), "LIBRARY", None) if _reducer(module) else None
    return (served or module).partition(".")[0]
