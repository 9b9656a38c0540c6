"""Doubts about classes with a say of their own: objects of theirs are tried out, as far as there is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.records import Refusal
from elastictm.session.keeping import UNSURE
from elastictm.values.protocols import Faith

if TYPE_CHECKING:
    from elastictm.ids import Name
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.faith import FaithCheck
    from elastictm.session.stock import Stock
    from elastictm.settings import Settings
    from elastictm.values.freeze import Freezer

_LEAST_LOOK: Final = 0.5
"""Seconds that starting a process to look at objects takes, at least."""


class Scruples:
    """What one session knows of classes whose objects may not come back as they were.

    Responsibilities:
    - have objects tried out before they are saved;
    - do so for the past in a share of the session's time, and leave out what there is no time for.
    """

    def __init__(self, circumstances: Circumstances, settings: Callable[[], Settings], clock: Clock) -> None:
        self._circumstances = circumstances
        self._settings = settings
        self._clock = clock
        self._faith = Faith()
        self._check: FaithCheck | None = None
        self._began = clock.elapsed()
        self._looked = 0.0

    def tried(self, stock: Stock, values: Mapping[Name, Any], freezer: Freezer) -> Stock:
        """What of a save's groups comes back, within the time that the settings give for that."""
        return self._faith_check().checked(stock, values, freezer, self._settings().faith_budget)

    def spared(self, stock: Stock, values: Mapping[Name, Any], freezer: Freezer) -> Stock:
        """What of a state's groups comes back, as far as can be told in a moment; most classes are in no doubt.

        What there is no time for is not kept.
        """
        doubted = [g for g in stock.groups if g.partial or any(map(self._faith.doubts, g.kinds))]
        if not doubted:
            return stock
        from elastictm.session.faith import without  # noqa: PLC0415 - few sessions have doubtful classes

        check, started, settings = self._faith_check(), self._clock.elapsed(), self._settings()
        earned = settings.keeping_seconds + settings.recording_share * (started - self._began)
        seconds = min(earned - self._looked, settings.faith_budget)
        if seconds > _LEAST_LOOK:
            stock = check.checked(stock, values, freezer, seconds)
            self._looked += self._clock.elapsed() - started
            if not stock.unchecked:
                return stock
        names = {name for group in doubted for name in group.parts}
        return without(stock, {name: Refusal(name, UNSURE) for name in names}, values, freezer)

    def _faith_check(self) -> FaithCheck:
        with self._circumstances.unmoved():
            from elastictm.session.faith import FaithCheck  # noqa: PLC0415 - recording does without

        self._check = self._check or FaithCheck(self._clock.elapsed, self._faith)
        return self._check
