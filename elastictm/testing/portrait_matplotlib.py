"""What is to be seen of matplotlib's figures: their pixels, what they are made of, and what makes their labels.

A figure is drawn in order to be looked at, as a notebook does that shows it.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Sight, Walk, digest

LIBRARY: Final = "matplotlib.figure"
_GETTERS: Final = (
    "get_label",
    "get_visible",
    "get_zorder",
    "get_alpha",
    "get_gid",
    "get_color",
    "get_facecolor",
    "get_edgecolor",
    "get_linewidth",
    "get_linestyle",
    "get_marker",
    "get_markersize",
    "get_xydata",
    "get_offsets",
    "get_array",
    "get_text",
    "get_fontsize",
    "get_rotation",
    "get_xlim",
    "get_ylim",
    "get_xscale",
    "get_yscale",
    "get_xlabel",
    "get_ylabel",
    "get_title",
)
_DRAWN_TIMES: Final = 3
"""A layout settles with repeated drawing."""


def text(_value: Any, _library: ModuleType) -> str | None:
    """No text: nothing of matplotlib's is an atom."""
    return None


def looks(figures: ModuleType) -> dict[type, Look]:
    """The looks for figures and what is drawn in them."""
    import matplotlib as mpl  # noqa: PLC0415 - its figures are loaded, so it is

    return {
        figures.Figure: _figure,
        mpl.artist.Artist: _artist,
        mpl.axis.Axis: _axis,
        mpl.ticker.TickHelper: lambda value, _: Sight(
            "", [Inner("function", getattr(value, "func", None))], whole=True
        ),
        mpl.container.Container: lambda value, _: Sight(
            str(value.get_label()), [Inner("-", part) for part in tuple.__iter__(value)], whole=True
        ),
        mpl.transforms.TransformNode: lambda *_: Sight("", identity="none", whole=True),
        mpl.backend_bases.FigureCanvasBase: lambda value, _: Sight(
            "", [Inner("figure", value.figure)], "none", whole=True
        ),
        mpl.colors.Colormap: lambda value, _: Sight(
            value.name, [Inner("colours", value(range(0, 256, 15)))], whole=True
        ),
    }


def pixels(figure: Any) -> str:
    """A digest of a figure as it looks on screen; the reason where it cannot be drawn.

    A figure that a notebook has shown and closed has a canvas that draws nothing; it gets another one meanwhile.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - there are figures, so it is there

    canvas = figure.canvas
    try:
        drawn = canvas if hasattr(canvas, "buffer_rgba") else FigureCanvasAgg(figure)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(_DRAWN_TIMES):
                drawn.draw()
        return digest(bytes(drawn.buffer_rgba()))
    except Exception as error:  # noqa: BLE001 - drawing runs the user's own functions
        return f"{type(error).__name__}: {error}"
    finally:
        figure.set_canvas(canvas)


def _figure(value: Any, walk: Walk) -> Sight:
    drawn = walk.fact("pixels", value, lambda: pixels(value))
    inside = [Inner("child", child) for child in value.get_children()]
    return Sight(f"{value.get_size_inches().tolist()} {value.dpi} {len(value.axes)} axes {drawn}", inside, whole=True)


def _artist(value: Any, _walk: Walk) -> Sight:
    inside = [Inner("figure", value.get_figure())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _GETTERS:
            try:
                found = getattr(value, name, lambda: None)()
            except Exception as error:  # noqa: BLE001 - some need a figure, and this artist may have none
                found = type(error).__name__
            if found is not None:
                inside.append(Inner(name, _unshared(found)))
    inside += [Inner("child", child) for child in value.get_children()]
    return Sight("", inside, whole=True)


def _axis(value: Any, _walk: Walk) -> Sight:
    # The ticks of an axis are made when it is drawn.
    parts = [Inner("figure", value.get_figure()), Inner("label", value.get_label_text())]
    for ticks in (value.major, value.minor):
        parts += [Inner("formatter", ticks.formatter), Inner("locator", ticks.locator)]
    return Sight("", parts, whole=True)


def _unshared(value: Any) -> Any:
    """A copy of an array, because whether an artist's data are a copy is the library's business."""
    return value.copy() if hasattr(value, "__array_interface__") and value.ndim else value
