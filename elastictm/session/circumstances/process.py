"""What the session changed about the process: environment variables, the import path, the working directory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OF_SHELLS: Final = frozenset({"COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_"})
"""Variables that shells and terminals keep for themselves."""


class EnvironmentVariables:
    """The environment variables that the session set or removed, never the others: they hold secrets.

    ``of_imports`` are those that libraries set while they are imported.
    """

    name = "environment variables"
    module = ""

    def __init__(self, of_imports: Container[str]) -> None:
        self._first = dict(os.environ)
        self._of_imports = of_imports

    def look(self) -> Mapping[str, Any]:
        """What was set since recording began; None stands for what was removed."""
        now = dict(os.environ)
        if now == self._first:
            return {}
        found: dict[str, Any] = {key: value for key, value in now.items() if self._first.get(key) != value}
        found |= dict.fromkeys(self._first.keys() - now.keys())
        return {key: value for key, value in found.items() if key not in _OF_SHELLS and key not in self._of_imports}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set and remove variables; what the session set besides becomes what it was."""
        for key in self.look().keys() - settings.keys():
            _set(key, self._first.get(key))
        for key, value in settings.items():
            _set(key, value)
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """Whether it is set: the value may be a secret."""
        return "removed" if value is None else "set"


def _set(key: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(key, None)
    else:
        os.environ[key] = value


_INSTANTS: Final = (0.0, 1.0e9, 1.085e9, 1.77e9, 1.785e9)
"""Times of summer and winter, long ago and now."""


class TimeZone:
    """The time zone that the session chose by the variable ``TZ``: it counts once the C library has looked at it."""

    name = "time zone"
    module = ""

    def __init__(self) -> None:
        self._first = os.environ.get("TZ")
        self._offsets = _offsets()
        self._last = (self._first, self._offsets)
        self._found: dict[str, Any] = {}

    def look(self) -> Mapping[str, Any]:
        """The variable's value as it was when it began to count."""
        now = (os.environ.get("TZ"), _offsets())
        if now != self._last:
            zone, offsets = now
            if offsets != self._last[1] or (zone != self._last[0] and _offsets_in(zone) == offsets):
                self._found = {} if (zone, offsets) == (self._first, self._offsets) else {"TZ": zone}
            self._last = now
        return self._found

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Have local times be told in this zone, whatever the variable says otherwise."""
        zone, variable = settings.get("TZ", self._first), os.environ.get("TZ")
        if not hasattr(time, "tzset"):
            return [f"local times were those of {zone}, which cannot be set on this platform"]
        _set("TZ", zone)
        time.tzset()
        _set("TZ", variable)
        self._last, self._found = (variable, _offsets()), dict(settings)
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The name of the zone."""
        return str(value)


def _offsets() -> tuple[object, ...]:
    return (time.tzname, *(time.localtime(instant).tm_gmtoff for instant in _INSTANTS))


def _offsets_in(zone: str | None) -> tuple[object, ...] | None:
    """The same of a zone that need not count; None of one without a name."""
    try:
        told = ZoneInfo(zone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    moments = [datetime.fromtimestamp(instant, told) for instant in _INSTANTS]
    return (time.tzname, *(int((moment.utcoffset() or timedelta()).total_seconds()) for moment in moments))


IMPORT_PATH: Final = "sys.path"
"""What users know the process's import path by."""


def added_to_import_path(settings: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The folders that the session added to its import path, as its settings tell."""
    return tuple(entry for entries in settings.get(IMPORT_PATH, {}).values() for entry in entries)


def absent_entries(settings: Mapping[str, Any]) -> Sequence[str]:
    """A line for each entry that the session added to its import path and that leads to nothing here."""
    entries = [entry for added in settings.values() for entry in added]
    return [f"{entry} was added to {IMPORT_PATH}, and is not here" for entry in entries if not _exists(entry)]


class ImportPath:
    """What the session added to ``sys.path``, before and behind what was there."""

    name = IMPORT_PATH
    module = ""

    def __init__(self, ignored: str) -> None:
        self._first = list(sys.path)
        self._ignored = ignored

    def look(self) -> Mapping[str, Any]:
        """The entries in front of the first that was there, and those behind it."""
        if sys.path == self._first:
            return {}
        old = [place for place, entry in enumerate(sys.path) if entry in self._first]
        border = old[0] if old else len(sys.path)
        front = [entry for entry in sys.path[:border] if self._is_added(entry)]
        back = [entry for entry in sys.path[border:] if self._is_added(entry)]
        return {key: entries for key, entries in (("front", front), ("back", back)) if entries}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Add entries where they were, take other additions away."""
        front, back = settings.get("front", []), settings.get("back", [])
        kept = [entry for entry in sys.path if not self._is_added(entry)]
        sys.path[:] = [*front, *kept, *(entry for entry in back if entry not in kept)]
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The entries."""
        return ", ".join(map(str, value))

    def _is_added(self, entry: object) -> bool:
        return isinstance(entry, str) and entry not in self._first and not entry.startswith(self._ignored)


def _exists(entry: str) -> bool:
    return not entry or Path(entry).exists()


WORKING_DIRECTORY: Final = "working directory"
"""What users know the process's current folder by."""


class WorkingDirectory:
    """Where the session went with ``os.chdir`` or ``%cd``."""

    name = WORKING_DIRECTORY
    module = ""

    def __init__(self) -> None:
        self._first = _directory()

    def look(self) -> Mapping[str, Any]:
        """Where the process is, if it is no longer where recording began, and where that was."""
        now = _directory()
        return {} if now == self._first else {"directory": now, "before": self._first}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Go there if it is here."""
        directory = settings.get("directory", self._first)
        try:
            if directory != _directory():
                os.chdir(directory)
        except OSError:
            return [f"{directory} was the working directory, and is not here; it stays {_directory()}"]
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The folder."""
        return str(value)


def _directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - text is wanted
    except FileNotFoundError:
        return ""
