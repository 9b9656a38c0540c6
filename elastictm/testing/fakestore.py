"""A store without Python: groups of a fake session as they were at some of its states, to go back with."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.testing.fakecells import Stamp, Value, reachable
from elastictm.testing.fakehost import FakeHost, There


@dataclass(frozen=True, slots=True)
class FakeUnit:
    """The values of a group after one cell run."""

    at: RunNumber
    values: Mapping[Version, Value]


@dataclass(slots=True)
class FakeStore:
    """What is kept of a session that runs.

    Responsibilities:
    - know each state perfectly, to compare with;
    - keep the groups that it is told to keep, and find those that hold a version.
    """

    host: FakeHost
    units: list[FakeUnit] = field(default_factory=list)
    _states: dict[RunNumber, Mapping[Name, Value]] = field(default_factory=dict)

    def groups(self) -> list[tuple[Version, ...]]:
        """The groups that the last cell run formed or changed, without what has no bytes."""
        live, storable = self.host.history.live, self.host.storable()
        last = self.host.history.runs[-1]
        touched = {record.name for record in last.writes}.union(v.name for group in last.groups for v in group)
        tied = self.host.tied()
        groups = [*tied, *([name] for name in sorted(live) if not any(name in group for group in tied))]
        versions = ([live[name].version for name in group] for group in groups if touched.intersection(group))
        found = (tuple(v for v in group if v in storable) for group in versions)
        return [group for group in found if group]

    def keep(self, groups: Iterable[Collection[Version]]) -> None:
        """Note the state after the last cell run, and keep some groups of it."""
        n, namespace = self.host.history.runs[-1].n, self.host.namespace
        self._states[n] = copied(namespace)
        self.units += [FakeUnit(n, copied({v: namespace[v.name] for v in group})) for group in groups]

    def history(self, n: RunNumber) -> History:
        """The history to a state."""
        history, lapses = History(), {lapse.n: lapse.names for lapse in self.host.history.lapses}
        for run in self.host.history.runs:
            if run.n <= n:
                history.append(run)
                if run.n < n:
                    history.lapse(lapses.get(run.n, ()))
        return history

    def places(self, history: History) -> dict[Version, int]:
        """The unit that each version is loaded from: the latest; for a live one, of those that have all its group.

        Groups without such a unit are not among them.
        """
        n = history.runs[-1].n
        found = {v: i for i, unit in enumerate(self.units) if unit.at <= n for v in unit.values}
        for group in history.partition():
            stored = group - self._refused(n, group)
            holding = [i for i, unit in enumerate(self.units) if unit.at <= n and stored <= unit.values.keys()]
            for version in group:
                found.pop(version, None)
            if stored and holding:
                found.update(dict.fromkeys(stored, holding[-1]))
        return found

    def there(self, n: RunNumber, places: Mapping[Version, int], kept: Mapping[Version, Value]) -> There:
        """What a state is rebuilt from: fresh values, those of one unit from one copy, and what is in place."""
        fresh: dict[int, Mapping[Version, Value]] = {i: copied(self.units[i].values) for i in set(places.values())}
        values = {version: fresh[i][version] for version, i in places.items()}
        return There(values | dict(kept), self._states[n])

    def _refused(self, n: RunNumber, group: Iterable[Version]) -> frozenset[Version]:
        state = self._states[n]
        return frozenset(v for v in group if v.name not in state or not self.host.is_storable(state[v.name]))


_Key = TypeVar("_Key")


def copied(values: Mapping[_Key, Value]) -> dict[_Key, Value]:
    """Values anew, sharing what they shared; classes are the same, since each is restored once."""
    stamps = {identity: value for identity, value in reachable(values.values()).items() if isinstance(value, Stamp)}
    return copy.deepcopy(dict(values), dict(stamps))
