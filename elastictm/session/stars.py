"""Which names ``from module import *`` binds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from elastictm.ids import Name

if TYPE_CHECKING:
    from collections.abc import Iterable


def bound_by_stars(modules: Iterable[str]) -> frozenset[Name] | None:
    """The names that star imports of these modules have bound; None where that cannot be told."""
    found: set[Name] = set()
    for name in modules:
        # A class of the user's own may answer for a module in any way.
        inside = getattr(sys.modules.get(name), "__dict__", None)
        if type(inside) is not dict:
            return None
        public = inside.get("__all__")
        if public is None:
            public = [each for each in inside if type(each) is str and not each.startswith("_")]
        if type(public) not in {list, tuple} or not all(type(each) is str for each in public):
            return None
        found.update(map(Name, public))
    return frozenset(found)
