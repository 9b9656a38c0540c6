"""Matches of regular expressions, which pickle refuses: they are found again in the same text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "re"


def reducers(_: ModuleType) -> dict[type, Any]:
    """The reducer for matches."""
    return {re.Match: reduce_match}


def reduce_match(value: re.Match[Any], _view: FreezingPass) -> Any:
    """A match as its pattern, its text and the way to find it: which method, and the how-manieth it finds."""
    for method in ("match", "fullmatch", "finditer"):
        place = (value.re, value.string, value.pos, value.endpos, method)
        # Matches are found in order, so none after this one can be it.
        candidates = ((rank, found) for rank, found in enumerate(_found(*place)) if found.start() >= value.start())
        for rank, found in candidates:
            if found.regs == value.regs and found.lastindex == value.lastindex:
                return match, (place, rank)
            if found.start() > value.start():
                break
    raise TypeError("cannot store a match that searching its text again does not find")


def match(place: tuple[re.Pattern[Any], Any, int, int, str], rank: int) -> re.Match[Any]:
    """The match that a method of a pattern finds in a part of a text, after ``rank`` others."""
    return next(islice(_found(*place), rank, None))


def _found(pattern: re.Pattern[Any], text: Any, pos: int, endpos: int, method: str) -> Iterator[re.Match[Any]]:
    outcome = getattr(pattern, method)(text, pos, endpos)
    return outcome if method == "finditer" else iter([outcome] if outcome is not None else [])
