"""Objects of the session that a library holds and perhaps no variable does: open figures, handlers of loggers.

Each is a value like a variable's, under a name that no variable can have, so that it is recorded, planned for, stored
and brought back like one, and shares objects with those that name them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from elastictm.ids import FIGURES, HANDLERS, Name, held_name


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


class LogHandlers:
    """The handlers that the session gave to loggers, by the logger's name."""

    library = HANDLERS

    def __init__(self) -> None:
        # By address, which stays theirs: they are kept here.
        self._first = {id(handler): handler for _, logger in _loggers() for handler in logger.handlers}
        self._last: dict[Name, list[logging.Handler]] = {}

    def look(self) -> Mapping[Name, Any]:
        """The handlers of each logger that were not there when recording began."""
        found: dict[Name, list[logging.Handler]] = {}
        for name, logger in _loggers():
            if logger.handlers and (now := [h for h in logger.handlers if self._is_of_session(h)]):
                held = held_name(HANDLERS, name)
                last = self._last.get(held, [])
                found[held] = last if _same(now, last) else now
        self._last = found
        return found

    def place(self, name: Name, value: Any) -> None:
        """Give a logger its handlers, behind those that were there."""
        logger = _logger(name)
        _set(logger, [*(h for h in logger.handlers if not self._is_of_session(h)), *value])

    def remove(self, name: Name) -> None:
        """Take the session's handlers from a logger."""
        self.place(name, ())

    def _is_of_session(self, handler: logging.Handler) -> bool:
        return id(handler) not in self._first and type(handler) is not logging.NullHandler


def _loggers() -> Iterator[tuple[str, logging.Logger]]:
    yield "root", logging.root
    for name, logger in tuple(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield name, logger


def _logger(name: Name) -> logging.Logger:
    own = name.removeprefix(held_name(HANDLERS, ""))
    return logging.root if own == "root" else logging.getLogger(own)


def _set(logger: logging.Logger, handlers: Iterable[logging.Handler]) -> None:
    wanted = list(handlers)
    for handler in [handler for handler in logger.handlers if handler not in wanted]:
        logger.removeHandler(handler)
    for handler in [handler for handler in wanted if handler not in logger.handlers]:
        logger.addHandler(handler)


def _same(one: list[logging.Handler], other: list[logging.Handler]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def holdings() -> tuple[Holding, ...]:
    """All that is followed, from now on."""
    return OpenFigures(), LogHandlers()
