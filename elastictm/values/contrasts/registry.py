"""Which kinds of values there are, of the standard library and of those libraries that are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from elastictm.values.contrasts import (
    arrays,
    code,
    containers,
    estimators,
    figures,
    frames,
    graphs,
    instances,
    plain,
    polars,
    sparse,
    text,
    torch,
)
from elastictm.values.contrasts.facts import Kind
from elastictm.values.loaded import loaded

_STANDARD: Final = (instances, plain, containers, text, code)
_LIBRARIES: Final = (arrays, frames, polars, sparse, torch, estimators, figures, graphs)


def kinds() -> Mapping[type, Kind]:
    """How values of each type, and of the types that come from it, are compared."""
    found: dict[type, Kind] = {}
    for module in _STANDARD:
        found |= module.kinds()
    for library in _LIBRARIES:
        there = loaded(library.LIBRARY)
        if there is not None:
            found |= library.kinds(there)
    return found
