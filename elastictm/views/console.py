"""The terminal, through rich, which must leave no trace in the session."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
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


def shows_colours(terminal: Any) -> bool:
    """Whether a console is a terminal that shows colours."""
    return bool(
        terminal.is_terminal and not terminal.is_jupyter and not terminal.no_color and terminal.color_system is not None
    )


def in_colours(lines: Iterable[Sequence[tuple[str, str]]], terminal: Any) -> str:
    """Lines of texts with their styles, as rich names them, in the way that a terminal shows them."""
    from rich.text import Text  # noqa: PLC0415 - takes time

    with terminal.capture() as capture:
        for line in lines:
            terminal.print(Text.assemble(*line), soft_wrap=True, highlight=False)
    return str(capture.get()).rstrip("\n")
