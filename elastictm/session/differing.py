"""What differs between two states of a session: their histories tell which variables may, their values how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from elastictm.errors import StateNotKept
from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.difference import DifferenceReport, difference_report
from elastictm.model.divergence import differences_of_lines
from elastictm.model.history import HistoryView
from elastictm.values.contrast import contrast

_SECONDS: Final = 3.0
"""How long looking at all values may take, loading aside."""
_LEAST_SECONDS: Final = 0.05


def difference(
    numbers: tuple[RunNumber, RunNumber],
    histories: tuple[HistoryView, HistoryView],
    values: tuple[Mapping[str, Any], Mapping[str, Any]],
    clock: Callable[[], float],
) -> DifferenceReport:
    """What differs between two states, given by number, with their histories and the values that were kept of them."""
    before, after = histories
    divergence = differences_of_lines(before, after)
    others = {r.name for pair in divergence.pairs for r in pair if not is_variable(r.name)}
    others |= {r.name for r in (*divergence.created, *divergence.deleted) if not is_variable(r.name)}
    divergence = divergence.without(others)
    details: dict[Name, tuple[str, ...]] = {}
    notes: list[str] = []
    left = _SECONDS
    for i, (old, _) in enumerate(divergence.pairs):
        started = clock()
        try:
            seconds = max(_LEAST_SECONDS, left / (len(divergence.pairs) - i))
            details[old.name] = contrast(values[0][old.name], values[1][old.name], seconds=seconds)
        except StateNotKept as error:
            notes.append(f"{old.name} was not looked at: {error}")
        left -= clock() - started
    first, second = (f"state {n}" for n in numbers)
    return difference_report(first, second, before, after, divergence, details=details, notes=notes)
