"""Which names ``from module import *`` binds."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from elastictm.ids import Name

if TYPE_CHECKING:
    from collections.abc import Iterable


def bound_by_stars(modules: Iterable[str]) -> frozenset[Name] | None:
    """The names that star imports of these modules have bound; None where that cannot be told."""
    found: set[Name] = set()
    for name in modules:
        module = sys.modules.get(name)
        # What is no module, or of a class of its own, may answer in any way.
        if not issubclass(type(module), ModuleType):
            return None
        inside: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
        public = inside.get("__all__")
        if public is None:
            public = [each for each in inside if type(each) is str and not each.startswith("_")]
        if type(public) not in {list, tuple} or not all(type(each) is str for each in public):
            return None
        found.update(map(Name, public))
    return frozenset(found)
