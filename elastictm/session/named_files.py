"""Files that a cell's code names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from elastictm.model.records import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from elastictm.session.effects import Seen

_CLOCK_SECONDS: Final = 0.01
"""By how much the clock that stamps files may lag behind."""


def named_files(
    texts: Iterable[str], seen: Seen, started: float, concerns: Callable[[str], bool]
) -> tuple[dict[str, str], list[Effect]]:
    """What a cell did to files that its code names but that nobody heard it open, as libraries in C do.

    ``texts`` are the constants of its code, ``seen`` what it was heard to open since it ``started``; a path that does
    not concern anybody is left out.  Files that were opened by another path than the relative one in the code are found
    where the code says.
    """
    found: dict[str, str] = {}
    effects: list[Effect] = []
    for text in texts:
        try:
            path = os.path.abspath(text)  # noqa: PTH100 - as the watch calls files
            if path not in seen.opened and f"{path}.py" in seen.opened:
                path = f"{path}.py"  # as %run takes it
            if path in seen.opened:
                if os.path.isabs(seen.opened[path]) and not os.path.isabs(text):  # noqa: PTH117 - text, no path yet
                    found[path] = os.path.relpath(path)
                continue
            if path in seen.changed or not concerns(path):
                continue
            if not Path(path).is_file():
                continue
            written = Path(path).stat().st_mtime > started - _CLOCK_SECONDS
        except (OSError, ValueError):
            continue
        if written:
            effects.append(Effect("write", path))
        else:
            found[path] = text
    return found, effects
