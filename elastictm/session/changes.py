"""Which variables a cell run created, re-bound, deleted or changed in place, and which share data afterwards.

Values are looked at once: the groups that the cell could reach are frozen and compared with what they were, new values
are frozen as they come, and only where two lots of mutable data might have met does a survey look for sharing.
Where time runs out, the answer is the worst that could have happened (DESIGN, promise 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from elastictm.ids import DefinitionKey, Fingerprint, Name, RunNumber, Version
from elastictm.model.names import names_of_code
from elastictm.model.records import Refusal, VersionRecord
from elastictm.session.tracked import Group, Mentions, Tracked, Variables
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, Frozen, GroupPass, OutOfTime
from elastictm.values.kinds import ATOMS, type_name
from elastictm.values.sharing import partition
from elastictm.values.survey import Survey, Surveyor

_LEAST_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one cell run.

    ``values`` are all live variables now, ``reached`` the names that the cell could reach in place and ``stored``
    those that it may have bound; ``seconds`` is the time that looking may take.
    """

    n: RunNumber
    values: Mapping[Name, Any]
    reached: frozenset[Name]
    stored: Container[Name]
    seconds: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What a cell run did to the variables."""

    writes: tuple[VersionRecord, ...]
    deletes: tuple[Name, ...]
    groups: tuple[tuple[Version, ...], ...]
    created: tuple[DefinitionKey, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Lot:
    """Names that belong together for all we know, the pass that froze them, and what a survey found in them."""

    names: list[Name]
    seconds: float
    frozen: GroupPass | None = None
    parts: dict[Name, Frozen] = field(default_factory=dict)
    refusals: dict[Name, Refusal] = field(default_factory=dict)
    survey: Survey | None = None
    changed: set[Name] = field(default_factory=set)
    given_up: bool = False

    def member(self, name: Name) -> _Lot:
        """One of the names by itself, as if it had not been frozen yet."""
        refusals = {name: self.refusals[name]} if name in self.refusals else {}
        return _Lot([name], self.seconds, refusals=refusals, changed={name}, given_up=self.given_up)


class ChangeDetector:
    """Compares the variables with what they were.

    Responsibilities:
    - decide, within a time, what was written, and say what was assumed;
    - keep ``variables`` (groups, digests, mentions) in step with what was found.
    """

    def __init__(self, variables: Variables, freezer: Freezer, clock: Callable[[], float]) -> None:
        self._variables = variables
        self._freezer = freezer
        self._surveyor = Surveyor(freezer.around)
        self._clock = clock
        self._names_in: dict[CodeType, Mentions] = {}

    def compare(self, question: Question) -> Changes:
        """What became of the variables; they are remembered as they are now."""
        first_key = self._freezer.around.definitions.next_key
        look = _Look(self, question)
        deletes = look.departed()
        fresh = look.fresh()
        touched = look.touched(fresh)
        look.forget(deletes, fresh)
        lots = [lot for lot in map(look.compared, touched) if lot is not None]
        look.renew(lots)
        groups = look.joined(lots, fresh)
        writes = look.records(groups)
        last_key = self._freezer.around.definitions.next_key
        created = tuple(DefinitionKey(key) for key in range(first_key, last_key))
        return Changes(tuple(writes), tuple(deletes), tuple(look.ties), created, tuple(look.notes))

    @property
    def variables(self) -> Variables:
        """What is remembered of the variables."""
        return self._variables

    @property
    def freezer(self) -> Freezer:
        """What freezes values."""
        return self._freezer

    @property
    def surveyor(self) -> Surveyor:
        """What looks for sharing."""
        return self._surveyor

    @property
    def clock(self) -> Callable[[], float]:
        """The time in seconds."""
        return self._clock

    def mentions(self, name: Name, value: Any, code: tuple[CodeType, ...], keys: tuple[DefinitionKey, ...]) -> Mentions:
        """The names that the code inside a value uses."""
        bodies: dict[CodeType, None] = dict.fromkeys(code)
        inside: list[Any] = [value] if isinstance(value, (FunctionType, type)) else []
        for key in keys:
            definition = self._freezer.around.definitions.get(key)
            # A definition that another name stands for is reached through that name, as it is then.
            if definition is not None and not [other for other in self._variables.naming([key]) if other != name]:
                inside.append(definition)
        if inside:
            bodies.update(dict.fromkeys(self._surveyor.survey(inside).code))
        return _union([self._mentioned(body) for body in bodies])

    def _mentioned(self, body: CodeType) -> Mentions:
        known = self._names_in.get(body)
        if known is None:
            found = names_of_code(body)
            known = Mentions(found.loads | found.stores | found.deletes, found.opaque, found.unrepeatable)
            self._names_in[body] = known
        return known


class _Look:
    """One comparison under way."""

    def __init__(self, detector: ChangeDetector, question: Question) -> None:
        self.notes: list[str] = []
        self.ties: list[tuple[Version, ...]] = []
        self._detector = detector
        self._variables = detector.variables
        self._question = question
        self._values = question.values
        self._bereft: set[int] = set()
        self._end = detector.clock() + question.seconds
        self._named = named_definitions(question.values.values())

    @property
    def _left(self) -> float:
        return self._end - self._detector.clock()

    def departed(self) -> list[Name]:
        """The names that are gone."""
        return [name for name in self._variables if name not in self._values]

    def fresh(self) -> list[Name]:
        """The names that are bound to something else than before, or were not there."""
        found: list[Name] = []
        for name, value in self._values.items():
            tracked = self._variables.get(name)
            if tracked is None or tracked.identity != id(value):
                found.append(name)
            elif tracked.atomic and name in self._question.stored and not self._same_atom(tracked, value):
                # An address is used again as soon as its object is gone, so it proves nothing once a cell bound the name.
                found.append(name)
        return found

    def _same_atom(self, tracked: Tracked, value: Any) -> bool:
        part = self._detector.freezer.start().add(tracked.record.name, value)
        return isinstance(part, Frozen) and part.digest == tracked.record.fingerprint

    def touched(self, fresh: list[Name]) -> list[Group]:
        """The groups whose data the cell could have changed, those that are quick to look at first."""
        gone = set(fresh)
        names = [name for name in self._variables if name in self._question.reached or name in self._question.stored]
        alive = [name for name in names if name not in gone and name in self._values]
        groups = [g for g in self._variables.groups_of(names) if not self._is_atomic(g)]
        reached = {id(g) for g in self._variables.groups_of(alive)} | {
            id(g) for g in self._variables.groups_of(name for name in names if name in self._question.reached)
        }
        return sorted((g for g in groups if id(g) in reached), key=lambda g: g.seconds)

    def _is_atomic(self, group: Group) -> bool:
        return len(group.members) == 1 and self._variables[group.members[0]].atomic

    def forget(self, deletes: list[Name], fresh: list[Name]) -> None:
        """Take names that are gone or bound anew out of their groups, keeping what their digests say of the others."""
        leaving = [*deletes, *(name for name in fresh if name in self._variables)]
        for group in self._variables.groups_of(leaving):
            self._bereft.add(id(group))
            stay = [member for member in group.members if member not in leaving]
            heirs = self._expected(group, stay)
            for member in stay:
                if member in heirs:
                    group.digests[member] = heirs[member]
                else:
                    group.digests.pop(member, None)
        for name in leaving:
            self._variables.remove(name)

    def _expected(self, group: Group, stay: list[Name]) -> dict[Name, Fingerprint]:
        """The digests that unchanged members will have without those that leave.

        Each member is frozen after those before it, so only a common beginning keeps its digests, and a second name
        for the same object takes over the digest of the first.
        """
        found: dict[Name, Fingerprint] = {}
        identities = {self._variables[member].identity: member for member in reversed(group.members)}
        order = list(group.members)
        for place, member in enumerate(stay):
            before = identities[self._variables[member].identity]
            same_start = order[:place] == stay[:place]
            if same_start and order[place] in {member, before} and order[place] in group.digests:
                found[member] = group.digests[order[place]]
                order[place] = member
            else:
                break
        return found

    def compared(self, group: Group) -> _Lot | None:
        """A group that the cell could reach, frozen again and compared; None if nothing of it is left."""
        names = list(group.members)
        if not names:
            return None
        # What cannot be frozen cannot be compared.
        lot = _Lot(names, group.seconds, refusals=dict(group.refusals), changed=set(group.refusals))
        seconds = self._left
        if group.seconds > seconds or seconds < _LEAST_SECONDS:
            self._assume(lot, group.seconds)
            return lot
        started = self._detector.clock()
        try:
            self._freeze(lot, [name for name in names if name not in lot.refusals])
        except OutOfTime:
            self._assume(lot, self._detector.clock() - started)
            return lot
        lot.seconds = group.seconds = self._detector.clock() - started
        if any(group.digests.get(name) != part.digest for name, part in lot.parts.items()):
            lot.changed.update(names)
        if lot.refusals.keys() != group.refusals.keys():
            lot.changed.update(names)
        return lot

    def renew(self, lots: list[_Lot]) -> None:
        """Freeze again the groups that lost a member while the cell could not reach them: their digests depend on it."""
        seen = {name for lot in lots for name in lot.names}
        for group in self._variables.groups_of(self._variables) if self._bereft else ():
            lacking = [name for name in group.members if name not in group.digests and name not in group.refusals]
            if len(lacking) == 0 or group.members[0] in seen or not self._left_by_others(group):
                continue
            lot = _Lot(list(group.members), group.seconds, refusals=dict(group.refusals))
            try:
                self._freeze(lot, [name for name in lot.names if name not in lot.refusals])
            except OutOfTime:
                continue
            group.digests = {name: part.digest for name, part in lot.parts.items()}

    def _left_by_others(self, group: Group) -> bool:
        return id(group) in self._bereft and group.seconds <= self._left

    def _assume(self, lot: _Lot, seconds: float) -> None:
        lot.changed.update(lot.names)
        lot.given_up = True
        lot.frozen = None
        lot.parts.clear()
        names = ", ".join(lot.names)
        self.notes.append(f"assumed written: {names} (a look takes {seconds * 1000:.0f} ms, more than is left for it)")

    def _freeze(self, lot: _Lot, names: list[Name]) -> None:
        """Freeze names onto what a lot has; those that refuse are set apart and the pass begins again without them."""
        waiting = names
        while True:
            if lot.frozen is None:
                lot.frozen = self._detector.freezer.start(self._named)
                waiting = [name for name in (*lot.parts, *waiting) if name not in lot.refusals]
                waiting = list(dict.fromkeys(waiting))
                lot.parts.clear()
            for name in waiting:
                outcome = lot.frozen.add(name, self._values[name], max(self._left, _LEAST_SECONDS))
                if isinstance(outcome, Refusal):
                    lot.refusals[name] = outcome
                    lot.frozen = None
                    break
                lot.parts[name] = outcome
            else:
                return

    def joined(self, lots: list[_Lot], fresh: list[Name]) -> list[_Lot]:
        """The lots after the cell run, joined where they share mutable data, each frozen as it is now."""
        new = [_Lot([name], 0.0, changed={name}) for name in fresh]
        atoms = [lot for lot in new if type(self._values[lot.names[0]]) in ATOMS]
        mutable = [lot for lot in new if type(self._values[lot.names[0]]) not in ATOMS]
        apart: list[_Lot] = []
        whole: dict[frozenset[Name], _Lot] = {}
        for lot in lots:
            if lot.changed and len(lot.names) > 1:
                # What changed may have come apart.
                whole[frozenset(lot.names)] = lot
                apart += map(lot.member, lot.names)
            else:
                apart.append(lot)
        merged = [whole.get(frozenset(lot.names), lot) for lot in self._by_sharing([*apart, *mutable])]
        for lot in (*atoms, *merged):
            missing = [name for name in lot.names if name not in lot.parts and name not in lot.refusals]
            if not missing or lot.given_up:
                continue
            started = self._detector.clock()
            try:
                self._freeze(lot, missing)
                lot.seconds += self._detector.clock() - started
            except OutOfTime:
                lot.frozen = None
                lot.parts.clear()
                lot.seconds = max(lot.seconds, self._detector.clock() - started)
                names = ", ".join(lot.names)
                self.notes.append(f"not looked at: {names} (more than {lot.seconds * 1000:.0f} ms)")
        return [*atoms, *merged]

    def _by_sharing(self, lots: list[_Lot]) -> list[_Lot]:
        if len(lots) < 2 or not any(lot.changed for lot in lots):  # noqa: PLR2004 - a pair can share
            return lots
        waiting = sorted(lots, key=lambda lot: lot.seconds)
        together: list[_Lot] = []
        alone: list[_Lot] = []
        for lot in waiting:
            others = len(waiting) - len(alone)
            if others == 1:
                alone.append(lot)
                continue
            try:
                # A local list would hold the values once more than the count of references allows for.
                survey = self._detector.surveyor.survey(
                    (self._values[name] for name in lot.names), out_of_time=lambda: self._left < -_LEAST_SECONDS
                )
            except OutOfTime:
                together.append(lot)
                continue
            lot.survey = survey
            (alone if not survey.objects and not survey.spans or survey.isolated(self._holders(lot)) else together).append(lot)
        return [*alone, *self._united(together)]

    def _united(self, lots: list[_Lot]) -> list[_Lot]:
        unknown = [lot for lot in lots if lot.survey is None]
        if unknown and len(lots) > 1:
            names = ", ".join(name for lot in lots for name in lot.names)
            self.notes.append(f"assumed to share data: {names} (no time was left to look)")
            return [_merge(lots)]
        surveys = [lot.survey for lot in lots if lot.survey is not None]
        return [_merge([lots[i] for i in cluster]) for cluster in partition(surveys)]

    def _holders(self, lot: _Lot) -> Counter[int]:
        """How often each value is held for the names of the lot itself: by the namespace or the cache of outputs.

        The reference that the record of values holds is among those that the survey counts, as where it began.
        """
        return Counter(id(self._values[name]) for name in lot.names)

    def records(self, lots: list[_Lot]) -> list[VersionRecord]:
        """Remember every lot as it is now, and return the versions that were written."""
        writes: list[VersionRecord] = []
        for lot in lots:
            before = self._variables.groups_of(lot.names)
            changed_company = len(lot.names) > 1 or any(len(group.members) > 1 for group in before)
            digests = {name: part.digest for name, part in lot.parts.items()}
            group = Group(lot.names, digests, lot.refusals, lot.seconds)
            for name in lot.names:
                record = self._record(lot, name)
                self._track(lot, name, record, group)
                if record.n == self._question.n:
                    writes.append(record)
            if changed_company:
                self.ties.append(tuple(self._variables[name].record.version for name in lot.names))
        return writes

    def _record(self, lot: _Lot, name: Name) -> VersionRecord:
        tracked = self._variables.get(name)
        if tracked is not None and name not in lot.changed:
            return tracked.record
        part = lot.parts.get(name)
        kind = type_name(self._values[name])
        if part is None:
            size = tracked.record.size if tracked is not None else 0
            keys = tracked.record.definitions if tracked is not None else ()
            refusal = lot.refusals.get(name)
            return VersionRecord(name, self._question.n, kind, size, lot.seconds, None, refusal, keys, assumed=True)
        keys = part.definitions
        return VersionRecord(name, self._question.n, kind, part.size, part.seconds, part.digest, None, keys)

    def _track(self, lot: _Lot, name: Name, record: VersionRecord, group: Group) -> None:
        value = self._values[name]
        tracked = self._variables.get(name)
        if tracked is not None and tracked.record is record:
            tracked.group = group
            return
        atomic = type(value) in ATOMS
        if type(value) is FunctionType or isinstance(value, type):
            key = self._detector.freezer.around.definitions.key(value)
            self._variables.name_definition(name, key)
        else:
            self._variables.name_definition(name, None)
        mentions = Mentions()
        part = lot.parts.get(name)
        if part is not None and (part.code or part.definitions):
            mentions = self._detector.mentions(name, value, part.code, part.definitions)
        elif part is None and not atomic:
            mentions = self._unfrozen(lot, name, value)
        self._variables.put(name, Tracked(id(value), atomic, record, group, mentions))

    def _unfrozen(self, lot: _Lot, name: Name, value: Any) -> Mentions:
        try:
            survey = lot.survey or self._detector.surveyor.survey([value], out_of_time=lambda: self._left < -0.05)
        except OutOfTime:
            return Mentions(opaque=(f"no time was left to look for code inside {name}",))
        return self._detector.mentions(name, value, survey.code, ())


def _union(mentions: list[Mentions]) -> Mentions:
    if not mentions:
        return Mentions()
    return Mentions(
        frozenset().union(*(m.names for m in mentions)),
        tuple(dict.fromkeys(reason for m in mentions for reason in m.opaque)),
        tuple(dict.fromkeys(reason for m in mentions for reason in m.unrepeatable)),
    )


def _merge(lots: list[_Lot]) -> _Lot:
    """One lot of several; the longest pass goes on, the others' values are frozen onto it."""
    if len(lots) == 1:
        return lots[0]
    first = max(lots, key=lambda lot: (lot.frozen is not None, len(lot.parts), lot.seconds))
    others = [lot for lot in lots if lot is not first]
    refusals = {name: refusal for lot in lots for name, refusal in lot.refusals.items()}
    names = [*first.names, *(name for lot in others for name in lot.names)]
    changed = {name for lot in lots for name in lot.changed}
    given_up = any(lot.given_up for lot in lots)
    return _Lot(names, max(lot.seconds for lot in lots), first.frozen, first.parts, refusals, None, changed, given_up)
