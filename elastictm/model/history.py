"""The history: the append-only, versioned graph of cell runs and the versions that they read and wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from elastictm.ids import DefinitionKey, Name, RunNumber, Version
from elastictm.model.records import CellRun, Lapse, Remark, SettingsVersion, VersionRecord


class HistoryView(Protocol):
    """What readers of a history see; nothing in it can be changed through this view."""

    @property
    def runs(self) -> Sequence[CellRun]:
        """All cell runs in the order in which they ran."""
        ...

    @property
    def live(self) -> Mapping[Name, VersionRecord]:
        """The variables that exist after the last cell run, by name."""
        ...

    @property
    def settings(self) -> Mapping[str, SettingsVersion]:
        """The settings of each library as the last cell run that changed them left them."""
        ...

    @property
    def lapses(self) -> Sequence[Lapse]:
        """What did not come back, restore by restore."""
        ...

    @property
    def remarks(self) -> Sequence[Remark]:
        """What was learned about cell runs after they ended."""
        ...

    def run(self, n: RunNumber) -> CellRun:
        """The cell run with execution count ``n``; KeyError if there is none."""
        ...

    def record(self, version: Version) -> VersionRecord:
        """What is known of a version; KeyError if it was never written."""
        ...

    def live_groups(self) -> tuple[frozenset[Version], ...]:
        """The alias groups of two or more live versions, in order of their first member."""
        ...

    def creator(self, key: DefinitionKey) -> RunNumber | None:
        """The cell run after which a function or class of the session was first met."""
        ...


class History:
    """The single writer of a history.

    Responsibilities:
    - append cell runs in order, and refuse what does not fit;
    - answer which version of each name is alive, and which of them are tied;
    - keep what was learned later: lapses of a restore, remarks on a cell run.
    """

    def __init__(self) -> None:
        self._runs: list[CellRun] = []
        self._by_n: dict[RunNumber, CellRun] = {}
        self._records: dict[Version, VersionRecord] = {}
        self._live: dict[Name, VersionRecord] = {}
        self._group_of: dict[Name, frozenset[Version]] = {}
        self._creators: dict[DefinitionKey, RunNumber] = {}
        self._settings: dict[str, SettingsVersion] = {}
        self._lapses: list[Lapse] = []
        self._remarks: list[Remark] = []

    @property
    def runs(self) -> Sequence[CellRun]:
        """All cell runs in the order in which they ran."""
        return tuple(self._runs)

    @property
    def last(self) -> CellRun | None:
        """The latest cell run, or None before the first."""
        return self._runs[-1] if self._runs else None

    @property
    def live(self) -> Mapping[Name, VersionRecord]:
        """The variables that exist after the last cell run, by name."""
        return MappingProxyType(self._live)

    @property
    def settings(self) -> Mapping[str, SettingsVersion]:
        """The settings of each library as the last cell run that changed them left them."""
        return MappingProxyType(self._settings)

    @property
    def lapses(self) -> Sequence[Lapse]:
        """What did not come back, restore by restore."""
        return tuple(self._lapses)

    @property
    def remarks(self) -> Sequence[Remark]:
        """What was learned about cell runs after they ended."""
        return tuple(self._remarks)

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[CellRun]:
        return iter(self._runs)

    def since(self, count: int) -> Sequence[CellRun]:
        """The cell runs after the first ``count`` of them."""
        return tuple(self._runs[count:])

    def run(self, n: RunNumber) -> CellRun:
        """The cell run with execution count ``n``; KeyError if there is none."""
        return self._by_n[n]

    def record(self, version: Version) -> VersionRecord:
        """What is known of a version; KeyError if it was never written."""
        return self._records[version]

    def knows(self, version: Version) -> bool:
        """Whether one of its cell runs wrote a version."""
        return version in self._records

    def creator(self, key: DefinitionKey) -> RunNumber | None:
        """The cell run after which a function or class of the session was first met."""
        return self._creators.get(key)

    def live_groups(self) -> tuple[frozenset[Version], ...]:
        """The alias groups of two or more live versions, in order of their first member."""
        found: dict[frozenset[Version], None] = {}
        for group in self._group_of.values():
            alive = frozenset(v for v in group if self._is_live(v))
            if len(alive) > 1:
                found[alive] = None
        return tuple(sorted(found, key=sorted))

    def partition(self) -> tuple[frozenset[Version], ...]:
        """The live versions, those together that were last seen to share data; a name that others left stays behind."""
        found: dict[int | Name, set[Version]] = {}
        for name, record in self._live.items():
            group = self._group_of.get(name)
            found.setdefault(name if group is None else id(group), set()).add(record.version)
        return tuple(map(frozenset, found.values()))

    def append(self, run: CellRun) -> None:
        """Add the next cell run; ValueError where its number or its versions do not fit what is there."""
        if self._runs and run.n <= self._runs[-1].n:
            message = f"cell run {run.n} cannot follow cell run {self._runs[-1].n}: numbers must rise"
            raise ValueError(message)
        for version in run.reads:
            if version not in self._records:
                message = f"cell run {run.n} reads {version}, which no earlier cell run wrote"
                raise ValueError(message)
        self._runs.append(run)
        self._by_n[run.n] = run
        for name in run.deletes:
            self._live.pop(name, None)
            self._group_of.pop(name, None)
        for record in run.writes:
            self._records[record.version] = record
            self._live[record.name] = record
            self._group_of.pop(record.name, None)
        for group in run.groups:
            members = frozenset(group)
            for version in group:
                self._group_of[version.name] = members
        for key in run.created:
            self._creators.setdefault(key, run.n)
        self._settings.update({version.library: version for version in run.settings})

    def followed_by(self, run: CellRun) -> History:
        """A history of its own that goes on with one more cell run."""
        other = self._copy()
        other.append(run)
        return other

    def remarked(self, remarks: Iterable[Remark]) -> History:
        """A history of its own in which more was learned; KeyError if there is no such run."""
        other = self._copy()
        for remark in remarks:
            other.remark(remark)
        return other

    def _copy(self) -> History:
        other = History()
        other._runs = list(self._runs)
        other._by_n = dict(self._by_n)
        other._records = dict(self._records)
        other._live = dict(self._live)
        other._group_of = dict(self._group_of)
        other._creators = dict(self._creators)
        other._settings = dict(self._settings)
        other._lapses = list(self._lapses)
        other._remarks = list(self._remarks)
        return other

    def left_with(self, settings: Sequence[SettingsVersion]) -> History:
        """A history whose last cell run left these settings behind; itself where there are none."""
        if not settings or not self._runs:
            return self
        last = self._runs[-1]
        latest = {version.library: version for version in (*last.settings, *settings)}
        run = replace(last, settings=tuple(latest.values()))
        other = self._copy()
        other._replace_last(run)  # noqa: SLF001 - of its own kind
        return other

    def _replace_last(self, run: CellRun) -> None:
        self._runs[-1] = self._by_n[run.n] = run
        self._settings.update({version.library: version for version in run.settings})

    def lapse(self, names: Sequence[Name]) -> None:
        """Note that variables did not come back in a restore of the state after the last cell run."""
        if not names or not self._runs:
            return
        for name in names:
            self._live.pop(name, None)
            self._group_of.pop(name, None)
        self._lapses.append(Lapse(self._runs[-1].n, tuple(names)))

    def remark(self, remark: Remark) -> None:
        """Note something learned about a cell run after it ended; KeyError if there is no such run."""
        self._by_n[remark.n]
        if remark not in self._remarks:
            self._remarks.append(remark)

    def _is_live(self, version: Version) -> bool:
        record = self._live.get(version.name)
        return record is not None and record.n == version.n
