"""How pickle's protocol 5 writes numbers, sizes and references."""

from __future__ import annotations

import pickle
import struct
from typing import Final

_BYTE: Final = tuple(bytes((number,)) for number in range(256))
SMALL: Final = tuple(pickle.BININT1 + byte for byte in _BYTE)
"""The integers that fit in a byte."""

float64: Final = struct.Struct(">cd").pack
size32: Final = struct.Struct("<cI").pack
size64: Final = struct.Struct("<cQ").pack


def integer(value: int) -> bytes:
    """An integer that is no single byte."""
    if 0 <= value <= 0xFFFF:  # noqa: PLR2004 - two bytes
        return pickle.BININT2 + value.to_bytes(2, "little")
    if -0x80000000 <= value <= 0x7FFFFFFF:  # noqa: PLR2004 - four bytes
        return pickle.BININT + value.to_bytes(4, "little", signed=True)
    data: bytes = pickle.encode_long(value)
    size = len(data)
    return (pickle.LONG1 + _BYTE[size] if size < len(_BYTE) else size32(pickle.LONG4, size)) + data


def reference(index: int) -> bytes:
    """A value that was written before, by its number in the memo."""
    return b"h" + _BYTE[index] if index < len(_BYTE) else size32(b"j", index)


def header(size: int, short: bytes, medium: bytes, large: bytes) -> bytes:
    """What goes before data of a size, for the three widths of it."""
    if size < len(_BYTE):
        return short + _BYTE[size]
    return size32(medium, size) if size <= 0xFFFFFFFF else size64(large, size)  # noqa: PLR2004 - four bytes


def extension(code: int) -> bytes:
    """A class or function by its number in ``copyreg``."""
    size = 1 if code <= 0xFF else 2 if code <= 0xFFFF else 4  # noqa: PLR2004 - bytes
    return {1: pickle.EXT1, 2: pickle.EXT2, 4: pickle.EXT4}[size] + code.to_bytes(size, "little")
