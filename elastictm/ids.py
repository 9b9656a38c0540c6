"""Distinct types for distinct identifiers, so that one cannot be passed where another is wanted."""

from __future__ import annotations

from typing import Final, NamedTuple, NewType

Name = NewType("Name", str)
"""A variable's name; an entry of IPython's output cache is named ``Out[5]``."""

RunNumber = NewType("RunNumber", int)
"""A cell run, named by its execution count; 0 stands for what existed before recording began."""

Fingerprint = NewType("Fingerprint", str)
"""The digest of a frozen value, as 32 hexadecimal digits."""

DefinitionKey = NewType("DefinitionKey", int)
"""A function or class of the session, numbered in the order in which recording met it."""


class Version(NamedTuple):
    """A variable's value after the cell run that wrote it."""

    name: Name
    n: RunNumber

    def __str__(self) -> str:
        return f"{self.name}@{self.n}"


FIGURES: Final = "pyplot"
"""What the names of open figures begin with."""

HANDLERS: Final = "logging"
"""What the names of handlers of loggers begin with."""

FILTERS: Final = "logging filters"
"""What the names of filters of loggers begin with."""


def held_name(library: str, what: str) -> Name:
    """The name under which an object is recorded that a library holds; no variable can have such a name."""
    return Name(f"{library}: {what}")


def holder(name: str) -> str | None:
    """The library in the name of an object that it holds; None for any other name."""
    library, colon, _ = name.partition(": ")
    return library if colon and library in {FIGURES, HANDLERS, FILTERS} else None


def output_name(n: int) -> Name:
    """The name under which a displayed result is recorded."""
    return Name(f"Out[{n}]")


def output_number(name: str) -> int | None:
    """The execution count in the name of a displayed result; None for any other name."""
    if name.startswith("Out[") and name.endswith("]"):
        return int(name[4:-1])
    return None


def is_variable(name: str) -> bool:
    """Whether a name is a variable's own, and not that of a displayed result or of what a library holds."""
    return holder(name) is None and output_number(name) is None
