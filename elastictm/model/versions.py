"""How versions of libraries differ: in what may change the meaning of stored objects, or not."""

from __future__ import annotations

import re
from typing import Final

_FIRST_NUMBERS: Final = re.compile(r"\A\s*v?(?:(?P<epoch>\d+)!)?(?P<first>\d+)(?:\.(?P<second>\d+))?")
_FIRST_YEAR: Final = 1990


def is_other_major(one: str, other: str) -> bool:
    """Whether two versions differ in their major number.

    Before version 1 the second number counts as the major one.  A first number that is a year promises nothing, so two
    of them do not differ in this sense, and neither do versions that cannot be read.
    """
    left, right = _major(one), _major(other)
    return left is not None and right is not None and left != right


def is_other_minor(one: str, other: str) -> bool:
    """Whether two versions differ in their first two numbers; those that cannot be read do not."""
    left, right = _FIRST_NUMBERS.match(one), _FIRST_NUMBERS.match(other)
    if left is None or right is None:
        return False
    return [int(part or 0) for part in left.groups()] != [int(part or 0) for part in right.groups()]


def _major(version: str) -> tuple[int, ...] | None:
    found = _FIRST_NUMBERS.match(version)
    if found is None:
        return None
    epoch, first, second = (int(part or 0) for part in found.groups())
    if first >= _FIRST_YEAR:
        return (epoch, _FIRST_YEAR)
    return (epoch, first, second) if first == 0 else (epoch, first)


def public(version: str) -> str:
    """A version without what tells builds apart, such as ``+cpu``: what an index of packages knows it by."""
    return version.partition("+")[0]
