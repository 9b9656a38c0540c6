"""What moving a value costs, in seconds."""

from __future__ import annotations

import math
from typing import Final

from elastictm.errors import UsageError

FLAW_SECONDS: Final = 60.0
"""What it counts for in a plan that a variable comes back without what its class keeps to itself."""

RELUCTANCE_SECONDS: Final = 3600.0
"""What it counts for in a plan that a cell can only run again where a file is that cannot travel."""


def transfer_seconds(size: int, serialise_seconds: float, bandwidth: float, alpha: float = 1.0) -> float:
    """Weigh storing a value and getting it back against re-running the cells that make it.

    Saving takes the time to serialise and to send; restoring takes the time to fetch and to deserialise, which is taken
    to be that of serialising.  ``alpha`` weighs the saving side alone (ElasticNotebook, arXiv 2309.11083, section 4),
    while restoring and re-running weigh 1: below 1 it favours what makes the restore fast, at 0 saving is free.

    Args:
        size: The value's bytes.
        serialise_seconds: The time that serialising it takes.
        bandwidth: Bytes per second, up and down.
        alpha: The weight of saving.

    Raises:
        UsageError: Where the bandwidth is not above 0, or alpha or the value's size or time are below it.
    """
    if not bandwidth > 0:
        raise UsageError(f"bandwidth is {bandwidth} bytes per second: expected more than 0, such as 100MB/s")
    if not (0 <= alpha < math.inf):
        raise UsageError(f"alpha is {alpha}: expected 0 or more; below 1 favours a fast restore")
    one_way = serialise_seconds + size / bandwidth
    if not one_way >= 0:
        raise UsageError(f"moving {size} bytes that take {serialise_seconds} s to serialise: expected 0 or more")
    return (1 + alpha) * one_way
