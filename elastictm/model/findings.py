"""What an analysis of code finds on its way: growing sets, gathered layer by layer."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_PATH = 512
"""A string constant with more characters than this is not taken for a file's path."""

_HARMLESS = frozenset(dir(builtins)) | {"get_ipython", "display"}


@dataclass(slots=True)
class Layer:
    """What code that runs, or fails to run, together brings with it.

    The statements of a cell are one layer; the body of each function defined in the cell is another,
    which only counts when something may call it.
    ``owner`` is the global name under which the function can be reached; where it is empty, anything that runs
    may call the function.
    ``opaque`` and ``unrepeatable`` are dicts without values, because the order in which reasons are met is kept.
    """

    owner: str = ""
    loads: set[str] = field(default_factory=set)
    opaque: dict[str, None] = field(default_factory=dict)
    unrepeatable: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """The names and reasons that an analysis found; see ``CodeNames`` for what each field means."""

    reads: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    opaque: dict[str, None] = field(default_factory=dict)
    opaque_stores: dict[str, None] = field(default_factory=dict)
    unrepeatable: dict[str, None] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)

    def keep_path(self, text: str) -> None:
        """Keep a string constant if it could be a file's path."""
        if 0 < len(text) <= LONGEST_PATH and text.isprintable() and not text.isspace():
            self.constants.add(text)


def awake(live: Layer, asleep: Iterable[Layer], reads: set[str]) -> list[Layer]:
    """The layers that may have run, given that the live one ran and did more than define things.

    A function's body counts if the function's name is loaded by a layer that counts.
    Code of older cells may call any function of this one by its name, so as soon as a layer that counts
    reaches something older than the cell, all layers count.
    """
    found, rest = [live], list(asleep)
    for layer in found:
        if not (layer.loads & reads) <= _HARMLESS:
            return [live, *asleep]
        woken = [other for other in rest if not other.owner or other.owner in layer.loads]
        rest = [other for other in rest if other.owner and other.owner not in layer.loads]
        found += woken
    return found
