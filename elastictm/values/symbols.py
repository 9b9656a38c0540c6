"""Streams read as symbols: what they would make, without making it.

Two streams of one definition may differ from process to process: in which equal texts are one object, and in the order
of a class's attributes, which is another one after a restore.  Neither means anything.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from typing_extensions import Self


class _Symbol:
    """What a stream makes by a name that it imports: the arguments, the state, and what is done with it later."""

    path = ""

    def __new__(cls, *arguments: Any) -> Self:
        made = object.__new__(cls)
        made.told = [("made", arguments)]
        if arguments and isinstance(arguments[0], _Symbol):
            # What sets its state is called beside it.
            arguments[0].told.append((cls.path, arguments[1:]))
        return made

    def __init__(self, *_: Any) -> None:
        self.told: list[tuple[str, Any]]

    def __setstate__(self, state: Any) -> None:
        self.told.append(("state", state))

    def append(self, item: Any) -> None:
        """It is a list, or behaves like one."""
        self.told.append(("item", item))

    def __setitem__(self, key: Any, item: Any) -> None:
        self.told.append(("pair", (key, item)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Symbol) and self.path == other.path and self.told == other.told

    def __hash__(self) -> int:
        return hash(self.path)


class _Reader(pickle.Unpickler):
    """Imports nothing: each name becomes a class of symbols, for all streams that are compared the same one."""

    def __init__(self, file: io.BytesIO, classes: dict[str, type]) -> None:
        super().__init__(file)
        self._classes = classes

    def find_class(self, module: str, name: str) -> Any:
        """The class of what this name would make."""
        path = f"{module}.{name}"
        if path not in self._classes:
            self._classes[path] = type(name, (_Symbol,), {"path": path})
        return self._classes[path]


def are_alike(one: bytes, other: bytes) -> bool:
    """Whether two streams, which use no memory beside them, would make the same; no code of theirs is run."""
    try:
        classes: dict[str, type] = {}
        return _symbols(one, classes) == _symbols(other, classes)
    except (pickle.UnpicklingError, RecursionError, TypeError, AttributeError, EOFError):
        # Nested too deeply, or in a way that symbols do not know.
        return one == other


def _symbols(stream: bytes, classes: dict[str, type]) -> list[Any]:
    file, found = io.BytesIO(stream), []
    while file.tell() < len(stream):
        found.append(_Reader(file, classes).load())
    return found
