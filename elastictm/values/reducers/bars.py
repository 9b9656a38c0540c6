"""Progress bars, widgets and plots of bokeh, which belong to the output of the process that shows them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"


def reducers(_: ModuleType) -> dict[type, Any]:
    """Nothing: any class of a bar or widget may be one of many that come from it."""
    return {}


def kindred(kind: type, _: ModuleType) -> Any:
    """The refusal of a type that comes from a bar's or a widget's."""
    for library, name, refuse in _REFUSED:
        found = getattr(sys.modules.get(library), name, None)
        if isinstance(found, type) and issubclass(kind, found):
            return refuse
    return None


def refuse_bar(_value: Any, _view: FreezingPass) -> Any:
    """A bar writes into the output of its cell."""
    raise TypeError("cannot store a progress bar: it belongs to the output of its cell")


def refuse_widget(_value: Any, _view: FreezingPass) -> Any:
    """A widget has a counterpart in the browser."""
    raise TypeError("cannot store a widget: the page that shows it holds a part of it")


def refuse_plot(_value: Any, _view: FreezingPass) -> Any:
    """A model of bokeh holds lists that know it, which do not load."""
    raise TypeError("cannot store a model of bokeh: its lists are tied to this process's document")


_REFUSED: Final = (
    ("tqdm.std", "tqdm", refuse_bar),
    ("ipywidgets", "Widget", refuse_widget),
    ("bokeh.model", "Model", refuse_plot),
)
