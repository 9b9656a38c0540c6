"""Trees of Beautiful Soup, object by object: its own pickles parse the text anew, so that tags held elsewhere part."""

from __future__ import annotations

import copyreg
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "bs4"

_MADE_ANEW: Final = ("builder", "parser_class")


def reducers(bs4: ModuleType) -> dict[type, Any]:
    """The reducer for whole documents; their tags are plain objects."""
    found = getattr(bs4, "BeautifulSoup", None)
    return {} if found is None else {found: reduce_soup}


def reduce_soup(value: Any, _view: FreezingPass) -> Any:
    """A document by its attributes; what parses, which holds functions of its own, is made anew."""
    state = {name: item for name, item in vars(value).items() if name not in _MADE_ANEW}
    builder = getattr(value, "builder", None)
    state["builder"] = None if builder is None else type(builder)
    return copyreg.__newobj__, (type(value),), state, None, None, set_soup  # type: ignore[attr-defined]


def set_soup(made: Any, state: dict[str, Any]) -> None:
    """Give a document its attributes."""
    builder = state.pop("builder")
    vars(made).update(state, builder=None if builder is None else builder())
