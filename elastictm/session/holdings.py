"""Objects of the session that a library holds and perhaps no variable does: open figures, handlers of loggers.

Each library's share is a value like a variable's, under a name that no variable can have, so that it is recorded,
planned for, stored and brought back like one, and shares objects with those that name them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from elastictm.ids import Name


class Holding(Protocol):
    """What one library holds."""

    @property
    def name(self) -> Name:
        """The name that stands for it."""
        ...

    def look(self) -> Mapping[Any, Any]:
        """What is held; the same object as long as that is the same."""
        ...

    def place(self, held: Mapping[Any, Any]) -> None:
        """Have the library hold this, and nothing else of the session's."""
        ...


FIGURES: Final = Name("open figures of pyplot")
HANDLERS: Final = Name("handlers of logging")
NAMES: Final = frozenset({FIGURES, HANDLERS})


class OpenFigures:
    """The figures that pyplot has open, by number, the current one last."""

    name = FIGURES

    def __init__(self) -> None:
        self._last: dict[int, Any] = {}

    def look(self) -> Mapping[Any, Any]:
        """The figures by number."""
        helpers = sys.modules.get("matplotlib._pylab_helpers")
        managers = helpers.Gcf.figs if helpers is not None else {}
        now = {number: manager.canvas.figure for number, manager in managers.items()}
        if list(now) != list(self._last) or any(now[number] is not self._last[number] for number in now):
            self._last = now
        return self._last

    def place(self, held: Mapping[Any, Any]) -> None:
        """Open these figures under their numbers, and let go of the others."""
        if not held and "matplotlib._pylab_helpers" not in sys.modules:
            return
        import matplotlib.pyplot as plt  # noqa: PLC0415 - figures are held, so it is there
        from matplotlib import _pylab_helpers  # noqa: PLC0415

        managers = {id(manager.canvas.figure): manager for manager in _pylab_helpers.Gcf.figs.values()}
        _pylab_helpers.Gcf.figs.clear()
        for number, figure in held.items():
            manager = managers.get(id(figure)) or getattr(figure.canvas, "manager", None)
            if manager is None:
                backend = plt._get_backend_mod()  # noqa: SLF001 - matplotlib opens figures that it loads this way
                manager = backend.new_figure_manager_given_figure(number, figure)
            manager.num = figure.number = number
            _pylab_helpers.Gcf.figs[number] = manager


class LogHandlers:
    """The handlers that the session gave to loggers, by the logger's name."""

    name = HANDLERS

    def __init__(self) -> None:
        # By address, which stays theirs: they are kept here.
        self._first = {id(handler): handler for _, logger in _loggers() for handler in logger.handlers}
        self._last: dict[str, list[logging.Handler]] = {}

    def look(self) -> Mapping[Any, Any]:
        """The handlers that were not there when recording began."""
        now = {name: found for name, logger in _loggers() if (found := list(self._of_session(logger)))}
        if now.keys() != self._last.keys() or any(not _same(now[name], self._last[name]) for name in now):
            self._last = now
        return self._last

    def place(self, held: Mapping[Any, Any]) -> None:
        """Give loggers their handlers, behind those that were there, and take the session's others away."""
        for name, logger in _loggers():
            if name not in held:
                _set(logger, [h for h in logger.handlers if not self._is_of_session(h)])
        for name, handlers in held.items():
            logger = logging.root if name == "root" else logging.getLogger(name)
            _set(logger, [*(h for h in logger.handlers if not self._is_of_session(h)), *handlers])

    def _of_session(self, logger: logging.Logger) -> Iterator[logging.Handler]:
        return (handler for handler in logger.handlers if self._is_of_session(handler))

    def _is_of_session(self, handler: logging.Handler) -> bool:
        return id(handler) not in self._first and type(handler) is not logging.NullHandler


def _loggers() -> Iterator[tuple[str, logging.Logger]]:
    yield "root", logging.root
    for name, logger in tuple(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield name, logger


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
