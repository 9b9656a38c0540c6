"""What is known of a session's past when planning begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.machine import is_of_machine
from elastictm.model.records import CellRun
from elastictm.planning.ties import Inputs

DEAR_SECONDS: Final = 1.0
"""What takes longer to store, send and load may be re-run although it depends on the machine."""


@dataclass(frozen=True, slots=True)
class Past:
    """A history, and what is to be had of it.

    ``inputs`` stands beside ``runs``, one for one; ``place`` says where each cell run stands in them.
    ``loads`` are the seconds to load each version that has bytes.
    ``astray`` are versions changed outside of recorded cells, so that their bytes alone are trusted.
    ``hollow`` are versions whose bytes bring back a module without what was changed inside it, each with its name.
    ``forbidden`` are the cell runs that must not run again, each with the reason for people.
    """

    history: HistoryView
    runs: Sequence[CellRun]
    inputs: Sequence[Inputs]
    place: Mapping[RunNumber, int]
    loads: Mapping[Version, float]
    astray: Collection[Version]
    forbidden: Mapping[RunNumber, str]
    hollow: Mapping[Version, str]

    def same_again(self, version: Version) -> bool:
        """Whether it is a function or class that its own cell defines: the same source makes it, whatever else does."""
        key = self.history.record(version).defines
        return key is not None and self.history.creator(key) == version.n

    def comes_otherwise(self, version: Version, unlike: Mapping[RunNumber, str]) -> bool:
        """Whether a version is not to be re-run where it has bytes, since another run would make it differently.

        What does so on another machine at most may be re-run, and is compared then, where its bytes are dear.
        """
        reason = unlike.get(version.n)
        return reason is not None and not self.same_again(version) and not self.is_dear(version, reason)

    def is_dear(self, version: Version, reason: str) -> bool:
        """Whether a version has bytes that take long, and comes out differently on another machine at most."""
        return is_of_machine(reason) and self.loads.get(version, 0.0) > DEAR_SECONDS

    def needs(self, n: RunNumber) -> tuple[Version, ...]:
        """What a cell run needs in place."""
        return self.inputs[self.place[n]].needs
