"""Text in the room that there is: widths as terminals count them, lines that go on below, columns that give way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from unicodedata import combining, east_asian_width

LEAST: Final = 14
"""Characters that a column of text keeps before a whole column goes; the last one, which says why, twice as many."""

_NUMBER: Final = re.compile(r"-|[-+]?\d[\d.]*(?: (?:[kMGT]?B|µs|ms|s|min|h|d|%))?")
_GAP: Final = 2


def plain(text: str) -> str:
    """A text in one line, without characters that a terminal would act on."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def width_of(text: str) -> int:
    """The places that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def elided(text: str, room: int) -> str:
    """A text in so many places, without its middle where it takes more."""
    if width_of(text) <= room:
        return text
    if room < 2:  # noqa: PLR2004 - nothing but the mark fits
        return "…"[:room]
    tail = _start_of(text[::-1], (room - 1) // 3)[::-1]
    return _start_of(text, room - 1 - width_of(tail)) + "…" + tail


def padded(text: str, room: int, *, right: bool) -> str:
    """A text with spaces up to so many places."""
    spaces = " " * (room - width_of(text))
    return spaces + text if right else text + spaces


def folded(text: str, room: int | None, first: str = "", later: str = "") -> list[str]:
    """A text in lines of at most so many places, the first and the later ones indented; one line if room is None."""
    if room is None or width_of(first) + width_of(text) <= room:
        return [first + text]
    lines: list[str] = []
    line, empty = first, True
    for word in text.split(" "):
        rest = word
        if not empty and width_of(line) + 1 + width_of(rest) > room:
            lines.append(line)
            line, empty = later, True
        while width_of(line) + (not empty) + width_of(rest) > room:
            # A single word that is longer than a line.
            part = _start_of(rest, room - width_of(line)) or rest[0]
            lines.append(line + part)
            line, empty, rest = later, True, rest[len(part) :]
        line += rest if empty else f" {rest}"
        empty = False
    return [*lines, line.rstrip() if not line.strip() else line]


def numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, with their units, and nothing else."""
    told = [cell for cell in cells if cell]
    return bool(told) and all(_NUMBER.fullmatch(cell) for cell in told)


def columns_that_fit(
    rows: Sequence[Sequence[str]], names: Sequence[str], spare: Sequence[str], room: int | None, indent: int
) -> dict[int, int]:
    """Which columns are shown, and in how many places.

    Where there is not room for all, the ``spare`` columns go, the first of them first, until texts can give way, the
    widest first; where that is not enough they do down to a single place.
    """
    widths = {i: max(width_of(row[i]) for row in (names, *rows)) for i in range(len(names))}
    if room is None:
        return widths
    texts = {i for i in widths if not numeric([row[i] for row in rows])}
    last = max(widths, default=0)
    least = {i: min(widths[i], max(LEAST * (1 + (i == last)), width_of(names[i]))) for i in texts}
    going = [i for name in spare for i in widths if names[i] == name]
    while _missing(widths, room, indent) > sum(widths[i] - least[i] for i in texts) and going:
        gone = going.pop(0)
        del widths[gone]
        texts.discard(gone)
    _narrow(widths, least, _missing(widths, room, indent))
    _narrow(widths, dict.fromkeys(texts or widths, 1), _missing(widths, room, indent))
    return widths


def _missing(widths: Mapping[int, int], room: int, indent: int) -> int:
    return indent + sum(widths.values()) + _GAP * (len(widths) - 1) - room


def _narrow(widths: dict[int, int], least: Mapping[int, int], missing: int) -> None:
    """Take places away from the widest columns, the later ones first, down to what each needs at least."""
    while missing > 0:
        wide = [i for i in least if i in widths and widths[i] > least[i]]
        if not wide:
            return
        widths[max(wide, key=lambda i: (widths[i], i))] -= 1
        missing -= 1


def _start_of(text: str, room: int) -> str:
    taken = 0
    for at, c in enumerate(text):
        taken += width_of(c)
        if taken > room:
            return text[:at]
    return text
