"""What a plan would do with each version at each bandwidth, as stretches between which it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from elastictm.ids import RunNumber, Version
from elastictm.model.reports import Outcome

SLOWEST: Final = 1e5
FASTEST: Final = 1e11
"""Bytes per second between which plans are foreseen."""

USUAL: Final = 1e8
"""Bytes per second where nobody says anything else."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What one plan does.

    ``outcomes`` has the versions that are wanted, ``remade`` those that are made again on the way to them.
    ``cells`` run again; ``bytes`` travel.
    """

    outcomes: Mapping[Version, Outcome]
    remade: frozenset[Version] = frozenset()
    cells: tuple[RunNumber, ...] = ()
    bytes: int = 0

    def of(self, version: Version) -> Outcome | None:
        """What becomes of a version; None where the plan has nothing to do with it."""
        return self.outcomes.get(version) or ("rerun" if version in self.remade else None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bandwidths in bytes per second from ``low`` to ``high``, for which one plan is the best.

    It takes ``fixed`` seconds and those in which ``moved`` bytes pass.
    """

    low: float
    high: float
    fates: Fates
    fixed: float
    moved: float

    def seconds(self, bandwidth: float) -> float:
        """What the plan takes at a bandwidth."""
        return self.fixed + self.moved / bandwidth


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of plans: ``stretches`` from slow to fast without gaps.

    ``remake`` has the seconds that it takes to make a wanted version again, None where that is impossible.
    ``saved`` is what was decided where a session was saved, ``bandwidth`` what is asked about where it was not.
    """

    stretches: tuple[Stretch, ...]
    remake: Mapping[Version, float | None] = field(default_factory=dict)
    saved: Fates | None = None
    bandwidth: float = USUAL

    def at(self, bandwidth: float) -> Stretch:
        """The stretch that a bandwidth lies in, or the nearest one."""
        return next((each for each in self.stretches if bandwidth <= each.high), self.stretches[-1])

    @property
    def shown(self) -> Fates:
        """What a picture shows at first."""
        return self.saved or self.at(self.bandwidth).fates
