"""Where the futures of a session are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FUTURES: Final = "futures"
"""The folder of futures, in that of the session's past."""


def left_in(folder: Path) -> bool:
    """Whether there are futures in the folder of a session's past."""
    return any((folder / FUTURES).glob("*/"))
