"""What reading stored values is expected to take, for plans made where they would be loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from elastictm.storage.manifest import Blob, Unit

DECOMPRESSED: Final = 500e6
"""Bytes per second of what has to be decompressed."""

_MAPPED: Final = 4e9
"""Bytes per second of what lies there as it is: it is mapped, and its digests are checked."""


def seconds_to_read(unit: Unit, raw: Callable[[Blob], bool]) -> float:
    """Seconds until a unit's bytes are in memory; ``raw`` says which lie there as they are."""
    return sum(blob.size / (_MAPPED if raw(blob) else DECOMPRESSED) for blob in (unit.stream, *unit.segments))
