"""The part of a history that named variables come from, and that comes from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elastictm.ids import Name, RunNumber, Version
    from elastictm.model.history import HistoryView


@dataclass(frozen=True, slots=True)
class Lineage:
    """Cell runs and versions of a history that belong together."""

    runs: frozenset[RunNumber]
    versions: frozenset[Version]


def lineage(history: HistoryView, names: Sequence[Name]) -> Lineage:
    """All versions of these names with their ancestors and descendants; without names the whole history.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    runs = {run.n: run for run in history.runs}
    versions = [record.version for run in history.runs for record in run.writes]
    if not names:
        return Lineage(frozenset(runs), frozenset(versions))
    _check(names, {version.name for version in versions})
    readers: defaultdict[Version, list[RunNumber]] = defaultdict(list)
    for run in history.runs:
        for version in run.reads:
            readers[version].append(run.n)
    starts = [version for version in versions if version.name in names]
    found_runs: set[RunNumber] = set()
    found: set[Version] = set(starts)
    waiting = list(starts)
    while waiting:
        version = waiting.pop()
        found_runs.add(version.n)
        fresh = set(runs[version.n].reads) - found
        found |= fresh
        waiting += fresh
    below = set(starts)
    waiting = list(starts)
    while waiting:
        for n in readers[waiting.pop()]:
            found_runs.add(n)
            fresh = {record.version for record in runs[n].writes} - below
            below |= fresh
            waiting += fresh
    return Lineage(frozenset(found_runs), frozenset(found | below))


def _check(names: Iterable[Name], known: set[Name]) -> None:
    for name in names:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {close[0]}?" if close else "give names of variables that a cell made."
            raise UsageError(f"no variable was ever named {name} in this session: {hint}")
