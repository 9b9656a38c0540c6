"""What is in place already when a state of the session that is here is rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from elastictm.ids import DefinitionKey, Fingerprint, Name, Version
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.values.definitions import Definition
from elastictm.values.freeze import Surroundings


@dataclass(frozen=True, slots=True)
class Standing:
    """Versions of the wanted state that exist, with their values, and what they are surrounded by.

    ``kept`` holds alias groups of that state as a whole or not at all, ``others`` what has the
    names of others, and may be what it was.
    ``definitions`` are the functions and classes that are as they were in that state.
    """

    around: Surroundings
    kept: Mapping[Version, Any]
    definitions: Mapping[DefinitionKey, Definition]
    others: Mapping[Version, Any]


@dataclass(frozen=True, slots=True)
class Arrived:
    """An alias group that was loaded as a whole, in the order of its streams: digests, and the code in each value."""

    digests: Mapping[Name, Fingerprint]
    code: Mapping[Name, tuple[CodeType, ...]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Present:
    """What an attempt finds in place: versions that it keeps, and ``others`` to compare with what it loads."""

    kept: Mapping[Version, Any]
    others: Mapping[Version, Any]


def used_by_reruns(problem: Problem, plan: ReplicationPlan, kept: Iterable[Version]) -> dict[Version, int]:
    """The kept versions that cells would work with which the plan runs again, each with the first such cell.

    A cell that does not run as it ran before may change what it works with, and what is kept must stay as it is.
    """
    present = set(kept)
    found: dict[Version, int] = {}
    for step in plan.reruns:
        for version in problem.cells[step.n].reads:
            if version in present:
                found.setdefault(version, step.n)
    return found
