"""How a save is to be planned; apart from the planner, whose libraries are not imported before they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from elastictm.errors import UsageError
from elastictm.ids import Name
from elastictm.model.reports import Policy
from elastictm.session.shipping import SHIP_AT_MOST

Along = Literal["wait", "rerun", "drop"]
"""What becomes of a future that has not ended: the save waits, it begins again at the target, or it stays behind."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """How to plan; ``bandwidth`` in bytes per second, None for what the destination gives.

    ``ship_limit`` is how many bytes a file may have to travel; with ``with_past`` all states of the session do, too.
    ``futures`` says what becomes of cells that still run aside.
    """

    bandwidth: float | None = None
    alpha: float = 1.0
    only: frozenset[Name] | None = None
    exclude: frozenset[Name] = frozenset()
    policy: Policy = "optimal"
    allow_effects: bool = False
    ship_limit: int = SHIP_AT_MOST
    with_past: bool = False
    futures: Along = "drop"

    def __post_init__(self) -> None:
        if self.with_past and (self.only is not None or self.exclude):
            raise UsageError("the states of the past hold all variables, so --with-past excludes --only and --exclude")

    def select(self, names: Iterable[Name]) -> set[Name]:
        """The names to bring along.

        Raises:
            UsageError: a name was asked for that is no variable.
        """
        found = set(names)
        unknown = (self.exclude | (self.only or frozenset())) - found
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise UsageError(f"no variable is named {listed}: --only and --exclude take names of live variables")
        if self.only is not None:
            found = {name for name in found if name in self.only}
        return found - self.exclude


def along_of(word: str) -> Along:
    """What a word says of futures that have not ended.

    Raises:
        UsageError: it says nothing.
    """
    match word:
        case "wait" | "rerun" | "drop":
            return word
        case _:
            raise UsageError(f"--futures takes wait, rerun or drop, not {word!r}")
