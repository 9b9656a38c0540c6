"""The ledger of the variables: what a comparison found, entered as what is remembered of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elastictm.model.records import VersionRecord
from elastictm.session.tracked import Group, Mentions, Tracked
from elastictm.values.definitions import is_definition
from elastictm.values.freeze import OutOfTime
from elastictm.values.kinds import ATOMS, type_name

if TYPE_CHECKING:
    from elastictm.ids import Name, Version
    from elastictm.session.lots import Lot, Stopwatch
    from elastictm.session.question import Question, Tools


class Ledger:
    """Enters the lots of one comparison as groups of variables.

    ``named`` are the definitions that variables name now; ``ties`` are versions that share data in another company than
    before, or that changed together; ``groups`` are those before.
    """

    def __init__(self, tools: Tools, question: Question, watch: Stopwatch, named: frozenset[int]) -> None:
        self.ties: list[tuple[Version, ...]] = []
        self._tools = tools
        self._variables = tools.variables
        self._question = question
        self._values = question.values
        self._watch = watch
        self._named = named
        self.groups = tools.variables.groups_of(tools.variables)
        self._companies = {
            name: frozenset(group.members) for group in self.groups if len(group.members) > 1 for name in group.members
        }

    def enter(self, lots: list[Lot]) -> list[VersionRecord]:
        """Remember every lot as it is now, and return the versions that were written."""
        writes: list[VersionRecord] = []
        for lot in lots:
            group = Group(lot.names, refusals=lot.refusals, seconds=lot.seconds, foreign=lot.foreign)
            lot.keep_in(group)
            for name in lot.names:
                record = self._record(lot, name)
                self._track(lot, name, record, group)
                if record.n == self._question.n:
                    writes.append(record)
            company = frozenset(lot.names)
            if any(self._companies.get(name, frozenset({name})) != company for name in lot.names) or (
                lot.changed and len(company) > 1
            ):
                self.ties.append(tuple(self._variables[name].record.version for name in lot.names))
        return writes

    def _record(self, lot: Lot, name: Name) -> VersionRecord:
        tracked = self._variables.get(name)
        if tracked is not None and name not in lot.changed:
            return tracked.record
        part = lot.parts.get(name)
        value = self._values[name]
        kind = type_name(value)
        if part is None:
            size = tracked.record.size if tracked is not None else 0
            keys = tracked.record.definitions if tracked is not None else ()
            refusal = lot.refusals.get(name)
            return VersionRecord(name, self._question.n, kind, size, lot.seconds, None, refusal, keys, assumed=True)
        keys = part.definitions
        own = self._tools.freezer.around.definitions.key(value) if is_definition(value) else None
        return VersionRecord(
            name, self._question.n, kind, part.size, part.seconds, part.digest, None, keys, own if own in keys else None
        )

    def _track(self, lot: Lot, name: Name, record: VersionRecord, group: Group) -> None:
        value = self._values[name]
        tracked = self._variables.get(name)
        if tracked is not None and tracked.record is record:
            tracked.group = group
            if record.assumed and name in lot.parts:
                tracked.mentions = self._mentions(lot, name)
            return
        atomic = type(value) in ATOMS
        key = self._tools.freezer.around.definitions.key(value) if is_definition(value) else None
        self._variables.name_definition(name, key)
        mentions = Mentions() if atomic else self._mentions(lot, name)
        self._variables.put(name, Tracked(id(value), atomic, record, group, mentions))

    def _mentions(self, lot: Lot, name: Name) -> Mentions:
        part, insides = lot.parts.get(name), self._tools.insides
        surveys = next((inner for inner in lot.within if name in inner.names), lot).surveys
        among_all = insides.surveyed(surveys, self._named)
        if surveys and (lot.names == [name] or among_all == Mentions()):
            return among_all
        try:
            # What all of them mention together is right for each: little time is spent to tell whose it is.
            over = self._watch.value_is_over() if surveys else self._watch.survey_is_over
            return insides.mentions([self._values[name]], self._named, over)
        except OutOfTime:
            if surveys:
                return among_all
            if part is None:
                return self._mentions_of_unseen(name)
            return insides.frozen(part)

    def _mentions_of_unseen(self, name: Name) -> Mentions:
        """What the code inside a value may mention at most: what it did before, and what the cell could bring."""
        brought = self._question.brought
        if brought is None:
            return Mentions(opaque=(f"no time was left to look for code inside {name}",))
        known = self._variables.get(name)
        before = known.mentions if known is not None else Mentions()
        return Mentions(
            before.names | brought.names,
            tuple(dict.fromkeys((*before.opaque, *brought.opaque))),
            tuple(dict.fromkeys((*before.unrepeatable, *brought.unrepeatable))),
            before.definitions,
            before.ordered | brought.ordered,
        )
