"""What is known of a session's past when planning begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun
from elastictm.planning.ties import Inputs


@dataclass(frozen=True, slots=True)
class Past:
    """A history, and what is to be had of it.

    ``loads`` are the seconds to load each version that has bytes.
    ``astray`` are versions changed outside of recorded cells, so that their bytes alone are trusted.
    ``forbidden`` are the cell runs that must not run again, each with the reason for people.
    ``inputs`` are those of the cell runs that need more than what they read.
    """

    history: HistoryView
    runs: Sequence[CellRun]
    loads: Mapping[Version, float]
    astray: Collection[Version]
    forbidden: Mapping[RunNumber, str]
    inputs: Mapping[RunNumber, Inputs]

    def needs(self, n: RunNumber) -> tuple[Version, ...]:
        """What a cell run needs in place."""
        found = self.inputs.get(n)
        return self.history.run(n).reads if found is None else found.reads
