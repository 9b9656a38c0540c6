"""Arrays of numpy: shape, dtype, how many elements differ, by how much, and the first of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import xxhash

from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part, lines
from elastictm.values.contrasts.words import arrow, changed, count, cut, plain, short
from elastictm.values.kinds import type_name

LIBRARY: Final = "numpy"

_BLOCK: Final = 1 << 18
"""Elements that are compared at a time."""
_OBJECTS: Final = 1 << 12
_SHOWN: Final = 3
_NUMBERS: Final = "biufc"
_DISTINCT: Final = frozenset({str, bytes, float, type(None)})
"""Types none of whose values equals one of another type."""


def kinds(numpy: Any) -> Mapping[type, Kind]:
    """The kinds of arrays and of their scalars."""
    arrays = Arrays(numpy)
    return {
        numpy.ndarray: Kind(arrays.facts, title, attributes=True),
        numpy.ma.MaskedArray: Kind(arrays.masked, title),
        numpy.recarray: Kind(arrays.facts, title),
        numpy.matrix: Kind(arrays.facts, title),
        numpy.memmap: Kind(arrays.facts, title),
        numpy.generic: Kind(arrays.scalars),
        numpy.dtype: Kind(_dtypes),
        numpy.random.Generator: Kind(_generators),
        numpy.random.RandomState: Kind(_generators),
    }


def title(array: Any) -> str:
    """An array in a few words."""
    return f"{type_name(array)} of shape {array.shape}, {array.dtype}"


@dataclass(frozen=True, slots=True)
class Unequal:
    """How two arrays of one shape differ, as far as they were compared."""

    number: int
    compared: int
    total: int
    most: Any
    first: tuple[tuple[int, Any, Any], ...]

    def told(self, what: str) -> str:
        """The numbers in one line."""
        known = f"{self.number:,} of {count(self.total, what)} differ{'s' if self.total == 1 else ''}"
        if self.compared < self.total:
            known = f"{self.number:,} of the {self.compared:,} compared {what}s differ, of {self.total:,}"
        return known + (f", by {_amount(self.most)} at most" if self.most is not None else "")


class Arrays:
    """How arrays are compared."""

    def __init__(self, numpy: Any) -> None:
        self.numpy = numpy

    def facts(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two arrays."""
        numpy = self.numpy
        # A subclass may have operators and an indexing of its own.
        old, new = (numpy.ndarray.view(each, numpy.ndarray) for each in (before, after))
        told = [Line(text) for text in (changed("shape", old.shape, new.shape), _dtype_change(old, new)) if text]
        if old.flags.writeable != new.flags.writeable:
            told.append(Line("may be written to now" if new.flags.writeable else "is read-only now"))
        if old.shape != new.shape:
            if look.brief or old.ndim != new.ndim or old.shape[1:] != new.shape[1:] or not old.ndim:
                return Facts(tuple(told))
            rows = min(len(old), len(new))
            more, parts = self._compared(old[:rows], new[:rows], look, f"the first {count(rows, 'row')}")
            return Facts((*told, *more), parts)
        more, parts = self._compared(old, new, look, "")
        told += more
        if old.ndim > 1 and old.flags.c_contiguous != new.flags.c_contiguous:
            told.append(Line("lies otherwise in memory"))
        return Facts(tuple(told), parts)

    def masked(self, before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG002 - as all kinds are called
        """What differs between two masked arrays."""
        numpy = self.numpy
        masks = (numpy.ma.getmaskarray(each) for each in (before, after))
        return Facts(
            (),
            (
                Part("", *(numpy.ndarray.view(each, numpy.ndarray) for each in (before, after))),
                Part(".mask", *masks),
                Part(".fill_value", before.fill_value, after.fill_value),
            ),
        )

    def scalars(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two scalars."""
        told = lines(changed("dtype", before.dtype, after.dtype) if type(before) is type(after) else "")
        if self.unequal(before.reshape(1), after.reshape(1), look).number:
            told += lines(arrow(cut(str(before)), cut(str(after))))
        return Facts(told)

    def unequal(self, old: Any, new: Any, look: Look) -> Unequal:
        """Compare two arrays of one shape, block by block, until the time is over."""
        numpy = self.numpy
        first: list[tuple[int, Any, Any]] = []
        number = compared = 0
        most: Any = None
        plainly = (
            old.dtype.kind in _NUMBERS and new.dtype.kind in _NUMBERS and "b" not in old.dtype.kind + new.dtype.kind
        )
        for start, one, other in self._blocks(old, new):
            if compared and look.out():
                break
            compared += one.size
            if self._alike(one, other):
                continue
            places = numpy.flatnonzero(self._differing(one, other, look))
            if not places.size:
                continue
            number += places.size
            if look.brief:
                return Unequal(int(places.size), old.size, old.size, None, ())
            first += [(start + int(at), one[at], other[at]) for at in places[: _SHOWN - len(first)]]
            if plainly:
                most = self._further(most, one[places], other[places])
        return Unequal(number, compared, old.size, most, tuple(first))

    def _alike(self, old: Any, new: Any) -> bool:
        """Whether the bytes are the same; hashing both takes less time than comparing numbers."""
        if old.dtype != new.dtype or old.dtype.hasobject or not (old.flags.c_contiguous and new.flags.c_contiguous):
            return False
        one, other = (xxhash.xxh3_128_digest(each.view(self.numpy.uint8)) for each in (old, new))
        return one == other

    def _blocks(self, old: Any, new: Any) -> Iterator[tuple[int, Any, Any]]:
        size = _OBJECTS if old.dtype.hasobject or new.dtype.hasobject else _BLOCK
        if old.flags.c_contiguous and new.flags.c_contiguous:
            one, other = old.reshape(-1), new.reshape(-1)
            for start in range(0, old.size, size):
                yield start, one[start : start + size], other[start : start + size]
            return
        # Rows are copied a few at a time, for a view of another order cannot be flattened without a copy.
        width = max(old.size // len(old), 1) if old.ndim and len(old) else 1
        rows = max(size // width, 1)
        for row in range(0, len(old) if old.ndim else 0, rows):
            yield row * width, old[row : row + rows].reshape(-1), new[row : row + rows].reshape(-1)

    def _differing(self, old: Any, new: Any, look: Look) -> Any:
        numpy = self.numpy
        if old.dtype.hasobject or new.dtype.hasobject:
            if old.dtype.names or new.dtype.names:
                pairs = zip(old.tolist(), new.tolist(), strict=True)
            else:
                kinds = {*map(type, old), *map(type, new)}
                if kinds <= _DISTINCT:
                    unequal = (old != new).astype(bool)
                    if float not in kinds:
                        return unequal
                    places = numpy.flatnonzero(unequal)
                    unequal[places] = [not look.quick(old[at], new[at]) for at in places]
                    return unequal
                pairs = zip(old, new, strict=True)
            return numpy.fromiter((look.same(a, b) is False for a, b in pairs), bool, old.size)
        if old.dtype.names or new.dtype.names or "V" in old.dtype.kind + new.dtype.kind:
            return self._differing_records(old, new, look)
        with numpy.errstate(all="ignore"):
            unequal = old != new
            if old.dtype.kind in "fcmM" and new.dtype.kind in "fcmM" and unequal.any():
                # What is not a number, or no time, counts as equal to another one.
                unequal &= (old == old) | (new == new)  # noqa: PLR0124 - see above
        return unequal

    def _differing_records(self, old: Any, new: Any, look: Look) -> Any:
        numpy = self.numpy
        if old.dtype == new.dtype and old.dtype.names:
            return numpy.logical_or.reduce(
                [
                    self._differing(old[name].reshape(old.size, -1).reshape(-1), new[name].reshape(-1), look)
                    .reshape(old.size, -1)
                    .any(axis=1)
                    for name in old.dtype.names
                    if old[name].size
                ]
            )
        if old.dtype != new.dtype:
            return numpy.ones(old.size, bool)
        width = old.dtype.itemsize
        raw = (numpy.ascontiguousarray(each).view(numpy.uint8).reshape(-1, width) for each in (old, new))
        one, other = raw
        return (one != other).any(axis=1)

    def _further(self, most: Any, old: Any, new: Any) -> Any:
        numpy = self.numpy
        with numpy.errstate(all="ignore"):
            wide = complex if "c" in old.dtype.kind + new.dtype.kind else float
            distance = numpy.abs(new.astype(wide) - old.astype(wide))
            distance = distance[numpy.isfinite(distance)]
        if not distance.size:
            return most
        found = float(distance.max())
        return found if most is None else max(most, found)

    def _compared(self, old: Any, new: Any, look: Look, where: str) -> tuple[list[Line], list[Part]]:
        """Lines about elements that differ, and those of them that have an inside of their own."""
        if not old.size or not self._comparable(old.dtype, new.dtype):
            return [], []
        found = self.unequal(old, new, look)
        if found.compared < found.total:
            look.leave(f"{found.total - found.compared:,} of {count(found.total, 'element')} of an array")
        prefix = f"in {where}, " if where else ""
        told = [Line(prefix + found.told("element"))] if found.number else []
        if where and not found.number:
            told.append(Line(f"{where} are as they were"))
        parts = []
        for at, one, other in found.first:
            place = ", ".join(str(int(i)) for i in self.numpy.unravel_index(at, old.shape))
            step = f"[{place}]" if old.ndim else ""
            if old.dtype.hasobject or new.dtype.hasobject:
                parts.append(Part(step, one, other))
            else:
                told.append(Line(arrow(shown(one), shown(other)), step))
        return told, parts

    @staticmethod
    def _comparable(old: Any, new: Any) -> bool:
        return bool(old == new or (old.kind in _NUMBERS and new.kind in _NUMBERS) or "O" in old.kind + new.kind)


def shown(element: Any) -> str:
    """An element of an array in a few words."""
    if type(element).__module__ == LIBRARY:
        return cut(str(element))
    return plain(element) or short(element)


def _dtype_change(old: Any, new: Any) -> str:
    return changed("dtype", old.dtype, new.dtype)


def _dtypes(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    return Facts(() if before == after else (Line(arrow(str(before), str(after))),))


def _generators(before: Any, after: Any, look: Look) -> Facts:
    states = [(getattr(each, "bit_generator", None) or each._bit_generator).state for each in (before, after)]  # noqa: SLF001 - older ones have no other name
    if look.same(*states):
        return Facts()
    if states[0].get("bit_generator") != states[1].get("bit_generator"):
        return Facts((Line(f"{states[0].get('bit_generator')} → {states[1].get('bit_generator')}"),))
    return Facts((Line("has drawn numbers, or was seeded anew"),))


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) and number < 1e15 else f"{number:.4g}"  # noqa: PLR2004 - exact as an integer
