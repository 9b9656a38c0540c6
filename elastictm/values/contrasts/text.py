"""Texts and bytes: the lines that differ, or the place where the first difference is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from elastictm.values.contrasts.facts import Facts, Kind, Line, Look
from elastictm.values.contrasts.words import WIDTH, arrow, clean, count, cut, short
from elastictm.values.kinds import type_name

_LINES: Final = 12
"""Lines of a unified diff that are shown."""
_WIDE: Final = 100
_COMPARED: Final = 400
"""Lines of each text, within what differs at all; finding what moved among more of them takes too long."""
_AROUND: Final = 12
_COUNTED: Final = 4_000_000


def kinds() -> Mapping[type, Kind]:
    """The kinds of text and bytes."""
    raw = Kind(_bytes, _bytes_title, attributes=True)
    return {
        str: Kind(_texts, attributes=True),
        bytes: raw,
        bytearray: raw,
        memoryview: raw,
    }


def unified(before: str, after: str) -> tuple[Line, ...]:
    """What differs between two texts of several lines, in the form that diff made known."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return (Line("line ends differ"),) if before != after else ()
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    inner = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(map(len, inner)) > _COMPARED:
        return (Line(f"{count(len(inner[0]), 'line')} from line {head + 1:,} on → {count(len(inner[1]), 'line')}"),)
    matcher = difflib.SequenceMatcher(None, *inner, autojunk=False)
    told: list[Line] = []
    removed = added = 0
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed, added = removed + j - i, added + m - k
        told.append(_line(f"@@ line {head + i + 1:,} @@"))
        told += [_line(f"-{line}") for line in inner[0][i:j]]
        told += [_line(f"+{line}") for line in inner[1][k:m]]
    both = (f"{count(removed, 'line')} removed" if removed else "", f"{count(added, 'line')} added" if added else "")
    more = [_line(f"and {len(told) - _LINES:,} more lines of the difference")] if len(told) > _LINES else []
    return (Line(", ".join(filter(None, both))), *told[:_LINES], *more)


def _line(text: str) -> Line:
    return Line(cut(text.expandtabs(4), _WIDE), more=True)


def _shared(old: Sequence[Any], new: Sequence[Any]) -> int:
    """The number of first items that are the same."""
    pairs = zip(old, new, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _texts(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = str.__str__(before), str.__str__(after)
    if old == new:
        return Facts()
    if "\n" in old or "\n" in new:
        return Facts(unified(old, new))
    if max(len(old), len(new)) <= WIDTH:
        return Facts((Line(arrow(clean(repr(old)), clean(repr(new)))),))
    place = _first(old, new)
    start = max(place - _AROUND, 0)
    pieces = (repr(text[start : place + 2 * _AROUND]) for text in (old, new))
    told = f"length {len(old):,} → {len(new):,}; " if len(old) != len(new) else ""
    return Facts((Line(f"{told}from character {place:,} on: {' → '.join(map(clean, pieces))}"),))


def _first(old: Any, new: Any) -> int:
    """The place of the first difference, by halving."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _bytes(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = []
    forms = [_form(each) for each in (before, after)]
    if forms[0] != forms[1]:
        told.append(Line(f"{forms[0]} → {forms[1]}"))
    old, new = (each.tobytes() if type(each) is memoryview else memoryview(each) for each in (before, after))
    if len(old) != len(new):
        told.append(Line(f"length {len(old):,} → {len(new):,}"))
    elif old == new:
        return Facts(tuple(told))
    if max(len(old), len(new)) <= WIDTH // 2:
        return Facts((*told, Line(arrow(short(bytes(old)), short(bytes(new))))))
    place = _first(old, new)
    if len(old) == len(new) <= _COUNTED:
        number = sum(map(int.__ne__, old, new))
        told.append(Line(f"{number:,} of {count(len(new), 'byte')} differ, the first at {place:,}"))
    else:
        told.append(Line(f"bytes differ from {place:,} on"))
    return Facts(tuple(told))


def _form(value: Any) -> str:
    return f"{value.format} of shape {value.shape}" if type(value) is memoryview else ""


def _bytes_title(value: Any) -> str:
    return f"{type_name(value)} of {count(memoryview(value).nbytes, 'byte')}"
