"""Figures of matplotlib: what is drawn otherwise, as far as titles, labels and data tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Look, Part, lines
from elastictm.values.contrasts.words import changed, count, cut

LIBRARY: Final = "matplotlib.figure"

_KINDS: Final = ("lines", "patches", "collections", "images", "texts")
_UNKNOWN: Final = "the rest of what is drawn"


def kinds(figure: Any) -> Mapping[type, Kind]:
    """The kinds of what is drawn."""
    axes, artist = sys.modules["matplotlib.axes"].Axes, sys.modules["matplotlib.artist"].Artist
    return {
        figure.Figure: Kind(_figures, lambda f: f"figure with {count(len(f.axes), 'axes', 'axes')}"),
        axes: Kind(_axes),
        artist: Kind(_artists),
    }


def _figures(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = [
        changed("number of axes", len(before.axes), len(after.axes)),
        changed("size in inches", *(tuple(float(side) for side in each.get_size_inches()) for each in (before, after))),
        changed("dpi", before.dpi, after.dpi),
        _texts("title", before._suptitle, after._suptitle),  # noqa: SLF001 - older versions have no other way
    ]
    pairs = enumerate(zip(before.axes, after.axes, strict=False))
    return Facts(lines(*told), [Part(f".axes[{at}]", one, other) for at, (one, other) in pairs], unknown=_UNKNOWN)


def _texts(what: str, before: Any, after: Any) -> str:
    return changed(what, *(repr(clean(each.get_text())) if each is not None else "none" for each in (before, after)))


def _axes(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = [
        changed(word, *(repr(cut(getattr(each, name)())) for each in (before, after)))
        for word, name in (("title", "get_title"), ("label of x", "get_xlabel"), ("label of y", "get_ylabel"))
    ]
    told += [changed(f"number of {kind}", *(len(getattr(each, kind)) for each in (before, after))) for kind in _KINDS]
    told += [
        changed(word, *(getattr(each, name)() for each in (before, after)))
        for word, name in (("scale of x", "get_xscale"), ("scale of y", "get_yscale"))
    ]
    told += [
        changed(word, *(_limits(getattr(each, name)()) for each in (before, after)))
        for word, name in (("limits of x", "get_xlim"), ("limits of y", "get_ylim"))
    ]
    return Facts(lines(*told), _drawn(before, after), unknown=_UNKNOWN)


def _limits(pair: Any) -> str:
    return f"{pair[0]:.4g} to {pair[1]:.4g}"


def _drawn(before: Any, after: Any) -> Iterator[Part]:
    for kind in _KINDS:
        for at, pair in enumerate(zip(getattr(before, kind), getattr(after, kind), strict=False)):
            yield Part(f".{kind}[{at}]", *pair)


def _artists(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = [
        changed(word, *(cut(str(getattr(each, name)())) for each in (before, after)))
        for word, name in (("label", "get_label"), ("text", "get_text"), ("color", "get_color"))
        if all(hasattr(each, name) for each in (before, after))
    ]
    parts = [
        Part(f".{word}", *(getattr(each, name)() for each in (before, after)))
        for word, name in (("data", "get_xydata"), ("offsets", "get_offsets"), ("values", "get_array"))
        if all(hasattr(each, name) for each in (before, after))
    ]
    return Facts(lines(*told), parts, unknown=_UNKNOWN)
