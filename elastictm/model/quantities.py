"""Quantities as users type them."""

from __future__ import annotations

import re
from typing import Final

from elastictm.errors import UsageError

_UNITS: Final = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_PATTERN: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kKMGT]i?)?(B|b|bit)?\s*(/s|ps)?\s*", re.ASCII)


_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kKMGT]i?)?B?\s*", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes from text such as ``100 MB`` or ``2GiB``.

    Raises:
        UsageError: the text is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no size: expected a number of bytes with a unit, such as 100MB, or 0")
    unit = match[2] or ""
    return int(float(match[1]) * _UNITS[{"K": "k", "ki": "Ki"}.get(unit, unit)])


def parse_bandwidth(text: str) -> float:
    """Bytes per second from text such as ``100MB/s`` or ``1Gbit/s``.

    Raises:
        UsageError: the text is no bandwidth above zero.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{text!r} is no bandwidth: expected a number above zero with a unit, such as 100MB/s")
    unit = match[2] or ""
    value = float(match[1]) * _UNITS[unit.replace("K", "k") if unit == "K" else unit]
    return value / 8 if match[3] in {"b", "bit"} else value
