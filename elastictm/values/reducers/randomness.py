"""NumPy's legacy generators: the one whose methods are the functions of numpy.random is the same in every session."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "numpy.random.mtrand"


def reducers(mtrand: ModuleType) -> dict[type, Any]:
    """The reducer for legacy generators."""
    return {mtrand.RandomState: reduce_generator}


def reduce_generator(value: Any, _view: FreezingPass) -> Any:
    """The global generator by its place; its state is kept with those of all global generators."""
    return (global_generator, ()) if value is sys.modules[LIBRARY]._rand else NotImplemented  # noqa: SLF001 - no other way


def global_generator() -> Any:
    """The generator whose methods are the functions of numpy.random."""
    from numpy.random import mtrand  # noqa: PLC0415 - an archive with generators is what brings numpy in

    return mtrand._rand  # noqa: SLF001 - no other way
