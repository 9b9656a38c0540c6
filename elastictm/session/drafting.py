"""Drafting a save: what there is to save by now, how fast it can be written, and the plan that follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.ids import is_variable
from elastictm.model.progress import SILENT, Progress
from elastictm.session.first_imports import FirstImports
from elastictm.session.host import Host, variables
from elastictm.session.luggage import Luggage
from elastictm.session.saving import Draft, draft
from elastictm.session.stock import take_stock
from elastictm.storage.probe import BandwidthProbe
from elastictm.values.collecting import no_collections

if TYPE_CHECKING:
    from elastictm.session.clock import Clock
    from elastictm.session.options import SaveOptions
    from elastictm.session.recorder import Recorder
    from elastictm.session.scruples import Scruples
    from elastictm.settings import Settings


class Drafting:
    """Drafts the saves of one session, and remembers what was measured and tried out for them."""

    def __init__(self, host: Host, settings: Callable[[], Settings], clock: Clock, scruples: Scruples) -> None:
        self._host = host
        self._settings = settings
        self._scruples = scruples
        self._probe = BandwidthProbe()
        self._imports = FirstImports(clock.elapsed)

    def draft(self, recorder: Recorder, options: SaveOptions, folder: Path, progress: Progress = SILENT) -> Draft:
        """What a save of the live state would write into a folder."""
        history, settings = recorder.settled(), self._settings()
        values = variables(self._host)
        selected = options.select(name for name in values if is_variable(name))
        outputs = options.only is None
        chosen = {
            name: value
            for name, value in values.items()
            if name in selected or (outputs and not is_variable(name) and name not in options.exclude)
        }
        needed = {key for run in history.runs for version in run.settings for key in version.definitions}
        known = sum(record.size for name, record in history.live.items() if name in chosen)
        progress.stage("freezing variables", known)
        with no_collections():
            stock = take_stock(chosen, recorder.variables, recorder.freezer, needed, progress)
        progress.stage("trying out whether objects load", None, "")
        stock = self._scruples.tried(stock, chosen, recorder.freezer)
        progress.stage("planning", None, "")
        bandwidth = options.bandwidth or settings.bandwidth or self._probe.bandwidth(folder)
        imports = self._imports.looked_at(history, recorder.modules, settings.faith_budget)
        luggage = Luggage.of(history, values, recorder.modules, imports, Path.cwd(), options.ship_limit)
        return draft(history, stock, bandwidth, options, luggage)
