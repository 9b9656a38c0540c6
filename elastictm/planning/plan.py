"""A replication plan: the ordered steps that rebuild a state, and what it has to leave behind and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from elastictm.ids import RunNumber, Version


@dataclass(frozen=True, slots=True)
class Load:
    """Put a version in place from its bytes."""

    version: Version


@dataclass(frozen=True, slots=True)
class Keep:
    """Take over a version that is in place already."""

    version: Version


@dataclass(frozen=True, slots=True)
class Rerun:
    """Run a cell again; ``writes`` are the versions wanted from it, all else that it makes is of no use."""

    n: RunNumber
    writes: tuple[Version, ...]


Step: TypeAlias = Load | Rerun | Keep
"""One step of a plan."""


@dataclass(frozen=True, slots=True)
class MustNotRun:
    """Cell run ``n`` would have to run, and must not."""

    n: RunNumber


@dataclass(frozen=True, slots=True)
class NoSource:
    """There are neither bytes of ``version`` nor a cell run that makes it."""

    version: Version


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """``version`` would have to be re-run, and must not be."""

    version: Version


@dataclass(frozen=True, slots=True)
class FileMissing:
    """A cell that would have to run reads a file that cannot be had."""

    path: str


@dataclass(frozen=True, slots=True)
class Tied:
    """It shares data with ``to``; one of the two can only be re-run, the other cannot be, because of ``cause``."""

    to: Version
    cause: Cause


@dataclass(frozen=True, slots=True)
class Displaced:
    """Cell run ``n`` makes the class of ``of`` anew, and ``of`` cannot be re-run with it, because of ``cause``."""

    n: RunNumber
    of: Version
    cause: Cause


Cause: TypeAlias = MustNotRun | NoSource | NotAllowed | FileMissing | Tied | Displaced
"""Why something cannot be had."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A target that the plan cannot bring back."""

    version: Version
    cause: Cause


@dataclass(frozen=True, slots=True)
class ReplicationPlan:
    """Steps in the original order of the session, so that each cell finds in place all that it reads.

    A version that is loaded or kept comes where it was produced, after the re-run of that cell if there is one.
    ``seconds`` is the sum of what loading, running and shipping cost.
    """

    steps: tuple[Step, ...]
    lost: tuple[Loss, ...]
    seconds: float
    shipped: tuple[str, ...] = ()

    @property
    def reruns(self) -> tuple[Rerun, ...]:
        """The cells to run, in order."""
        return tuple(step for step in self.steps if isinstance(step, Rerun))

    @property
    def loads(self) -> tuple[Version, ...]:
        """The versions to load, in order."""
        return tuple(step.version for step in self.steps if isinstance(step, Load))

    @property
    def keeps(self) -> tuple[Version, ...]:
        """The versions to keep, in order."""
        return tuple(step.version for step in self.steps if isinstance(step, Keep))
