"""What differs between two values, in a few lines for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts import registry
from elastictm.values.contrasts.facts import Facts, Kind, Line, Part, lines
from elastictm.values.contrasts.instances import attribute_facts, instances, keeps_more
from elastictm.values.contrasts.words import arrow, cut, listed, plain, small
from elastictm.values.kinds import ATOMS, type_name

MOST_LINES: Final = 24
"""Lines about two values, apart from the one that says what was left out."""

WIDTH: Final = 160
"""Characters of a line."""

_SECONDS: Final = 0.8
_PARTS: Final = 5
"""Parts of one value whose differences are shown."""
_INNER: Final = 8
"""Lines about one part of several."""
_DEPTH: Final = 8
"""Levels of parts within parts that are shown."""
_QUICK_DEPTH: Final = 3
"""Levels of small containers within containers that are compared at first sight."""
_QUICK_ITEMS: Final = 16
"""Items of a small container."""
_NESTED: Final = 20
"""Questions within questions whether two values are the same."""
_REMEMBERED: Final = 100_000
_SIMPLE: Final = ATOMS - {slice}


def contrast(
    before: Any, after: Any, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
) -> tuple[str, ...]:
    """What differs between two values, most important first; nothing where they are the same in all that can be seen.

    No code of a user's class is called, and no library is imported.
    What could not be compared, or not in time, is said in the last lines.
    """
    looker = _Looker(clock, clock() + seconds)
    told = looker.described(before, after)
    shown = [cut(str(line), WIDTH) for line in told[:MOST_LINES]]
    if len(told) > MOST_LINES:
        shown.append(f"and {len(told) - MOST_LINES} more lines")
    return (*shown, *looker.notes())


class _Looker:
    """Two values and all inside them, looked at side by side.

    Responsibilities:
    - decide which kind a pair of values is of, and ask that kind;
    - say whether two values are the same, without recursion;
    - stop when the time is over, and remember what was left out.
    """

    def __init__(self, clock: Callable[[], float], deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self._kinds = registry.kinds()
        self._of_type: dict[type, Kind] = {}
        self._bare: dict[type, bool] = {}
        self._same: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._open: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._asking = 0
        self.brief = False
        self._shown: set[tuple[int, int]] = set()
        self._left: dict[str, None] = {}
        self._unknown: dict[str, None] = {}

    def out(self) -> bool:
        """Whether the time for comparing is over."""
        return self._clock() > self._deadline

    def leave(self, what: str) -> None:
        """Note that something was not compared for want of time."""
        self._left[what] = None

    def notes(self) -> Iterator[str]:
        """What was left out."""
        if self._unknown:
            yield cut(f"cannot be compared: {listed(self._unknown, len(self._unknown))}", WIDTH)
        if self._left:
            yield cut(f"not compared, to be quick: {listed(self._left, len(self._left))}", WIDTH)

    def described(self, before: Any, after: Any, depth: int = 0) -> list[Line]:
        """The differences between two values and, of those inside them, the first few."""
        self._shown.add((id(before), id(after)))
        facts = self._facts(before, after)
        told = list(facts.lines)
        shown: list[Part] = []
        differing = 0
        for part in facts.parts:
            if self.same(part.before, part.after) is False:
                differing += 1
                shown += [part] if len(shown) < _PARTS else []
        if differing > 1 and facts.total:
            told.append(Line(f"{differing:,} of {facts.total:,} {facts.what} differ"))
        for part in shown:
            if (id(part.before), id(part.after)) in self._shown and type(part.after) not in ATOMS:
                continue
            inner = [Line("differs inside")]
            if depth < _DEPTH and len(told) <= MOST_LINES:
                inner = self.described(part.before, part.after, depth + 1)
            if len(inner) > _INNER and len(shown) > 1:
                inner = [*inner[:_INNER], Line(f"and {len(inner) - _INNER} more lines")]
            told += [line.below(part.step) for line in inner]
        return told

    def same(self, before: Any, after: Any) -> bool | None:
        """Whether two values are the same in all that can be seen; None where that is not known."""
        if self._asking >= _NESTED:
            return None
        brief, self.brief = self.brief, True
        self._asking += 1
        seen: dict[tuple[int, int], tuple[Any, Any]] = {}
        try:
            found = self._compared(before, after, seen)
        finally:
            self.brief = brief
            self._asking -= 1
            for key in seen:
                del self._open[key]
        # What was asked on the way to another answer rests on that one.
        if found and not self._asking and len(self._same) < _REMEMBERED:
            self._same.update(seen)
        return found

    def _compared(self, before: Any, after: Any, seen: dict[tuple[int, int], tuple[Any, Any]]) -> bool | None:
        stack = [(before, after)]
        known = True
        while stack:
            old, new = stack.pop()
            if self.quick(old, new):
                continue
            key = (id(old), id(new))
            if key in self._open or key in self._same:
                # A pair that is being compared further up counts as the same, so cycles end.
                continue
            # They are kept alive, because an address is used again once its object is gone.
            seen[key] = self._open[key] = (old, new)
            if self.out():
                self.leave(f"values of type {type_name(new)}")
                return None
            facts = self._facts(old, new)
            if facts.lines:
                return False
            known = known and not facts.unknown
            for part in facts.parts:
                if type(part.before) in _SIMPLE and not self.quick(part.before, part.after):
                    return False
                stack.append((part.before, part.after))
        return True if known else None

    def quick(self, before: Any, after: Any) -> bool:
        """Whether two values are the same at first sight."""
        return self._quick(before, after, _QUICK_DEPTH)

    def _quick(self, before: Any, after: Any, depth: int) -> bool:  # noqa: PLR0911 - the quickest way out each
        kind = type(after)
        if before is after:
            return True
        if type(before) is not kind:
            return False
        if kind in _SIMPLE:
            return bool(before == after or (before != before and after != after))  # noqa: PLR0124 - not a number
        if kind is list or kind is tuple:
            if len(before) != len(after):
                return False
            kinds = list(map(type, after))
            if _SIMPLE.issuperset(kinds):
                return kinds == list(map(type, before)) and bool(before == after)
            if not depth or len(after) > _QUICK_ITEMS:
                return False
            return all(self._quick(old, new, depth - 1) for old, new in zip(before, after, strict=True))
        if kind is dict:
            return self._quick_dicts(before, after, depth)
        if self._bare.get(kind) or (kind not in self._bare and self._is_bare(kind)):
            old, new = (object.__getattribute__(each, "__dict__") for each in (before, after))
            return type(old) is dict and type(new) is dict and self._quick_dicts(old, new, depth)
        return False

    def _quick_dicts(self, before: dict[Any, Any], after: dict[Any, Any], depth: int) -> bool:
        if len(before) != len(after):
            return False
        deep = depth and len(after) <= _QUICK_ITEMS
        for (key, old), (other, new) in zip(before.items(), after.items(), strict=True):
            kind = type(new)
            if type(key) is not type(other) or type(key) not in _SIMPLE or key != other or type(old) is not kind:
                return False
            if old is new:
                continue
            if kind in _SIMPLE:
                if old != new and (old == old or new == new):  # noqa: PLR0124 - not a number
                    return False
            elif not deep or not self._quick(old, new, depth - 1):
                return False
        return True

    def _is_bare(self, kind: type) -> bool:
        """Whether the attributes of a class's objects, in a dict of their own, are all that there is."""
        slots = any(vars(base).get("__slots__") for base in kind.__mro__)
        bare = self._kind(kind).facts is instances and not slots and bool(kind.__dictoffset__) and not keeps_more(kind)
        self._bare[kind] = bare
        return bare

    def _kind(self, kind: type) -> Kind:
        found = self._of_type.get(kind)
        if found is None:
            found = next(self._kinds[base] for base in kind.__mro__ if base in self._kinds)
            self._of_type[kind] = found
        return found

    def _facts(self, before: Any, after: Any) -> Facts:
        try:
            return self._asked(before, after)
        except Exception as error:  # noqa: BLE001 - a user's or a library's object may raise anything when it is looked at
            return self._failed(after, error)

    def _failed(self, after: Any, error: Exception) -> Facts:
        found = Facts(unknown=f"{_safe_name(after)} ({type(error).__name__})")
        self._unknown[found.unknown] = None
        return found

    def _asked(self, before: Any, after: Any) -> Facts:
        if before is after:
            return Facts()
        kind = self._kind(type(after))
        told: tuple[Line, ...] = ()
        if type(before) is not type(after):
            names = (type_name(before), type_name(after))
            if self._kind(type(before)).facts is not kind.facts or (kind.facts is instances and names[0] != names[1]):
                return Facts(lines(arrow(self._title(before), self._title(after))))
            if names[0] != names[1] and type(before) not in ATOMS:
                told = (Line(f"{names[0]} → {names[1]}"),)
        facts = kind.facts(before, after, self)
        told, parts = (*told, *facts.lines), facts.parts
        if kind.attributes and type(after) not in self._kinds and type(before) not in self._kinds:
            own = attribute_facts(before, after, self)
            told, parts = (*told, *own.lines), chain(own.parts, parts)
        if facts.unknown:
            self._unknown[facts.unknown] = None
        return Facts(told, self._guarded(after, parts), facts.total, facts.what, facts.unknown)

    def _guarded(self, after: Any, parts: Any) -> Iterator[Part]:
        try:
            yield from parts
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(after, error)

    def _title(self, value: Any) -> str:
        title = self._kind(type(value)).title
        shown = plain(value)
        if shown is not None:
            return shown if value is None or value is ... else f"{type_name(value)} {shown}"
        inside = small(value)
        return f"{type_name(value)} {inside}" if inside else title(value) if title else type_name(value)


def _safe_name(value: Any) -> str:
    try:
        return clean(type_name(value))
    except Exception:  # noqa: BLE001 - a class of a user's metaclass may refuse even its name
        return "an object"
