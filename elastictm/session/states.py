"""A state of a store as an archive: its manifest is put together from what the packs say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Final

import msgspec
from msgspec.structs import replace

from elastictm.errors import ArchiveDamaged
from elastictm.ids import Name, RunNumber, Version, is_variable
from elastictm.model.records import CellRun, Refusal, Remark
from elastictm.model.reports import Outcome, VariableReport
from elastictm.model.sessions import StateContents
from elastictm.model.tree import State, StateTree
from elastictm.model.wire import encode_history
from elastictm.planning.bonds import joined
from elastictm.storage import manifest as m
from elastictm.storage import pack as p
from elastictm.storage.store_reader import StoreReader

NOT_KEPT: Final = "it was not kept"
"""Begins the reason why a version has no bytes though it could have some."""

NOT_WANTED: Final = f"{NOT_KEPT}: dontsave"
"""The reason where the user wanted that."""


def versions_of(kept: p.Kept) -> tuple[Version, ...]:
    """The versions whose bytes a kept group has, in the order of its streams."""
    pairs = zip(kept.unit.names, kept.ns, strict=True)
    return tuple(Version(Name(name), RunNumber(n)) for name, n in pairs)


@dataclass(frozen=True, slots=True)
class _At:
    """A blob of one pack."""

    sequence: int
    blob: m.Blob


@dataclass(frozen=True, slots=True)
class Group:
    """A kept group, and the pack that it is in."""

    sequence: int
    kept: p.Kept

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions whose bytes it has, in the order of its streams."""
        return versions_of(self.kept)


@dataclass(slots=True)
class Shelves:
    """What the packs of a store hold, pack by pack as they were written; ``bytes`` on disk count by state."""

    records: dict[RunNumber, tuple[int, p.StateRecord]] = field(default_factory=dict)
    groups: dict[Version, list[Group]] = field(default_factory=dict)
    bytes: dict[RunNumber, int] = field(default_factory=dict)
    texts: list[_At] = field(default_factory=list)
    marks: dict[str, RunNumber | None] = field(default_factory=dict)
    forgotten: set[RunNumber] = field(default_factory=set)
    named: set[RunNumber] = field(default_factory=set)
    pause: p.Pause | None = None
    remarks: list[Remark] = field(default_factory=list)
    at: RunNumber | None = None
    environment: m.Environment | None = None
    read: set[int] = field(default_factory=set)

    def refresh(self, reader: StoreReader) -> None:
        """Take in the packs that are new."""
        for sequence, pack in reader.packs(self.read):
            self._add(sequence, pack)
            self.read.add(sequence)
        if reader.is_damaged:
            self._leave_out(reader.holds)

    def sift(self, reader: StoreReader) -> None:
        """Read all there is, and know nothing of what is damaged."""
        self._leave_out(reader.readable)

    def _leave_out(self, is_there: Callable[[int, m.Blob], bool]) -> None:
        """Know nothing of what is not there any more: it counts as not kept."""
        self.records = {
            n: (s, record)
            for n, (s, record) in self.records.items()
            if all(is_there(s, blob) for blob in _blobs(record))
        }
        self.texts = [at for at in self.texts if is_there(at.sequence, at.blob)]
        gone = {
            id(group)
            for group in self.kept()
            if not all(is_there(group.sequence, b) for b in (group.kept.unit.stream, *group.kept.unit.segments))
        }
        self.groups = {v: [g for g in groups if id(g) not in gone] for v, groups in self.groups.items()}

    def _add(self, sequence: int, pack: p.Pack) -> None:
        for record in pack.states:
            self.records[RunNumber(record.n)] = (sequence, record)
            self.named.update(RunNumber(n) for n in (record.n, record.parent) if n is not None)
        self.named.update(RunNumber(kept.at) for kept in pack.kept)
        if pack.states or pack.pause is not None:
            self.pause = pack.pause
        counted: set[int] = set()
        for record in pack.states:
            self._count(pack, RunNumber(record.n), (record.run,), counted)
        for kept in pack.kept:
            self._count(pack, RunNumber(kept.at), (kept.unit.stream, *kept.unit.segments), counted)
            group = Group(sequence, kept)
            for version in group.versions:
                self.groups.setdefault(version, []).append(group)
        if pack.sources.size:
            self.texts.append(_At(sequence, pack.sources))
        self.forgotten.update(map(RunNumber, pack.forgotten))
        self.marks.update({name: None if n is None else RunNumber(n) for name, n in pack.marks.items()})
        self.remarks += (Remark(RunNumber(remark.n), remark.text) for remark in pack.remarks)
        if pack.states or pack.at is not None:
            self.at = RunNumber(pack.states[-1].n if pack.at is None else pack.at)
        self.environment = pack.environment or self.environment

    def _count(self, pack: p.Pack, n: RunNumber, blobs: Iterable[m.Blob], counted: set[int]) -> None:
        """Count bytes on disk for a state, each chunk for the first that has it."""
        size = 0
        for blob in blobs:
            for index in blob.chunks:
                at = pack.chunks[index].at
                if at is not None and index not in counted:
                    counted.add(index)
                    size += at.stored
        self.bytes[n] = self.bytes.get(n, 0) + size

    def kept(self) -> Iterator[Group]:
        """All groups, each once."""
        seen: set[int] = set()
        for groups in self.groups.values():
            for group in groups:
                if id(group) not in seen:
                    seen.add(id(group))
                    yield group

    def holding(self, versions: frozenset[Version], line: frozenset[RunNumber]) -> Group | None:
        """The latest group on a line that has the bytes of all these versions."""
        first = next(iter(versions), None)
        found = [g for g in self.groups.get(first, ()) if g.kept.at in line] if first is not None else []
        return next((group for group in reversed(found) if versions.issubset(group.versions)), None)

    def tree(self, reader: StoreReader) -> StateTree:
        """The states of the store, of which the session stands in the one that it was in at the end.

        Those that cannot be read are lost, and so are those that come from them; if that is where the session stood,
        it now stands in the latest other one.
        """
        tree = StateTree()
        for n in sorted(self.records):
            sequence, record = self.records[n]
            parent = None if record.parent is None else RunNumber(record.parent)
            if parent is not None and parent not in tree:
                continue
            try:
                run = msgspec.json.decode(reader.read(sequence, record.run), type=CellRun)
            except ArchiveDamaged as error:
                reader.tell(error)
            else:
                tree.append(State(run, parent, tuple(map(Name, record.lapses))))
        tree.lose(self.named)
        if self.at is not None and self.at in tree:
            tree.go(self.at)
        tree.remark(remark for remark in self.remarks if remark.n in tree)
        tree.forget(self.forgotten)
        for name, at in self.marks.items():
            if at is not None and at in tree and at not in tree.forgotten:
                tree.tag(name, at)
        return tree


def _blobs(record: p.StateRecord) -> Iterator[m.Blob]:
    """All that a record of a state refers to."""
    yield record.run
    yield from record.generators.values()
    for definition in record.definitions:
        yield from (definition.unit.stream, *definition.unit.segments)
    for module in record.modules:
        yield from (file.blob for file in module.files)


def contents(reader: StateReader) -> StateContents:
    """What a state holds."""
    entries = sorted((e for e in reader.manifest.entries if is_variable(e.name)), key=lambda e: e.name)
    outcomes: list[tuple[m.Entry, Outcome]] = [(e, "stored" if e.unit is not None else "rerun") for e in entries]
    variables = (
        VariableReport(Name(e.name), outcome, e.kind, e.reason, e.path, e.bytes, e.seconds) for e, outcome in outcomes
    )
    return StateContents(reader.name, tuple(variables))


class StateReader:
    """One state, to be read as an archive.

    ``history`` is that of its line; ``manifest`` holds what is alive in it.
    """

    def __init__(self, reader: StoreReader, shelves: Shelves, tree: StateTree, n: RunNumber, name: str) -> None:
        self._reader = reader
        self._shelves = shelves
        self._places: list[_At | bytes] = []
        self._groups: list[Group] = []
        self._numbers: dict[int, int] = {}
        self._defined: dict[int, RunNumber] = {}
        self._line = [state.n for state in tree.line(n)]
        self.name = self.name_of(n, name)
        self.history = tree.history(n)
        self.manifest = self._manifest(tree)

    @staticmethod
    def name_of(n: RunNumber, session: str) -> str:
        """What a state of a session is called in reports."""
        return f"state {n} of {session}"

    def attach(self, reader: StoreReader) -> None:
        """Read from a store that was opened again."""
        self._reader = reader

    def read(self, blob: m.Blob) -> memoryview:
        """A blob's bytes."""
        if not blob.chunks:
            return memoryview(bytearray())
        place = self._places[blob.chunks[0]]
        if isinstance(place, _At):
            return self._reader.read(place.sequence, place.blob)
        return memoryview(bytearray(place))

    def place(self, blob: m.Blob) -> object:
        """Where a blob lies: what is equal for two of them is the same."""
        return self._places[blob.chunks[0]] if blob.chunks else None

    def raw(self, blob: m.Blob) -> bool:
        """Whether a blob lies there as it is, and need not be decompressed, as far as some of its chunks tell."""
        place = self._places[blob.chunks[0]] if blob.chunks else b""
        return isinstance(place, bytes) or self._reader.raw(place.sequence, place.blob)

    def _blob(self, place: _At | bytes) -> m.Blob:
        size = len(place) if isinstance(place, bytes) else place.blob.size
        if not size:
            return m.NOTHING
        self._places.append(place)
        return m.Blob((len(self._places) - 1,), 0, size)

    def _manifest(self, tree: StateTree) -> m.Manifest:
        history, records = self.history, self._shelves.records
        on_line = [(n, *records[n]) for n in self._line if n in records]
        definitions: dict[int, m.Definition] = {}
        generators: dict[str, m.Blob] = {}
        refusals: dict[Name, tuple[RunNumber, Refusal]] = {}
        modules: dict[str, m.OwnModule] = {}
        altered: tuple[m.AlteredModule, ...] = ()
        for n, sequence, record in on_line:
            for definition in record.definitions:
                self._defined[definition.key] = n
                definitions[definition.key] = m.Definition(definition.key, self._unit(sequence, definition.unit))
            for generator, blob in record.generators.items():
                generators[generator] = self._blob(_At(sequence, blob))
            for name, (path, reason) in record.refusals.items():
                refusals[Name(name)] = (n, Refusal(path, reason))
            altered = altered if record.altered is None else record.altered
            modules.update({module.name: self._module(sequence, module) for module in record.modules})
        units, entries, groups = self._units(refusals)
        texts: dict[str, str] = {}
        for at in (at for at in self._shelves.texts if self._reader.readable(at.sequence, at.blob)):
            texts.update(json.loads(bytes(self._reader.read(at.sequence, at.blob))))
        latest = tree.latest or 0
        return m.Manifest(
            saved_at=history.runs[-1].started,
            environment=self._shelves.environment or m.Environment("", "", "", "", {}, ""),
            history=self._blob(encode_history(history)),
            execution_count=latest + 1,
            entries=tuple(entries),
            units=tuple(units),
            definitions=tuple(definitions.values()),
            sources=self._blob(json.dumps(texts).encode()),
            generators=generators,
            modules=tuple(modules.values()),
            altered=altered,
            imported=tuple(dict.fromkeys(chain.from_iterable(record.imported for _, _, record in on_line))),
            groups=tuple(groups),
        )

    def _units(
        self, refusals: Mapping[Name, tuple[RunNumber, Refusal]]
    ) -> tuple[list[m.Unit], list[m.Entry], list[tuple[str, ...]]]:
        """The units of the groups that are alive, an entry for each variable, and the names of each alias group."""
        history, line = self.history, frozenset(self._line)
        entries: list[m.Entry] = []
        names_with: dict[Version, list[str]] = {}
        for group in history.partition():
            refused = {v: found for v in group if (found := _refusal(v, line, refusals, self._shelves)) is not None}
            held = self._shelves.holding(group - refused.keys(), line)
            order = held.versions if held is not None else ()
            ordered = [v for v in order if v in group] + sorted(v for v in group if v not in order)
            entries += [self._entry(v, held, refused.get(v)) for v in ordered]
            names: list[str] = [v.name for v in ordered]
            names_with.update((v, names) for v in ordered)
        groups: list[tuple[str, ...]] = []
        for tied in joined(history.live_groups()):
            parts = {id(part): part for part in map(names_with.__getitem__, sorted(tied))}
            groups.append(tuple(chain.from_iterable(parts.values())))
        return [self._unit(group.sequence, group.kept.unit) for group in self._groups], entries, groups

    @cached_property
    def earlier(self) -> Mapping[Version, m.Entry]:
        """Entries of versions that are dead in this state, and whose bytes may serve as inputs of its cells.

        Left out are those that come back without something, and those that hold what was defined anew since.
        """
        line, live = frozenset(self._line), self.history.live
        latest: dict[Version, Group] = {}
        for version, groups in self._shelves.groups.items():
            on_line = [group for group in groups if group.kept.at in line]
            record = live.get(version.name)
            if not on_line or (record is not None and record.n == version.n):
                continue
            group = max(on_line, key=_at)
            keys = self.history.record(version).definitions
            if version.name not in group.kept.flaws and all(self._defined.get(k, 0) <= group.kept.at for k in keys):
                latest[version] = group
        return {
            version: self._entry(version, latest[version], None)
            for version in sorted(latest, key=lambda v: _at(latest[v]))
        }

    def unit(self, index: int) -> m.Unit:
        """A unit that entries refer to, those of earlier versions included."""
        units, group = self.manifest.units, self._groups[index]
        return units[index] if index < len(units) else self._unit(group.sequence, group.kept.unit)

    def _entry(self, version: Version, held: Group | None, refusal: Refusal | None) -> m.Entry:
        record = self.history.record(version)
        if held is None or version not in held.versions:
            why = refusal or Refusal(version.name, NOT_KEPT)
            entry = m.Entry(version.name, version.n, record.kind, "rerun", why.reason, why.path, record.size)
            return replace(entry, fingerprint=record.fingerprint)
        place = held.versions.index(version)
        return m.Entry(
            name=version.name,
            n=version.n,
            kind=record.kind,
            outcome="stored",
            bytes=held.kept.sizes[place],
            seconds=held.kept.seconds[place],
            unit=self._index(held),
            fingerprint=held.kept.fingerprints[place],
            flaw=held.kept.flaws.get(version.name, ""),
        )

    def _index(self, group: Group) -> int:
        """The number of a kept group among those that are used."""
        if id(group) not in self._numbers:
            self._numbers[id(group)] = len(self._groups)
            self._groups.append(group)
        return self._numbers[id(group)]

    def _module(self, sequence: int, module: m.OwnModule) -> m.OwnModule:
        files = tuple(replace(file, blob=self._blob(_At(sequence, file.blob))) for file in module.files)
        return replace(module, files=files)

    def _unit(self, sequence: int, unit: m.Unit) -> m.Unit:
        return replace(
            unit,
            stream=self._blob(_At(sequence, unit.stream)),
            segments=tuple(self._blob(_At(sequence, segment)) for segment in unit.segments),
        )


def _at(group: Group) -> int:
    return group.kept.at


def _refusal(
    version: Version,
    line: frozenset[RunNumber],
    refusals: Mapping[Name, tuple[RunNumber, Refusal]],
    shelves: Shelves,
) -> Refusal | None:
    """Why a version has no bytes; None where it has."""
    n, refusal = refusals.get(version.name, (RunNumber(-1), None))
    if n < version.n or any(group.kept.at in line for group in shelves.groups.get(version, ())):
        return None
    return refusal
