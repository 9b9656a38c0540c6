"""The terminal, through rich, which must leave no trace in the session."""

from __future__ import annotations

import random
from typing import Any


def console(**options: Any) -> Any:
    """A console of rich.

    The first import of rich draws a number from the global generator, which is the user's: it is put back.
    """
    state = random.getstate()
    try:
        from rich.console import Console  # noqa: PLC0415 - takes time, and most work ends before it is needed
    finally:
        random.setstate(state)
    return Console(**options)
