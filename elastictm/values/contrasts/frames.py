"""Frames, series and indexes of pandas: rows and columns that came and went, and the cells that differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from elastictm.values.contrasts.arrays import Arrays, Unequal, shown
from elastictm.values.contrasts.containers import key_text, tokens
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part
from elastictm.values.contrasts.instances import attributes, mapped
from elastictm.values.contrasts.words import arrow, changed, count, cut, listed
from elastictm.values.kinds import type_name

LIBRARY: Final = "pandas"

_ALIGNED: Final = 2_000_000
"""Rows that are matched by their labels; more of them by their places."""
_COLUMNS: Final = 8
"""Columns whose cells are shown."""
_EXAMPLES: Final = 2
_CONVERTED: Final = 1 << 16


def kinds(pandas: Any) -> Mapping[type, Kind]:
    """The kinds of frames and their parts."""
    frames = Frames(Arrays(sys.modules["numpy"]))
    return {
        pandas.DataFrame: Kind(frames.frames, _frame_title),
        pandas.Series: Kind(frames.series, _series_title),
        pandas.Index: Kind(frames.indexes, _series_title),
        pandas.api.extensions.ExtensionArray: Kind(frames.columns, _series_title),
        pandas.api.extensions.ExtensionDtype: Kind(_dtypes),
    }


def _frame_title(frame: Any) -> str:
    return f"{type_name(frame)} of {count(frame.shape[0], 'row')}, {count(frame.shape[1], 'column')}"


def _series_title(series: Any) -> str:
    return f"{type_name(series)} of {count(len(series), 'value')}, {series.dtype}"


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows belong together: places in both, None where all do as they stand; and lines that tell the rest."""

    old: Any
    new: Any
    told: tuple[str, ...]


class Frames:
    """How frames and their parts are compared."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def frames(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two frames."""
        rows = self._rows(before.index, after.index, look)
        old, new = (_by_label(each.columns) for each in (before, after))
        renamed = self._renamed(before, after, old, new, rows, look)
        told = [*rows.told, *(f"column renamed: {key_text(was[0])} → {key_text(now[0])}" for was, now in renamed)]
        for verb, here, there, place in (("added", new, old, 1), ("removed", old, new, 0)):
            known = {pair[place][1] for pair in renamed}
            names = [key_text(label) for token, (label, at) in here.items() if token not in there and at not in known]
            if names:
                told.append(f"{'column' if len(names) == 1 else 'columns'} {verb}: {listed(names, len(names))}")
        shared = [token for token in old if token in new]
        if shared != [token for token in new if token in old]:
            told.append("columns in another order")
        told.append(changed("names of the columns:", before.columns.names, after.columns.names))
        pairs = [(key_text(new[token][0]), old[token][1], new[token][1]) for token in shared]
        pairs += [(key_text(now[0]), was[1], now[1]) for was, now in renamed]
        found = [Line(text) for text in told if text]
        found += self._cells(before, after, pairs, rows, look)
        own, parts = _own(before, after, look)
        return Facts((*found, *own), parts)

    def series(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two series."""
        rows = self._rows(before.index, after.index, look)
        told = [*rows.told, _renaming(before.name, after.name), changed("dtype", before.dtype, after.dtype)]
        found = [Line(text) for text in told if text]
        unequal = self._unequal(_taken(self._values(before), rows.old), _taken(self._values(after), rows.new), look)
        if unequal is not None and unequal.number:
            found.append(Line(unequal.told("value")))
            labels = _taken(after.index, rows.new)
            found += [Line(arrow(shown(a), shown(b)), f"[{key_text(labels[at])}]") for at, a, b in unequal.first]
        own, parts = _own(before, after, look)
        return Facts((*found, *own), parts)

    def indexes(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two indexes."""
        rows = self._rows(before, after, look, "label")
        told = [*rows.told, changed("dtype", before.dtype, after.dtype)]
        return Facts(tuple(Line(text) for text in told if text))

    def columns(self, before: Any, after: Any, look: Look) -> Facts:
        """What differs between two arrays of pandas's own."""
        told = [changed("length", len(before), len(after)), changed("dtype", before.dtype, after.dtype)]
        found = [Line(text) for text in told if text]
        unequal = self._unequal(before, after, look) if len(before) == len(after) else None
        if unequal is not None and unequal.number:
            found.append(Line(unequal.told("value")))
            found += [Line(arrow(shown(a), shown(b)), f"[{at}]") for at, a, b in unequal.first]
        return Facts(tuple(found))

    def _rows(self, old: Any, new: Any, look: Look, what: str = "row") -> _Rows:
        told = [changed(f"{what}s", f"{len(old):,}", f"{len(new):,}")]
        if list(old.names) != list(new.names):
            told.append(f"index named {_names(old)} → {_names(new)}")
        if what == "row":
            told.append(changed("dtype of the index", old.dtype, new.dtype))
        if len(old) == len(new):
            ranges = type(old) is type(new) and type(old).__name__ == "RangeIndex"
            if old.equals(new) if ranges else self._alike(old, new, look):
                return _Rows(None, None, tuple(told))
        numpy = self._arrays.numpy
        if max(len(old), len(new)) > _ALIGNED or not (old.is_unique and new.is_unique) or old.nlevels != new.nlevels:
            most = min(len(old), len(new))
            told.append(f"{what}s were matched by their places, because their labels differ")
            return _Rows(slice(most), slice(most), tuple(told))
        places = old.get_indexer(new)
        kept = numpy.flatnonzero(places >= 0)
        if not kept.size and len(old) == len(new):
            told.append(f"all labels differ: {_labels(old)} → {_labels(new)}")
            return _Rows(None, None, tuple(told))
        gone = numpy.ones(len(old), bool)
        gone[places[kept]] = False
        for verb, index, chosen in (("added", new, places < 0), ("removed", old, gone)):
            number = int(chosen.sum())
            if number:
                told.append(f"{count(number, what)} {verb}: {_labels(index[chosen], number)}")
        if (numpy.diff(places[kept]) < 0).any():
            told.append(f"{what}s in another order")
        return _Rows(_run(places[kept], numpy), _run(kept, numpy), tuple(told))

    def _alike(self, old: Any, new: Any, look: Look) -> bool:
        """Whether two indexes of one length hold the same labels, as far as they were compared."""
        one, other = (index if index.nlevels > 1 else self._values(index) for index in (old, new))
        unequal = self._unequal(one, other, look)
        return unequal is not None and not unequal.number

    def _renamed(  # noqa: PLR0913, PLR0917 - both frames and their columns
        self, before: Any, after: Any, old: Mapping[Any, Any], new: Mapping[Any, Any], rows: _Rows, look: Look
    ) -> list[tuple[tuple[Any, int], tuple[Any, int]]]:
        """Columns under other names than before: those at one place that hold the same."""
        if before.shape[1] != after.shape[1]:
            return []
        gone = {at: label for token, (label, at) in old.items() if token not in new}
        here = {at: label for token, (label, at) in new.items() if token not in old}
        found = []
        for at in gone.keys() & here.keys():
            one, other = (each.iloc[:, at] for each in (before, after))
            if look.out() or one.dtype != other.dtype:
                continue
            unequal = self._unequal(_taken(self._values(one), rows.old), _taken(self._values(other), rows.new), look)
            if unequal is not None and not unequal.number and unequal.compared == unequal.total:
                found.append(((gone[at], at), (here[at], at)))
        return sorted(found, key=lambda pair: pair[0][1])

    def _cells(
        self, before: Any, after: Any, pairs: list[tuple[str, int, int]], rows: _Rows, look: Look
    ) -> Iterator[Line]:
        told: list[str] = []
        cells = columns = compared = 0
        for name, was, now in pairs:
            if look.out():
                look.leave(f"columns from {name} on")
                break
            one, other = before.iloc[:, was], after.iloc[:, now]
            dtypes = changed("dtype", one.dtype, other.dtype)
            unequal = self._unequal(_taken(self._values(one), rows.old), _taken(self._values(other), rows.new), look)
            compared += unequal.compared if unequal else 0
            number = unequal.number if unequal else 0
            cells, columns = cells + number, columns + bool(number)
            if not number and not dtypes:
                continue
            text = "" if unequal is None or not number else unequal.told("cell")
            labels = _taken(after.index, rows.new)
            examples = [
                f"at {key_text(labels[at])}: {arrow(shown(a), shown(b))}"
                for at, a, b in (unequal.first[:_EXAMPLES] if unequal else ())
            ]
            told.append(f"column {name}: " + "; ".join(filter(None, (dtypes, text, *examples))))
        if columns > 1:
            yield Line(
                f"{cells:,} of {count(compared, 'cell')} differ, in {columns:,} of {count(len(pairs), 'column')}"
            )
        yield from map(Line, told[:_COLUMNS])
        if len(told) > _COLUMNS:
            yield Line(f"and {count(len(told) - _COLUMNS, 'column')} more")

    def _values(self, series: Any) -> Any:
        """What a series or index holds, without a copy where it lies in memory as numpy has it."""
        return series.to_numpy() if isinstance(series.dtype, self._arrays.numpy.dtype) else series.array

    def _in_memory(self, old: Any, new: Any) -> bool:
        """Whether two dtypes are numpy's own, and can be compared as they are."""
        kind = self._arrays.numpy.dtype
        if not (isinstance(old, kind) and isinstance(new, kind)) or old.hasobject or new.hasobject:
            return False
        return bool(old == new) or (old.kind in "biufc" and new.kind in "biufc")

    def _unequal(self, old: Any, new: Any, look: Look) -> Unequal | None:
        """How two columns of one length differ; None where their types have nothing in common."""
        numpy = self._arrays.numpy
        if self._in_memory(old.dtype, new.dtype):
            return self._arrays.unequal(numpy.asarray(old), numpy.asarray(new), look)
        if old.dtype != new.dtype and old.dtype.kind + new.dtype.kind not in _MIXED:
            return None
        if old.dtype == new.dtype and not isinstance(old.dtype, numpy.dtype) and old.equals(new):
            return Unequal(0, len(old), len(old), None, ())
        first: list[tuple[int, Any, Any]] = []
        number = compared = 0
        most = None
        for start in range(0, len(old), _CONVERTED):
            if start and look.out():
                look.leave(f"{len(old) - start:,} of {count(len(old), 'value')} of a column")
                break
            blocks = [_block(each[start : start + _CONVERTED], numpy) for each in (old, new)]
            found = self._arrays.unequal(blocks[0], blocks[1], look)
            first += [(start + at, a, b) for at, a, b in found.first]
            number, compared = number + found.number, compared + found.compared
            most = found.most if most is None else most if found.most is None else max(most, found.most)
        return Unequal(number, compared, len(old), most, tuple(first[:3]))


_MIXED: Final = frozenset(a + b for a in "biufcO" for b in "biufcO") | {"MM", "mm", "UO", "OU"}


def _block(column: Any, numpy: Any) -> Any:
    """A few values as numpy has them: numbers as numbers where none is missing, all else as objects."""
    if isinstance(column.dtype, numpy.dtype):
        return numpy.asarray(column)
    made = numpy.asarray(column, dtype=object)
    if made.ndim == 1:
        return made
    made = numpy.empty(len(column), object)
    made[:] = list(column)
    return made


def _taken(column: Any, places: Any) -> Any:
    if places is None:
        return column
    return column[places] if type(places) is slice else column.take(places)


def _run(places: Any, numpy: Any) -> Any:
    """Places that follow each other as a slice, which copies nothing."""
    if places.size and (numpy.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _by_label(labels: Any) -> dict[Any, tuple[Any, int]]:
    """Labels and places by what stands for the label; a label that comes again has its rank beside it."""
    found: dict[Any, tuple[Any, int]] = {}
    ranks: dict[Any, int] = {}
    for at, (label, token) in enumerate(zip(labels, tokens(labels), strict=True)):
        ranks[token] = ranks.get(token, 0) + 1
        found[token, ranks[token]] = (label, at)
    return found


def _labels(index: Any, number: int = 1) -> str:
    return cut(listed((key_text(label) for label in index[:3]), number), 100) if number > 1 else key_text(index[0])


def _names(index: Any) -> str:
    return ", ".join(key_text(name) for name in index.names)


def _renaming(before: Any, after: Any) -> str:
    old, new = key_text(before), key_text(after)
    return "" if old == new else f"name {old} → {new}"


def _own(before: Any, after: Any, look: Look) -> tuple[tuple[Line, ...], tuple[Part, ...]]:
    """What users attach to frames."""
    old, new = (
        {name: inner for name, inner in attributes(each).items() if not name.startswith("_")}
        for each in (before, after)
    )
    facts = mapped(old, new, look, "attribute")
    return facts.lines, (Part(".attrs", before.attrs, after.attrs), *facts.parts)


def _dtypes(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    return Facts(() if before == after else (Line(arrow(cut(str(before)), cut(str(after)))),))
