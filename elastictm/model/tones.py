"""How much a line of a report weighs, read from its words: words say it, colours only repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

Tone = Literal["", "lost", "differs", "new", "moved", "head", "faint"]
"""What a piece of text is about; every surface has one colour for each."""

_LOST: Final = re.compile(r"\bLOST\b|\) lost:|^lost besides\b|^loses ")
_DIFFERS: Final = re.compile(r"\bDIFFERENT\b|\bMAY DIFFER\b|^(?:rehearsal: )?differs: |\) different:|does not restore")
_ROOM: Final = 160
"""Characters in which the word stands, if it does; the rest is the user's."""

_OUTCOMES: Final[dict[str, Tone]] = {
    "lost": "lost",
    "different": "differs",
    "DIFFERENT": "differs",
    "unknown": "differs",
    "rerun": "moved",
    "stored": "new",
    "same": "new",
    "kept": "faint",
}


def tone_of(line: str) -> Tone:
    """Whether a line tells of a loss, or of something that is otherwise than it was."""
    start = line[:_ROOM]
    return "lost" if _LOST.search(start) else "differs" if _DIFFERS.search(start) else ""


def tone_of_outcome(word: str) -> Tone:
    """The tone of a variable's outcome or verdict; none for any other word."""
    return _OUTCOMES.get(word) or ("lost" if word.startswith("loses ") else "")


def tone_of_change(line: str) -> Tone:
    """The tone of a line of a unified diff, which stands two places further in than others."""
    inner = line.removeprefix("  ") if line.startswith("  ") else ""
    starts: dict[str, Tone] = {"+": "new", "-": "lost", "@@": "moved"}
    return next((tone for start, tone in starts.items() if inner.startswith(start)), "")


def losses_first(lines: Iterable[str]) -> tuple[str, ...]:
    """Losses, then what is different, then the rest, each in the order in which they came."""
    weights: dict[Tone, int] = {"lost": 0, "differs": 1}
    return tuple(sorted(lines, key=lambda line: weights.get(tone_of(line), 2)))
