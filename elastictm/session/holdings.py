"""Objects of the session that a library holds and perhaps no variable does: figures, handlers and filters of loggers.

Each is a value like a variable's, under a name that no variable can have, so that it is recorded, planned for, stored
and brought back like one, and shares objects with those that name them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from elastictm.ids import FIGURES, FILTERS, HANDLERS, Name, held_name


class Holding(Protocol):
    """What one library holds."""

    @property
    def library(self) -> str:
        """What the names of its objects begin with."""
        ...

    def look(self) -> Mapping[Name, Any]:
        """What is held, by name; the same objects as long as they are the same."""
        ...

    def place(self, name: Name, value: Any) -> None:
        """Have the library hold this under a name."""
        ...

    def remove(self, name: Name) -> None:
        """Have the library let go of what it holds under a name."""
        ...


FIGURE_ORDER = held_name(FIGURES, "order of figures")


class OpenFigures:
    """The figures that pyplot has open, and their numbers in order, the current one last."""

    library = FIGURES

    def __init__(self) -> None:
        self._order: tuple[int, ...] = ()

    def look(self) -> Mapping[Name, Any]:
        """Each figure by its number, and the order."""
        helpers = sys.modules.get("matplotlib._pylab_helpers")
        managers = helpers.Gcf.figs if helpers is not None else {}
        if tuple(managers) != self._order:
            self._order = tuple(managers)
        if not managers:
            return {}
        figures = {
            held_name(FIGURES, f"figure {number}"): manager.canvas.figure for number, manager in managers.items()
        }
        return {**figures, FIGURE_ORDER: self._order}

    def place(self, name: Name, value: Any) -> None:
        """Open a figure under its number as the current one, or put those that are open in order."""
        import matplotlib.pyplot as plt  # noqa: PLC0415 - figures are held, so it is there
        from matplotlib._pylab_helpers import Gcf  # noqa: PLC0415 - public functions give numbers of their own

        if name == FIGURE_ORDER:
            for number in value:
                if number in Gcf.figs:
                    Gcf.figs.move_to_end(number)
            return
        number = _number(name)
        for other in [n for n, manager in Gcf.figs.items() if n == number or manager.canvas.figure is value]:
            del Gcf.figs[other]
        manager = getattr(value.canvas, "manager", None)
        if manager is None:
            # matplotlib opens figures that it loads in this way too.
            manager = plt._get_backend_mod().new_figure_manager_given_figure(number, value)  # noqa: SLF001
        manager.num = number
        Gcf._set_new_active_manager(manager)  # noqa: SLF001 - it tells the figure its number, as each version does

    def remove(self, name: Name) -> None:
        """Have a figure be no longer open; it stays what it is for those who hold it."""
        helpers = sys.modules.get("matplotlib._pylab_helpers")
        if helpers is not None and name != FIGURE_ORDER:
            helpers.Gcf.figs.pop(_number(name), None)


def _number(name: Name) -> int:
    return int(name.rpartition(" ")[2])


class LogParts:
    """What the session gave to loggers, handlers or filters, by the logger's name."""

    def __init__(self, library: str, attribute: str) -> None:
        self._library = library
        self._attribute = attribute
        # By address, which stays theirs: they are kept here.
        self._first = {id(part): part for _, logger in _loggers() for part in self._of(logger)}
        self._last: dict[Name, list[Any]] = {}

    @property
    def library(self) -> str:
        """What the names of its objects begin with."""
        return self._library

    def look(self) -> Mapping[Name, Any]:
        """The parts of each logger that were not there when recording began."""
        found: dict[Name, list[Any]] = {}
        for name, logger in _loggers():
            if (parts := self._of(logger)) and (now := [part for part in parts if self._is_of_session(part)]):
                held = held_name(self._library, name)
                last = self._last.get(held, [])
                found[held] = last if _same(now, last) else now
        self._last = found
        return found

    def place(self, name: Name, value: Any) -> None:
        """Give a logger its parts, behind those that were there."""
        own = name.removeprefix(held_name(self._library, ""))
        logger = logging.root if own == "root" else logging.getLogger(own)
        parts = self._of(logger)
        parts[:] = [*(part for part in parts if not self._is_of_session(part)), *value]

    def remove(self, name: Name) -> None:
        """Take the session's parts from a logger."""
        self.place(name, ())

    def _of(self, logger: logging.Logger) -> list[Any]:
        parts: list[Any] = getattr(logger, self._attribute)
        return parts

    def _is_of_session(self, part: object) -> bool:
        return id(part) not in self._first and type(part) is not logging.NullHandler


def _loggers() -> Iterator[tuple[str, logging.Logger]]:
    yield "root", logging.root
    for name, logger in tuple(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield name, logger


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def holdings() -> tuple[Holding, ...]:
    """All that is followed, from now on."""
    return OpenFigures(), LogParts(HANDLERS, "handlers"), LogParts(FILTERS, "filters")
