"""Frames and series of polars: columns that came and went, and the cells that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Look, lines
from elastictm.values.contrasts.instances import attribute_facts
from elastictm.values.contrasts.words import arrow, changed, count, listed, short

LIBRARY: Final = "polars"

_COMPARED: Final = 20_000_000
"""Values of a column."""
_AS_OBJECTS: Final = 100_000
_COLUMNS: Final = 8
_EXAMPLES: Final = 2


def kinds(polars: Any) -> Mapping[type, Kind]:
    """The kinds of frames and series; what is to be computed yet is not computed."""
    return {
        polars.DataFrame: Kind(
            _frames, lambda f: f"polars.DataFrame of {count(f.height, 'row')}, {count(f.width, 'column')}"
        ),
        polars.Series: Kind(_series, lambda s: f"polars.Series of {count(len(s), 'value')}, {s.dtype}"),
        polars.LazyFrame: Kind(_lazy),
        polars.Expr: Kind(_lazy),
        polars.DataType: Kind(_lazy),
    }


def _frames(before: Any, after: Any, look: Look) -> Facts:
    old, new = before.columns, after.columns
    told = [changed("rows", f"{before.height:,}", f"{after.height:,}")]
    for verb, here, there in (("added", new, old), ("removed", old, new)):
        names = [repr(clean(name)) for name in here if name not in set(there)]
        if names:
            told.append(f"{'column' if len(names) == 1 else 'columns'} {verb}: {listed(names, len(names))}")
    shared = [name for name in old if name in set(new)]
    if shared != [name for name in new if name in set(old)]:
        told.append("columns in another order")
    columns = list(_columns(before, after, shared, look))
    more = [f"and {count(len(columns) - _COLUMNS, 'column')} more"] if len(columns) > _COLUMNS else []
    own = attribute_facts(before, after, look)
    parts = [part for part in own.parts if not part.step.startswith("._")]
    return Facts((*lines(*told, *columns[:_COLUMNS], *more), *own.lines), parts)


def _columns(before: Any, after: Any, names: list[str], look: Look) -> Iterator[str]:
    for name in names:
        if look.out():
            look.leave(f"columns from {name!r} on")
            return
        told = _differences(before.get_column(name), after.get_column(name), look, "cell")
        if told:
            yield f"column {clean(name)!r}: {'; '.join(told)}"


def _series(before: Any, after: Any, look: Look) -> Facts:
    told = [changed("name", repr(before.name), repr(after.name))]
    told.append(changed("length", f"{len(before):,}", f"{len(after):,}"))
    return Facts(lines(*told, *_differences(before, after, look, "value")))


def _differences(before: Any, after: Any, look: Look, what: str) -> list[str]:
    """What differs between two columns, as far as both reach."""
    told = [changed("dtype", before.dtype, after.dtype)] if before.dtype != after.dtype else []
    rows = min(len(before), len(after))
    most = min(rows, _COMPARED)
    if most < rows:
        look.leave(f"{rows - most:,} of {count(rows, what)} of a column")
    old, new = before.slice(0, most), after.slice(0, most)
    if before.dtype != after.dtype and not (before.dtype.is_numeric() and after.dtype.is_numeric()):
        return told
    if before.dtype.is_nested() or str(before.dtype) == "Object":
        places, number = _places_of_objects(old, new, look)
    else:
        unequal = old.ne_missing(new)
        number = int(unequal.sum())
        places = unequal.arg_true().head(_EXAMPLES).to_list() if number else []
    if number:
        amount = ""
        if before.dtype.is_numeric():
            distance = (new.cast(float) - old.cast(float)).abs().fill_nan(None).max()
            amount = f", by {distance:.4g} at most" if distance is not None else ""
        told.append(f"{number:,} of {count(most, what)} differ{amount}")
        told += [f"at {at}: {arrow(*(short(each.slice(at, 1).to_list()[0]) for each in (old, new)))}" for at in places]
    return told


def _places_of_objects(old: Any, new: Any, look: Look) -> tuple[list[int], int]:
    if len(old) > _AS_OBJECTS:
        look.leave(f"{len(old) - _AS_OBJECTS:,} of {count(len(old), 'value')} of a column")
    pairs = zip(old.head(_AS_OBJECTS).to_list(), new.head(_AS_OBJECTS).to_list(), strict=True)
    places = [at for at, (one, other) in enumerate(pairs) if look.same(one, other) is False]
    return places[:_EXAMPLES], len(places)


def _lazy(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = (each.explain(optimized=False) if hasattr(each, "explain") else str(each) for each in (before, after))
    return Facts(lines("" if old == new else arrow(short(old), short(new))))
