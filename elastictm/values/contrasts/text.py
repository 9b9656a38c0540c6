"""Texts and bytes: the lines that differ, or the place where the first difference is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from elastictm.model.texts import clean, first_difference, unified
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look
from elastictm.values.contrasts.words import WIDTH, arrow, count, short
from elastictm.values.kinds import type_name

_AROUND: Final = 12
_LINED: Final = 100_000
"""Characters among which a text of several lines has the end of a line."""
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


def diff(before: str, after: str) -> tuple[Line, ...]:
    """What differs between two texts of several lines, in the form that diff made known."""
    head, *below = unified(before, after) or ("",)
    return (Line(head), *(Line(text, more=True) for text in below)) if head else ()


def _texts(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = str.__str__(before), str.__str__(after)
    if old == new:
        return Facts()
    if "\n" in old[:_LINED] or "\n" in new[:_LINED]:
        return Facts(diff(old, new))
    if max(len(old), len(new)) <= WIDTH:
        return Facts((Line(arrow(clean(repr(old)), clean(repr(new)))),))
    place = first_difference(old, new)
    start = max(place - _AROUND, 0)
    pieces = (repr(text[start : place + 2 * _AROUND]) for text in (old, new))
    told = f"length {len(old):,} → {len(new):,}; " if len(old) != len(new) else ""
    return Facts((Line(f"{told}from character {place:,} on: {' → '.join(map(clean, pieces))}"),))


def _bytes(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = []
    forms = [_form(each) for each in (before, after)]
    if forms[0] != forms[1]:
        told.append(Line(f"{forms[0]} → {forms[1]}"))
    old, new = (_exact(each) for each in (before, after))
    if old == new:
        return Facts(tuple(told))
    if len(old) != len(new):
        told.append(Line(f"length {len(old):,} → {len(new):,}"))
    if max(len(old), len(new)) <= WIDTH // 2:
        return Facts((*told, Line(arrow(short(old), short(new)))))
    place = first_difference(old, new)
    if len(old) == len(new) <= _COUNTED:
        number = sum(map(int.__ne__, old, new))
        told.append(Line(f"{number:,} of {count(len(new), 'byte')} differ, the first at {place:,}"))
    else:
        told.append(Line(f"bytes differ from {place:,} on"))
    return Facts(tuple(told))


def _exact(value: Any) -> bytes:
    """What bytes of any kind hold; nothing is copied of bytes themselves."""
    if type(value) is memoryview:
        return value.tobytes()
    return value if type(value) is bytes else bytes(memoryview(value))


def _form(value: Any) -> str:
    return f"{value.format} of shape {value.shape}" if type(value) is memoryview else ""


def _bytes_title(value: Any) -> str:
    return f"{type_name(value)} of {count(memoryview(value).nbytes, 'byte')}"
