"""Drawings of Pillow: their pens lie in memory of C, which a drawing of the same image has again."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "PIL.ImageDraw"

_OF_THE_IMAGE: Final = frozenset({"im", "draw", "_image", "palette"})


def reducers(drawing: ModuleType) -> dict[type, Any]:
    """The reducer of drawings."""
    found = getattr(drawing, "ImageDraw", None)
    return {} if found is None else {found: reduce_drawing}


def reduce_drawing(value: Any, _view: FreezingPass) -> Any:
    """A drawing as its image, its mode, and its settings."""
    image = getattr(value, "_image", None)
    if image is None or image.im is not value.im:
        raise TypeError("cannot store a drawing whose image has other memory by now: it draws on what nobody sees")
    settings = {name: item for name, item in vars(value).items() if name not in _OF_THE_IMAGE}
    return drawing_on, (image, value.mode), settings, None, None, set_settings


def drawing_on(image: Any, mode: str) -> Any:
    """A drawing on an image."""
    return importlib.import_module(LIBRARY).ImageDraw(image, mode)


def set_settings(made: Any, settings: dict[str, Any]) -> None:
    """Give a drawing its settings."""
    vars(made).update(settings)
