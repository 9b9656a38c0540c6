"""One comparison of the variables with what they were before a cell run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from elastictm.session.ambient import figure_names, handler_names, module_names, names_in_modules
from elastictm.session.ledger import Ledger
from elastictm.session.lots import Freezing, Lot, Sharing, Stopwatch
from elastictm.session.tracked import Group, Tracked
from elastictm.values.definitions import is_definition, named_definitions
from elastictm.values.freeze import Frozen, OutOfTime
from elastictm.values.kinds import ATOMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from elastictm.ids import DefinitionKey, Fingerprint, Name
    from elastictm.model.records import VersionRecord
    from elastictm.session.question import Question, Tools

_FORGETTING: Final = 0.7


@dataclass(frozen=True, slots=True)
class _Former:
    """A group as it was before members left it: name, address, digest and mentioned definitions of each."""

    members: tuple[tuple[Name, int, Fingerprint | None, tuple[DefinitionKey, ...]], ...]
    refused: frozenset[Name]


class Look:
    """One comparison under way."""

    def __init__(self, tools: Tools, question: Question) -> None:
        self.notes: list[str] = []
        self.deletes = [name for name in tools.variables if name not in question.values]
        self._tools = tools
        self._variables = tools.variables
        self._question = question
        self._values = question.values
        self._changeable = set(question.reached)
        self._watch = Stopwatch(tools.clock, tools.clock() + question.seconds)
        self._freezing = Freezing(tools.freezer, question.values, self._watch)
        self._named = named_definitions(question.values.values())
        self._named_then = self._named
        self.ledger = Ledger(tools, question, self._watch, self._named)
        self.beside: frozenset[Name] = frozenset()
        self.in_place: frozenset[Name] = frozenset()

    def writes(self) -> list[VersionRecord]:
        """The versions that were written; all variables are remembered as they are now."""
        fresh = self._fresh()
        leaving = [*self.deletes, *(name for name in fresh if name in self._variables)]
        touched = self._touched(fresh, leaving)
        self._follow_names(leaving, fresh)
        formers = self._part(leaving)
        lots = [lot for lot in (self._compared(group, formers.get(id(group))) for group in touched) if lot is not None]
        tied = self._tied_by_classes(lots, touched)
        lots += [lot for lot in (self._compared(group, formers.get(id(group))) for group in tied) if lot is not None]
        touched += tied
        self._renew(touched, formers)
        writes = self.ledger.enter(self._joined(lots, fresh))
        self.in_place = frozenset(record.name for record in writes) - set(fresh)
        return writes

    def _fresh(self) -> list[Name]:
        """The names that are bound to something else than before, or were not there."""
        found: list[Name] = []
        for name, value in self._values.items():
            tracked = self._variables.get(name)
            if tracked is None or tracked.identity != id(value):
                found.append(name)
            elif tracked.atomic and name in self._question.stored and not self._same_atom(tracked, value):
                # An address is used again as soon as its object is gone: it proves nothing once a cell bound the name.
                found.append(name)
        return found

    def _same_atom(self, tracked: Tracked, value: Any) -> bool:
        part = self._tools.freezer.start().add(tracked.record.name, value)
        return isinstance(part, Frozen) and part.digest == tracked.record.fingerprint

    def _touched(self, fresh: list[Name], leaving: list[Name]) -> list[Group]:
        """The groups whose data the cell could have changed, those that are quick to look at first.

        Among them are those of which nobody had time to see whether they share data.
        """
        gone, reached = set(fresh), self._question.reached
        variables = self._variables
        starts = [name for name in variables if name in reached]
        starts += [
            name
            for name in variables
            if name in self._question.stored and name not in reached and name not in gone and name in self._values
        ]
        found = [group for group in variables.groups_of(starts) if not self._is_atomic(group)]
        if found or any(type(self._values[name]) not in ATOMS for name in fresh):
            beside = [*self._beside(starts), *self._same_objects(fresh)]
            self._changeable |= set(beside)
            found = [group for group in variables.groups_of([*starts, *beside]) if not self._is_atomic(group)]
        return sorted(self._parted(found, leaving), key=lambda group: group.seconds)

    def _parted(self, found: list[Group], leaving: list[Name]) -> list[Group]:
        """Groups, with those that are only assumed to be some in their parts, so that they come apart."""
        variables = self._variables
        assumed = [group for group in self.ledger.groups if group.within]
        if not assumed:
            return found
        must = {id(group) for group in [*found, *variables.groups_of(leaving)]}
        parts: list[Group] = []
        for group in assumed:
            if id(group) not in must and group.seconds > self._watch.left:
                # The last look may have cost more than the next one, so it counts for less each time.
                group.seconds *= _FORGETTING
                continue
            if not self._changeable.isdisjoint(group.members):
                self._changeable.update(group.members)
            parts += [inner for inner in variables.part(group) if inner.members]
        return [group for group in found if not group.within] + parts

    def _can_change(self, name: Name) -> bool:
        return name in self._changeable or name in self._question.stored or name in self._in_changed_modules

    def _same_objects(self, fresh: list[Name]) -> list[Name]:
        """The variables with the very objects that fresh names have, come to them by way of a library."""
        objects = {id(self._values[name]) for name in fresh if type(self._values[name]) not in ATOMS}
        return [name for name in self._variables if self._variables[name].identity in objects] if objects else []

    def _beside(self, reached: list[Name]) -> list[Name]:
        """The variables that a cell may change without naming them."""
        held = figure_names(self._values, reached) | handler_names(self._values, reached)
        modules = self._tools.modules.changed(self._watch.allowance, self._question.n)
        self._in_changed_modules = names_in_modules(self._values, modules)
        unnamed = modules - {self._values[name].__name__ for name in module_names(self._values)}
        if unnamed and not self._in_changed_modules:
            self.notes.append(f"changed what no variable holds: {', '.join(sorted(unnamed))}")
        self.beside = held | self._in_changed_modules
        return [*held, *self._in_changed_modules]

    _in_changed_modules: frozenset[Name] = frozenset()

    def _is_atomic(self, group: Group) -> bool:
        return len(group.members) == 1 and self._variables[group.members[0]].atomic

    def _follow_names(self, leaving: list[Name], fresh: list[Name]) -> None:
        """Note which definitions lost their only name or got their first: digests mention named ones by name only."""
        variables, table = self._variables, self._tools.freezer.around.definitions
        first_new = table.next_key
        gained = set()
        for name in fresh:
            value = self._values[name]
            if is_definition(value):
                key = table.key(value)
                if key < first_new and not list(variables.naming([key])):
                    gained.add(id(value))
        lost = set()
        for name in leaving:
            key_then = variables.definition_of(name)
            definition = None if key_then is None else table.get(key_then)
            if key_then is not None and definition is not None and id(definition) not in self._named:
                lost.add(id(definition))
                variables.remember(key_then, self._tools.insides.mentions([definition], self._named))
        self._named_then = (self._named - gained) | lost

    def _part(self, leaving: list[Name]) -> dict[int, _Former]:
        """Take names that are gone or bound anew out of their groups, and return the groups as they were."""
        formers: dict[int, _Former] = {}
        for group in self._variables.groups_of(leaving):
            members = tuple(
                (name, self._variables[name].identity, group.digests.get(name), group.definitions.get(name, ()))
                for name in group.members
            )
            formers[id(group)] = _Former(members, frozenset(group.refusals))
        for name in leaving:
            self._variables.remove(name)
        return formers

    def _compared(self, group: Group, former: _Former | None) -> Lot | None:
        """A group that the cell could reach, frozen again and compared; None if nothing of it is left."""
        names = list(group.members)
        if not names:
            return None
        lot = Lot(names, group.seconds, known=True, refusals=dict(group.refusals))
        if not self._changeable.isdisjoint(names):
            # What cannot be frozen cannot be compared; where a cell could only bind its name, its identity has told.
            lot.changed.update(group.refusals)
        if not self._in_changed_modules.isdisjoint(names):
            lot.changed.update(names)
        could = any(map(self._can_change, names))
        lot.former = None if could else group
        if group.seconds > self._watch.allowance:
            # The last look may have cost more than the next one, so it counts for less each time.
            group.seconds *= _FORGETTING
            return self._not_looked_at(lot, group.seconds, could=could)
        started = self._watch.clock()
        try:
            same = former is None or self._is_as_before(former, names)
            self._freezing.freeze(lot, [name for name in names if name not in lot.refusals], self._named_then)
        except OutOfTime:
            return self._not_looked_at(lot, self._watch.clock() - started, could=could)
        lot.seconds = group.seconds = self._watch.clock() - started
        if former is None:
            same = _is_same(group, lot) or not (could or group.digests)
        if not same or lot.refusals.keys() != group.refusals.keys():
            lot.changed.update(names)
        if self._named != self._named_then and any(part.definitions for part in lot.parts.values()):
            lot.thaw()
        return lot

    def _tied_by_classes(self, lots: Iterable[Lot], touched: Iterable[Group]) -> list[Group]:
        """Groups with objects of classes that were definitions alone, and hold something that can change by now.

        Such a class is a value that its objects share.
        """
        gone: set[DefinitionKey] = set()
        for lot in lots:
            for name in lot.changed & set(self._variables):
                part = lot.parts.get(name)
                gone |= set(self._variables[name].record.definitions).difference(part.definitions if part else ())
        around = self._tools.freezer.around
        purity = self._tools.freezer.purity()
        changeable = {key for key in gone if (d := around.definitions.get(key)) is not None and not purity(d)}
        if not changeable:
            return []
        names = [name for name in self._variables if changeable.intersection(self._variables[name].record.definitions)]
        seen = set(map(id, touched))
        return [group for group in self._variables.groups_of(names) if id(group) not in seen]

    def _is_as_before(self, former: _Former, stay: list[Name]) -> bool:
        """Whether a group that lost members looks as before, with the objects of those members where they still are.

        Raises:
            OutOfTime: there was not enough of it.
        """
        lot = Lot(stay, frozen=self._tools.freezer.start(self._named_then))
        inside: Mapping[int, Any] | None = None
        waiting = set(stay) - former.refused
        for name, identity, digest, definitions in former.members:
            if not waiting:
                break
            if name in former.refused:
                continue
            value = self._values.get(name)
            if name not in waiting:
                if inside is None:
                    inside = self._objects_in(stay)
                if identity not in inside:
                    return False
                value = inside[identity]
            waiting.discard(name)
            part = self._freezing.one(lot, name, value)
            if not isinstance(part, Frozen) or part.mark != digest or part.definitions != definitions:
                return False
        return True

    def _objects_in(self, names: list[Name]) -> Mapping[int, Any]:
        return self._tools.surveyor.survey(
            [self._values[name] for name in names], out_of_time=self._watch.survey_is_over
        ).objects

    def _renew(self, touched: Iterable[Group], formers: Mapping[int, _Former]) -> None:
        """Freeze again the groups whose digests are no longer valid though the cell could not reach them.

        A digest depends on the members before it, and on which definitions have names.
        """
        seen = {id(group) for group in touched}
        renamed = self._named != self._named_then
        if not formers and not renamed:
            return
        groups = self._variables.groups_of(self._variables)
        for group in chain.from_iterable(each.within or [each] for each in groups):
            if id(group) in seen or not (id(group) in formers or (renamed and any(group.definitions.values()))):
                continue
            lot = Lot(list(group.members), group.seconds, refusals=dict(group.refusals))
            group.digests, group.definitions = {}, {}
            if group.seconds > self._watch.left:
                continue
            try:
                self._freezing.freeze(lot, [name for name in lot.names if name not in lot.refusals], self._named)
            except OutOfTime:
                continue
            lot.keep_in(group)

    def _not_looked_at(self, lot: Lot, seconds: float, *, could: bool) -> Lot:
        """A lot that there was no time for: taken for changed if the cell ``could`` do that."""
        lot.thaw()
        if could:
            lot.changed.update(lot.names)
            lot.given_up = True
            took = f"a look takes {seconds * 1000:.0f} ms, more than is left for it"
            self.notes.append(f"assumed written: {', '.join(lot.names)} ({took})")
        return lot

    def _joined(self, lots: list[Lot], fresh: list[Name]) -> list[Lot]:
        """The lots after the cell run, joined where they share mutable data, each frozen as it is now."""
        new = [Lot([name], changed={name}) for name in fresh]
        atoms = [lot for lot in new if type(self._values[lot.names[0]]) in ATOMS]
        apart = [lot for lot in new if type(self._values[lot.names[0]]) not in ATOMS]
        for lot in lots:
            # What changed may have come apart.
            apart += lot.members() if lot.changed and len(lot.names) > 1 else [lot]
        sharing = Sharing(self._tools.surveyor, self._values, self._watch, self._can_change)
        joined = [*atoms, *sharing.joined(apart)]
        self.notes += sharing.notes
        for lot in joined:
            self._complete(lot)
        return joined

    def _complete(self, lot: Lot) -> None:
        if lot.within:
            for inner in lot.within:
                self._complete(inner)
                lot.parts.update(inner.parts)
                lot.refusals.update(inner.refusals)
            lot.seconds = sum(inner.seconds for inner in lot.within)
            return
        missing = [name for name in lot.names if name not in lot.parts and name not in lot.refusals]
        if not missing or lot.given_up or (lot.former is not None and not lot.changed):
            return
        started = self._watch.clock()
        try:
            if self._named != self._named_then:
                lot.thaw()
                missing = [name for name in lot.names if name not in lot.refusals]
            self._freezing.freeze(lot, missing, self._named)
            lot.seconds += self._watch.clock() - started
        except OutOfTime:
            lot.thaw()
            lot.seconds = max(lot.seconds, self._watch.clock() - started)
            names = ", ".join(lot.names)
            self.notes.append(f"not looked at: {names} (more than {lot.seconds * 1000:.0f} ms)")


def _is_same(group: Group, lot: Lot) -> bool:
    """Whether what was frozen is as it was before.

    What nobody had time to look at before has no digests.
    """
    return all(
        group.digests.get(name) == part.mark and group.definitions.get(name) == part.definitions
        for name, part in lot.parts.items()
    )
