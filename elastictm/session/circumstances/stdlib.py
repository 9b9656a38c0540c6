"""Settings of the standard library: warnings filters, loggers, the decimal context, the locale."""

from __future__ import annotations

import importlib
import locale
import logging
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from elastictm.session.circumstances.circumstance import copied, shown

_Filter = tuple[str, str, str, str, int]
"""Action, pattern of the message, category as ``module:name``, pattern of the module, line."""


_MOST_SHOWN: Final = 3


class WarningFilters:
    """The filters that the session put in front of or behind those that were there, or has instead of them."""

    name = "warnings"
    module = ""

    def __init__(self) -> None:
        self._first = list(warnings.filters)
        # Those that the session has nothing to do with, as they stand now.
        self._others = self._first
        self._is_cleared = False
        self._last = list(warnings.filters)
        self._found: dict[str, Any] = {}
        self._modules = len(sys.modules)
        self._of_imports: set[_Filter] = set()

    def look(self) -> Mapping[str, Any]:
        """The filters that were not there, or not at that place, when recording began."""
        if warnings.filters != self._last:
            self._attribute()
            self._last = list(warnings.filters)
            self._found = self._told(self._last)
        return self._found

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Put filters where they were."""
        front, back = ([*_live(settings.get(key, ()))] for key in ("front", "back"))
        self._is_cleared = bool(settings.get("reset"))
        self._others = [] if self._is_cleared else [f for f in self._first if f not in front and f not in back]
        warnings.filters[:] = [*front, *self._others, *back]  # type: ignore[index]
        # Python remembers what the filters decided; a public call that changes nothing makes it forget.
        warnings.filterwarnings("default", "elastictm", _Forget)
        warnings.filters.remove(warnings.filters[0])  # type: ignore[attr-defined]
        self._last = list(warnings.filters)
        self._found = self._told(self._last)
        return ()

    def _told(self, now: Sequence[Any]) -> dict[str, Any]:
        front, back = _added(now, self._others)
        if self._is_cleared or any(entry not in now for entry in self._others):
            return {"front": [_plain(entry) for entry in now], "reset": True}
        parts = {"front": [_plain(entry) for entry in front], "back": [_plain(entry) for entry in back]}
        return {key: entries for key, entries in parts.items() if entries}

    def show(self, key: str, value: Any) -> str:
        """The actions and what they are for, without what libraries set up for themselves."""
        if key == "reset":
            return "cleared"
        own = [entry for entry in value if entry not in self._of_imports]
        found = [f"{action} {category.rpartition(':')[2]}" for action, _, category, _, _ in own]
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        return ", ".join(found[:_MOST_SHOWN]) + more

    def _attribute(self) -> None:
        """Note which filters came while libraries were imported, other than those for all that is."""
        if len(sys.modules) != self._modules:
            new = [_plain(entry) for entry in warnings.filters if entry not in self._last]
            self._of_imports |= {entry for entry in new if entry[1] or not entry[2].startswith("builtins:")}
        self._modules = len(sys.modules)


def _added(now: Sequence[Any], others: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """The filters in front of others that were there before, and behind them.

    To set a filter that is there already moves it to the front: only those count as others that are in their order.
    """
    if not others:
        return now, ()
    end = len(now)
    while end and now[end - 1] not in others:
        end -= 1
    start, left = end, list(others)
    while start and now[start - 1] in left:
        start -= 1
        while left.pop() != now[start]:
            pass
    return now[:start], now[end:]


class _Forget(Warning):
    """Never given."""


def _plain(entry: Any) -> _Filter:
    action, message, category, module, line = entry
    return (action, _pattern(message), f"{category.__module__}:{category.__qualname__}", _pattern(module), line)


def _pattern(pattern: Any) -> str:
    return "" if pattern is None else str(getattr(pattern, "pattern", pattern))


def _live(filters: Sequence[_Filter]) -> Iterator[Any]:
    for action, message, category, module, line in filters:
        place, _, name = category.partition(":")
        try:
            kind: Any = importlib.import_module(place)
            for part in name.split("."):
                kind = getattr(kind, part)
        except (ImportError, AttributeError):
            continue  # nobody can give such a warning here
        yield (
            action,
            re.compile(message, re.IGNORECASE) if message else None,
            kind,
            re.compile(module) if module else None,
            line,
        )


class Loggers:
    """The levels of loggers, and whether they are disabled or keep their messages to themselves."""

    name = "logging"
    module = ""

    def __init__(self) -> None:
        self._first = dict(_levels())

    def look(self) -> Mapping[str, Any]:
        """The loggers that are not as they were when recording began, nor as new ones are."""
        return {key: copied(value) for key, value in _levels() if value != self._first.get(key, _fresh(key))}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Give loggers their levels."""
        for key in self.look().keys() - settings.keys():
            _configure(key, self._first.get(key, _fresh(key)))
        for key, value in settings.items():
            _configure(key, value)
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The level, and what else is unusual."""
        level, disabled, propagates = value
        more = [*(["disabled"] if disabled else []), *([] if propagates else ["does not propagate"])]
        return ", ".join([logging.getLevelName(level), *more])


_ALL: Final = "*"
"""Stands for the level up to which messages of all loggers are dropped."""


def _levels() -> Iterator[tuple[str, list[Any]]]:
    manager = logging.root.manager
    yield _ALL, [manager.disable, False, True]
    yield "root", [logging.root.level, logging.root.disabled, True]
    for name, logger in tuple(manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield name, [logger.level, bool(logger.disabled), bool(logger.propagate)]


def _fresh(key: str) -> list[Any]:
    return [logging.WARNING if key == "root" else logging.NOTSET, False, True]


def _configure(key: str, value: Sequence[Any]) -> None:
    level, disabled, propagates = value
    if key == _ALL:
        logging.disable(level)
        return
    logger = logging.root if key == "root" else logging.getLogger(key)
    logger.setLevel(level)
    logger.disabled, logger.propagate = disabled, propagates


class DecimalContext:
    """The decimal context: precision, rounding, traps."""

    name = "decimal"
    module = "decimal"

    def look(self) -> Mapping[str, Any]:
        """What the context does not have from the default one."""
        decimal = sys.modules["decimal"]
        return {
            key: value
            for (key, value), (_, usual) in zip(
                _context(decimal.getcontext()), _context(decimal.DefaultContext), strict=True
            )
            if value != usual
        }

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Give the context its parts."""
        decimal = sys.modules["decimal"]
        context = decimal.getcontext()
        for key, usual in _context(decimal.DefaultContext):
            value = settings.get(key, usual)
            if key == "traps":
                for signal in context.traps:
                    context.traps[signal] = signal.__name__ in value
            else:
                setattr(context, key, value)
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)


def _context(context: Any) -> Iterator[tuple[str, Any]]:
    for key in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
        yield key, getattr(context, key)
    # Flags only tell what happened in computations.
    yield "traps", sorted(signal.__name__ for signal, on in context.traps.items() if on)


class Locale:
    """The locale that the session chose."""

    name = "locale"
    module = ""

    _CATEGORIES: Final = ("LC_CTYPE", "LC_COLLATE", "LC_TIME", "LC_MONETARY", "LC_NUMERIC", "LC_MESSAGES")

    def __init__(self) -> None:
        self._first = self._now()

    def look(self) -> Mapping[str, Any]:
        """The categories that are not as they were when recording began."""
        now = self._now()
        return {} if now == self._first else {key: value for key, value in now.items() if value != self._first[key]}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set each category; one that is not installed here is told."""
        notes: list[str] = []
        now = self._now()
        for key, usual in self._first.items():
            wanted = settings.get(key, usual)
            if wanted == now[key]:
                continue
            try:
                locale.setlocale(getattr(locale, key), wanted)
            except locale.Error:
                notes.append(f"{key} was {wanted}, which is not installed here")
        return notes

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The name of the locale."""
        return str(value)

    def _now(self) -> dict[str, str]:
        return {key: locale.setlocale(getattr(locale, key)) for key in self._CATEGORIES if hasattr(locale, key)}
