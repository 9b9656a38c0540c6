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


FIGURES: Final = Name("open figures of pyplot")
"""Stands for the figures that pyplot has open."""

HANDLERS: Final = Name("handlers of logging")
"""Stands for the handlers that the session gave to loggers."""

HELD: Final = frozenset({FIGURES, HANDLERS})
"""Names that no variable can have, of what libraries hold of the session's objects."""


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
    return name not in HELD and output_number(name) is None
