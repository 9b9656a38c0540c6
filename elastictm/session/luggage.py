"""What travels besides values: files that re-runs read, and the user's own modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Name, Version
from elastictm.model.history import HistoryView
from elastictm.model.marks import mark_of
from elastictm.model.records import CellRun
from elastictm.model.tables import amount
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.repeats import deeds
from elastictm.session.alterations import Alteration, alterations, hollow_versions
from elastictm.session.baggage import Baggage, pack, parts_imported
from elastictm.session.editions import Editions
from elastictm.session.first_imports import FirstImport, told
from elastictm.session.folders import Folders
from elastictm.session.shipping import Shipping
from elastictm.session.unpacking import travelled

if TYPE_CHECKING:
    from elastictm.session.ambient import OwnModules


_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Luggage:
    """What goes along with the values of one save."""

    shipping: Shipping
    baggage: Baggage
    altered: tuple[Alteration, ...]
    edited: tuple[str, ...]
    imported: tuple[str, ...]

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what it is gathered from
        cls,
        history: HistoryView,
        values: Mapping[Name, Any],
        modules: OwnModules,
        imports: Mapping[str, FirstImport],
        here: Path,
        limit: int,
    ) -> Luggage:
        """Gather it; files of up to ``limit`` bytes in the session's folders may travel; it is in ``here``."""
        editions = Editions.of(history.runs, modules)
        sources = (run.code or run.source for run in history.runs)
        baggage = pack([*modules.names(), *travelled()], sources, editions.texts)
        return cls(
            Shipping(
                Folders.here(history.runs, here), limit, {path: editions.digest(path) for path in baggage.paths()}
            ),
            baggage,
            alterations(history, values, modules, imports),
            (*editions.notes, *told(imports)),
            tuple(dict.fromkeys(name for run in history.runs for name in _parts(run) if name in sys.modules)),
        )

    def hollow(self, history: HistoryView) -> dict[Version, str]:
        """The live versions whose bytes bring back a module without what the session changed inside it."""
        return hollow_versions(history, self.altered)

    def notes(self, history: HistoryView, plan: ReplicationPlan) -> Iterator[str]:
        """Lines of the report, losses first."""
        yield from (alteration.told() for alteration in left_behind(self.altered, plan))
        yield from self.edited
        runs = [history.run(step.n) for step in plan.reruns]
        for run in runs:
            if mark_of(run.source) is None and (done := deeds(run)):
                yield f"restoring runs cell {run.n} again, which {'; '.join(done)}: it takes --allow-effects there"
        if files := self.shipping.shipped(runs, plan.shipped):
            yield f"files that travel: {', '.join(f'{path} ({amount(size)})' for path, size in files.items())}"
        yield from self.baggage.told()


def spared(history: HistoryView, problem: Problem) -> Iterator[str]:
    """The cells that are not run again for what they did outside the session, in one line."""
    found = [term.obstacle for n, term in sorted(problem.cells.items()) if term.obstacle and deeds(history.run(n))]
    if found:
        yield f"cells that are not run again: {'; '.join(found[:_MOST_NAMED])}{'; ...' * (len(found) > _MOST_NAMED)}"


def _parts(run: CellRun) -> Iterator[str]:
    return parts_imported(run.code or run.source)


def left_behind(altered: tuple[Alteration, ...], plan: ReplicationPlan) -> Iterator[Alteration]:
    """The alterations that no re-run makes again: all cells that changed the module must be among those that run."""
    running = {int(step.n) for step in plan.reruns}
    yield from (each for each in altered if not each.cells or not running.issuperset(each.cells))
