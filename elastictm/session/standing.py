"""What is in place already when a state of the session that is here is rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from elastictm.ids import DefinitionKey, Fingerprint, Name, Version
from elastictm.model.history import History
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.session.states import StateReader
from elastictm.storage import manifest as m
from elastictm.values.definitions import Definition, Purity
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


def what_stands(
    target: StateReader,
    here: StateReader,
    around: Surroundings,
    values: Mapping[Name, Any],
    parked: Mapping[Version, Any],
) -> Standing:
    """What of a state is among the values that are ``here``, or those that were set aside."""
    definitions = _same_definitions(target, here, around)
    present = {r.version: values[name] for name, r in here.history.live.items() if name in values} | dict(parked)
    kept: dict[Version, Any] = {}
    groups = [{Name(name) for name in group} for group in target.manifest.groups]
    tied = {name for group in groups for name in group}
    groups += [{name} for name in target.history.live if name not in tied]
    changed: list[set[Name]] = []
    for group in groups:
        records = [target.history.live[name] for name in group]
        if all(r.version in present and definitions.keys() >= set(r.definitions) for r in records):
            kept.update((r.version, present[r.version]) for r in records)
        elif len(group) > 1:
            changed.append(group)
    others = {} if parked.keys() & kept.keys() else _left_over(changed, target.history, here.history, values)
    return Standing(around, kept, definitions, others)


def with_threads(standing: Standing, target: StateReader, threads: Mapping[Version, Any]) -> Standing:
    """The same, with threads that run on: a state has them as they are, unless they share data with what it has."""
    tied = {name for group in target.manifest.groups for name in group}
    alone = {
        r.version: threads[r.version] for n, r in target.history.live.items() if n not in tied and r.version in threads
    }
    return replace(standing, kept={**alone, **standing.kept})


def _same_definitions(target: StateReader, here: StateReader, around: Surroundings) -> dict[DefinitionKey, Definition]:
    """The functions and classes that are here as they were in a state, with all that they refer to."""
    mine = {d.key: d.unit for d in here.manifest.definitions}
    purity = Purity(around.namespace)
    found: dict[int, Definition] = {}
    refer: dict[int, tuple[int, ...]] = {}
    for key, unit in ((d.key, d.unit) for d in target.manifest.definitions):
        definition = around.definitions.get(DefinitionKey(key))
        # What may hold something of its own by now is a value, of which its last unit tells nothing.
        if definition is not None and key in mine and purity(definition) and _alike(here, mine[key], target, unit):
            found[key], refer[key] = definition, unit.definitions
    while differing := [key for key in found if any(inner not in found for inner in refer[key])]:
        for key in differing:
            del found[key]
    return {DefinitionKey(key): definition for key, definition in found.items()}


def _alike(here: StateReader, one: m.Unit, there: StateReader, other: m.Unit) -> bool:
    """Whether two units have the same content."""
    blobs = [(one.stream, other.stream), *zip(one.segments, other.segments, strict=False)]
    return (
        one.definitions == other.definitions
        and len(one.segments) == len(other.segments)
        and all(
            here.place(mine) == there.place(theirs) or bytes(here.read(mine)) == bytes(there.read(theirs))
            for mine, theirs in blobs
        )
    )


def _left_over(
    groups: Iterable[set[Name]], target: History, here: History, values: Mapping[Name, Any]
) -> dict[Version, Any]:
    """What has the name of a variable of a state, in groups that differ from those here, and may be what it was there.

    What shares data here with a variable of another group there would tie what was not tied.
    """
    sharing = {version.name: {v.name for v in group} for group in here.partition() for version in group}
    return {
        target.live[name].version: values[name]
        for group in groups
        for name in group
        if name in values and name in sharing and sharing[name] & target.live.keys() <= group
    }


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
