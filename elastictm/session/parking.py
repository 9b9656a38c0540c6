"""Values that are kept in memory for the way back to their state, as there are no bytes of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from elastictm.ids import Name, Version
from elastictm.model.tables import amount
from elastictm.session.states import StateReader
from elastictm.values.freeze import OutOfTime, Surroundings
from elastictm.values.survey import Surveyor

_MOST_LEVELS: Final = 100
"""How far a value is looked into for the memory of its arrays: in levels, or parts of large ones."""


def set_aside(
    here: StateReader, target: StateReader, values: Mapping[Name, Any], parked: Mapping[Version, Any]
) -> dict[Version, Any]:
    """What is kept aside on the way to a state: what has no bytes nor a place there, with all that shares data with it.

    What has a place there is in use, or was made anew.
    """
    live = here.history.live
    bare = {entry.name for entry in here.manifest.entries if entry.unit is None and entry.path}
    with_them = {name for group in here.manifest.groups if not bare.isdisjoint(group) for name in group}
    found = {live[Name(n)].version: values[Name(n)] for n in bare | with_them if Name(n) in values and Name(n) in live}
    wanted = {record.version for record in target.history.live.values()}
    return {version: value for version, value in {**parked, **found}.items() if version not in wanted}


def memory_line(parked: Mapping[Version, Any], known: Mapping[Version, int], around: Surroundings) -> str:
    """What the user should know of parked values, of which recording has ``known`` some sizes; empty most of the time.

    One line for all sessions of a machine, so that who tells each line once tells it once.
    """
    memory = _machine_memory()
    size = sum(max(known.get(version, 0), _of_arrays(value, around)) for version, value in parked.items())
    if not memory or size * 3 <= memory:
        return ""
    return (
        "what is kept in memory for going back, as it cannot be stored, takes more than a third of this machine's "
        f"{amount(memory)}; the next cell that changes a variable lets go of it"
    )


def _machine_memory() -> int:
    """The bytes of memory of this machine; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _of_arrays(value: Any, around: Surroundings) -> int:
    """The memory of the arrays inside a value, which is what can be large where nothing can be frozen."""
    levels = iter(range(_MOST_LEVELS))
    try:
        spans = Surveyor(around).survey([value], out_of_time=lambda: next(levels, None) is None).spans
    except OutOfTime:
        return 0
    found = {(span.start, span.stop) for span in spans}
    return sum(stop - start for start, stop in found)
