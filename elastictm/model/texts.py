"""Texts for people: on one line, without what a terminal would act on, and what differs between two of them."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from typing import Final

_LINES: Final = 12
"""Lines of a unified diff that are shown."""
_WIDE: Final = 100
"""Characters of one of them."""
_BLOCK: Final = 1 << 20
_LOOKED_AT: Final = 1_000_000
"""Characters within what differs that are parted into lines."""
_COMPARED: Final = 400
"""Lines of each text, within what differs at all; finding what moved among more of them takes too long."""


def clean(text: str) -> str:
    """A text without characters that a terminal would act on; those are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def cut(text: str, width: int) -> str:
    """A text of at most ``width`` characters on one line."""
    text = clean(text[: width + 1])
    return text if len(text) <= width else text[: width - 1] + "…"


def first_difference(old: str | bytes, new: str | bytes) -> int:
    """The place of the first difference between two texts, or the length of the shorter one; by halving."""
    low, high, step = 0, min(len(old), len(new)), _BLOCK
    while low < high and old[low : low + step] == new[low : low + step]:
        low = min(low + step, high)
    high = min(high, low + step)
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def unified(before: str, after: str) -> tuple[str, ...]:
    """What differs between two texts of several lines: how much, and below that the lines, as diff writes them."""
    if before == after:
        return ()
    start = before.rfind("\n", 0, first_difference(before, after)) + 1
    skipped = before.count("\n", 0, start)
    ends = before[start:][-_LOOKED_AT:][::-1], after[start:][-_LOOKED_AT:][::-1]
    end = first_difference(*ends)
    # Back to the end of a line that is the same in both.
    end = ends[0].rfind("\n", 0, end) if "\n" in ends[0][:end] else 0
    windows = before[start : len(before) - end], after[start : len(after) - end]
    if max(map(len, windows)) > _LOOKED_AT:
        long = [_count(text.count("\n") + (not text.endswith("\n"))) for text in windows]
        return (f"{long[0]} from line {skipped + 1:,} on → {long[1]}",)
    old, new = (text.splitlines() for text in windows)
    if old == new:
        return ("line ends differ",)
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    inner = old[head : len(old) - tail], new[head : len(new) - tail]
    head += skipped
    if max(map(len, inner)) > _COMPARED:
        return (f"{_count(len(inner[0]))} from line {head + 1:,} on → {_count(len(inner[1]))}",)
    matcher = difflib.SequenceMatcher(None, *inner, autojunk=False)
    told: list[str] = []
    removed = added = 0
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed, added = removed + j - i, added + m - k
        told.append(f"@@ line {head + i + 1:,} @@")
        told += [f"-{line}" for line in inner[0][i:j]]
        told += [f"+{line}" for line in inner[1][k:m]]
    numbers = (f"{_count(removed)} removed" if removed else "", f"{_count(added)} added" if added else "")
    shown = [cut(line.expandtabs(4), _WIDE) for line in told[:_LINES]]
    if len(told) > _LINES:
        shown.append(f"and {len(told) - _LINES:,} more lines of the difference")
    return (", ".join(filter(None, numbers)), *shown)


def definition_in(source: str, name: str) -> str | None:
    """The text of the function or class that a cell defines under a name last; None where there is none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node for node in tree.body if isinstance(node, kinds) and node.name == name]
    if not found:
        return None
    first = min([found[-1].lineno, *(each.lineno for each in found[-1].decorator_list)])
    return "".join(source.splitlines(keepends=True)[first - 1 : found[-1].end_lineno])


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """The number of first lines that are the same."""
    pairs = zip(old, new, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _count(number: int) -> str:
    return f"{number:,} line{'s' * (number != 1)}"


def counted(number: int, noun: str) -> str:
    """A number of things in words, such as ``1 state`` or ``12 states``."""
    return f"{number} {noun}{'s' * (number != 1)}"
