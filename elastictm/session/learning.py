"""Saving with a rehearsal: what did not come back as it was is stored or re-made another way, until nothing is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from elastictm.ids import Name
from elastictm.model.history import History
from elastictm.model.records import Refusal, Remark
from elastictm.model.rehearsals import RehearsalReport, RehearsedVariable
from elastictm.session.faith import without
from elastictm.session.rehearsal import Live, Rehearsal
from elastictm.session.saving import Draft
from elastictm.session.saving import draft as make_draft
from elastictm.storage.destination import check_free, temporary_name
from elastictm.storage.files import LocalFiles

_ROUNDS: Final = 4
"""After so many rehearsals the archive is written as it is, and the report says what will not restore."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a rehearsal taught: variables that do not load, and those that must not be re-run."""

    refused: Mapping[Name, Refusal]
    stuck: Mapping[Name, str]

    @classmethod
    def of(cls, report: RehearsalReport, draft: Draft) -> Lessons:
        """What can be done about the trouble in a report."""
        sizes = draft.stock.sizes()
        loaded = {version.name for version in draft.plan.loads}
        refused = {v.name: _refusal(v) for v in report.trouble if v.name in loaded and v.name not in draft.stock.flaws}
        refused |= {
            Name(name): Refusal(name, f"found by a rehearsal: does not load: {reason}")
            for name, reason in report.unloaded
            if name in sizes
        }
        stuck = {
            v.name: v.reason
            for v in report.trouble
            if v.name in sizes and v.name not in loaded and v.name not in refused and v.name not in draft.stock.astray
        }
        return cls(refused, stuck)

    def __bool__(self) -> bool:
        return bool(self.refused or self.stuck)


def _refusal(variable: RehearsedVariable) -> Refusal:
    return Refusal(variable.path or variable.name, f"found by a rehearsal: {variable.reason}")


@dataclass(frozen=True, slots=True)
class Studio:
    """Writes an archive beside its final name, and gives it that name when nothing more can be learned.

    ``write`` writes a draft to a path and returns its size.
    """

    history: History
    rehearsal: Rehearsal
    live: Live
    write: Callable[[Draft, Path], int]

    def save(self, draft: Draft, final: Path, *, force: bool) -> tuple[Draft, int, RehearsalReport]:
        """Write, rehearse and learn, in turns.

        Raises:
            DestinationError: the archive cannot be written; what was there is intact.
        """
        candidate = temporary_name(final)
        try:
            size = self.write(draft, candidate)
            for _ in range(_ROUNDS):
                report = self.rehearsal.of(candidate)
                lessons = Lessons.of(report, draft)
                if not lessons:
                    break
                draft = self._learned(draft, lessons)
                candidate.unlink()
                size = self.write(draft, candidate)
            else:
                report = self.rehearsal.of(candidate)
            check_free(os.fspath(final), final, force=force)
            files = LocalFiles()
            files.replace(candidate, final)
            files.sync_folder(final.parent)
        finally:
            candidate.unlink(missing_ok=True)
        return draft, size, replace(report, path=str(final))

    def _learned(self, draft: Draft, lessons: Lessons) -> Draft:
        """The draft that a rehearsal leads to; the history remembers what is not repeatable."""
        known = {run.n for run in self.history.runs}
        for name, reason in lessons.stuck.items():
            n = draft.history.live[name].n
            if n in known:
                self.history.remark(Remark(n, f"in a rehearsal {name} came out differently: {reason}"))
        stock = without(draft.stock, lessons.refused, self.live.values, self.live.freezer)
        stock = replace(stock, astray=stock.astray | lessons.stuck.keys())
        return make_draft(draft.history, stock, draft.bandwidth, draft.options, draft.luggage)
