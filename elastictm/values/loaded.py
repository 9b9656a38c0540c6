"""Which libraries are there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def loaded(name: str) -> ModuleType | None:
    """The module of a name, once its import has ended: one that another thread imports has only some of its names."""
    module = sys.modules.get(name)
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module
