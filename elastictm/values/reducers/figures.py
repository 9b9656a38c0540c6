"""Matplotlib's figures: their canvas, which pickle leaves behind."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "matplotlib.figure"
_AGG: Final = "matplotlib.backends.backend_agg"


def reducers(module: ModuleType) -> dict[type, Any]:
    """The reducer for figures."""
    return {module.Figure: reduce_figure}


def reduce_figure(value: Any, _view: FreezingPass) -> Any:
    """A figure that is drawn in memory, as in a notebook, with such a canvas; another one as its class says."""
    agg = sys.modules.get(_AGG)
    if agg is None or type(value.canvas) is not agg.FigureCanvasAgg:
        return NotImplemented
    maker, arguments, state, *_ = value.__reduce_ex__(5)
    return maker, arguments, state, None, None, set_with_canvas


def set_with_canvas(figure: Any, state: dict[str, Any]) -> None:
    """Give a figure its state, and a canvas in memory unless pyplot has given it one."""
    from matplotlib.backend_bases import FigureCanvasBase  # noqa: PLC0415 - there is a figure, so it is loaded
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - likewise

    figure.__setstate__(state)
    if type(figure.canvas) is FigureCanvasBase:
        FigureCanvasAgg(figure)
