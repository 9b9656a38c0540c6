"""The most memory that this process had, from some moment on."""

from __future__ import annotations

import contextlib
import re
import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")


class Peak:
    """Measures from when it is made; where the system cannot do that, from when the process began."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            _RESET.write_text("5", encoding="ascii")

    def bytes(self) -> int:
        """The most memory so far."""
        with contextlib.suppress(OSError):
            found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
            if found:
                return int(found[1]) * 1024
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
