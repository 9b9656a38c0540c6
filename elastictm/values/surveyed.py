"""What a survey of values found."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from elastictm.values.definitions import Definition
from elastictm.values.kinds import FIXED

_ISOLATION_UP_TO: Final = 20_000
"""Objects; counting references costs about a microsecond each."""


@dataclass(frozen=True, slots=True)
class Span:
    """Memory that arrays use, from its first address to the one after its last.

    ``fixed`` memory is never written by who uses it, ``foreign`` memory is used by a library that does not tell whose
    it is.
    """

    start: int
    stop: int
    fixed: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """The mutable objects inside some values by identity, the memory that their arrays use, and the code they carry.

    ``objects`` keep what they name alive: a survey is for passing use.
    ``shells`` are objects that cannot change themselves but hold some that can, such as tuples of lists.
    ``definitions`` are the session's functions and classes that come with the values.
    ``references`` and ``weak`` count, for each object, the references to it that the walk itself found; ``exposed``
    tells that others may hold what is inside in ways that no count shows.
    """

    objects: Mapping[int, Any]
    shells: Mapping[int, Any]
    spans: tuple[Span, ...]
    code: tuple[CodeType, ...]
    definitions: tuple[Definition, ...]
    references: Counter[int]
    weak: Counter[int]
    exposed: bool

    def isolated(self, outside: Counter[int]) -> bool:
        """Whether nothing but the walked values and the counted references holds any of the objects."""
        if self.exposed or len(self.objects) > _ISOLATION_UP_TO:
            return False
        return self._are_isolated(self.objects, outside) and self._are_isolated(self.shells, outside)

    def _are_isolated(self, held: Mapping[int, Any], outside: Counter[int]) -> bool:
        own = _count({0: object()}, 0)
        # No variable may hold the object in question: it would count.
        return all(
            _count(held, key) - own <= self.references[key] + outside[key]
            and weakref.getweakrefcount(held[key]) <= self.weak[key]
            for key in held
        )


def is_plain(value: Any) -> bool:
    """Whether a value holds nothing that can change."""
    return set(map(type, gc.get_referents(value))) <= FIXED


def _count(objects: Mapping[int, Any], key: int) -> int:
    """References to an object of a record, with those of the record and of the call itself."""
    return sys.getrefcount(objects[key])
