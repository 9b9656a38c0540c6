"""What a cell puts out, event by event as it comes, so that it can be watched meanwhile and played back later."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import dumps, loads  # as they are now, whatever a cell puts in their place
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

OUTPUT: Final = "output.jsonl"
"""The file of a run's events, in its folder: a JSON object a line."""

Kind: TypeAlias = Literal["stream", "display", "update", "result", "error", "clear"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was put out.

    Of a ``stream``, ``name`` is stdout or stderr and ``text`` what was written; of an ``error``, ``name`` is that of
    the exception, ``text`` its message, and ``lines`` are those of the traceback.  Of what was displayed, ``data`` has
    the forms by media type, and ``display`` names it for those that come in its place; ``wait`` is how to clear.
    """

    kind: Kind
    name: str = ""
    text: str = ""
    lines: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    display: str = ""
    wait: bool = False


class OutputLog:
    """Writes events into a file; any thread may."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / OUTPUT).open("ab", buffering=0)
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Have an event in the file at once."""
        told = {name: value for name in event.__slots__ if (value := getattr(event, name))}
        line = dumps(told, default=repr).encode("utf-8", "replace") + b"\n"
        with self._lock:
            # What comes after the end, from a thread say, belongs to no run.
            if not self._file.closed:
                self._file.write(line)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


class OutputReader:
    """Reads the events of a run, those that are new each time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / OUTPUT
        self._read = 0

    def new(self) -> Iterator[Event]:
        """The events that came since somebody asked; half a line waits for its rest."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            told = loads(line)
            yield Event(**{**told, "lines": tuple(told.get("lines", ()))})
