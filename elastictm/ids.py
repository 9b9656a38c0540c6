"""Distinct types for distinct identifiers, so that one cannot be passed where another is wanted."""

from __future__ import annotations

from typing import NamedTuple, NewType

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
