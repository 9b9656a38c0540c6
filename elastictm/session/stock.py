"""Taking stock before a save: every live variable frozen once, in the groups that really share data now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from elastictm.ids import DefinitionKey, Fingerprint, Name
from elastictm.model.records import Refusal
from elastictm.session.tracked import Variables
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, FrozenGroup, Unit
from elastictm.values.kinds import ATOMS
from elastictm.values.sharing import partition
from elastictm.values.survey import Surveyor


@dataclass(frozen=True, slots=True)
class Stock:
    """The live variables as they are now.

    ``groups`` are frozen with their bytes; ``definitions`` are the units of all functions and classes they refer to.
    ``astray`` are variables that are not as recording left them: something outside of cells changed them.
    """

    groups: tuple[FrozenGroup, ...]
    definitions: Mapping[DefinitionKey, Unit]
    astray: frozenset[Name]

    def sizes(self) -> dict[Name, tuple[int, float]]:
        """Bytes and seconds to serialise of each variable that can be stored."""
        return {name: (part.size, part.seconds) for group in self.groups for name, part in group.parts.items()}

    def refusals(self) -> dict[Name, Refusal]:
        """The variables that cannot be stored, and why."""
        return {name: refusal for group in self.groups for name, refusal in group.refusals.items()}

    def fingerprints(self) -> dict[Name, Fingerprint]:
        """The digest of each variable that can be stored, in the order of its group."""
        return {name: part.digest for group in self.groups for name, part in group.parts.items()}


def take_stock(values: Mapping[Name, Any], variables: Variables, freezer: Freezer) -> Stock:
    """Freeze all values with their bytes."""
    named = named_definitions(values.values())
    shelf = _Shelf(freezer)
    groups: list[FrozenGroup] = []
    for names in _groups(values, variables, freezer):
        chosen = {name: values[name] for name in names}
        while True:
            group = freezer.group(chosen, named, keep=True)
            spoiled = shelf.spoiled(group)
            if not spoiled:
                break
            chosen = {name: value for name, value in chosen.items() if name not in spoiled}
            groups.append(FrozenGroup({}, spoiled))
        groups.append(group)
    astray = frozenset(name for group in groups for name in _astray(group, variables))
    return Stock(tuple(groups), shelf.units, astray)


def _groups(values: Mapping[Name, Any], variables: Variables, freezer: Freezer) -> list[list[Name]]:
    atoms = [name for name, value in values.items() if type(value) in ATOMS]
    rest = [name for name in values if name not in set(atoms)]
    surveyor = Surveyor(freezer.around)
    surveys = [surveyor.survey([values[name]]) for name in rest]
    found = [[name] for name in atoms]
    return found + [_in_recorded_order([rest[i] for i in cluster], variables) for cluster in partition(surveys)]


def _in_recorded_order(names: list[Name], variables: Variables) -> list[Name]:
    """The names as recording froze them, so that digests can be compared; others after them."""
    order = [member for group in variables.groups_of(names) for member in group.members]
    places = {name: place for place, name in enumerate(order)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def _astray(group: FrozenGroup, variables: Variables) -> Iterable[Name]:
    for name, part in group.parts.items():
        tracked = variables.get(name)
        if tracked is None:
            yield name
            continue
        if tracked.atomic:
            expected = tracked.record.fingerprint
        elif [member for member in tracked.group.members if member in group.parts] == list(group.parts):
            expected = tracked.group.digests.get(name)
        else:
            # Other company than recorded: data was shared, or no longer is, without a cell that did it.
            yield name
            continue
        if expected is not None and expected != part.digest:
            yield name


class _Shelf:
    """The units of definitions, each frozen once."""

    def __init__(self, freezer: Freezer) -> None:
        self._freezer = freezer
        self._refused: dict[DefinitionKey, Refusal] = {}
        self.units: dict[DefinitionKey, Unit] = {}

    def spoiled(self, group: FrozenGroup) -> dict[Name, Refusal]:
        """The members of a group that refer to a definition that cannot be stored."""
        found: dict[Name, Refusal] = {}
        for name, part in group.parts.items():
            refusal = self._first_refusal(part.definitions)
            if refusal is not None:
                found[name] = Refusal(f"{name} -> {refusal.path}", refusal.reason)
        return found

    def _first_refusal(self, keys: Collection[DefinitionKey]) -> Refusal | None:
        waiting, seen = list(keys), set(keys)
        while waiting:
            key = waiting.pop()
            if key in self._refused:
                return self._refused[key]
            if key not in self.units:
                definition = self._freezer.around.definitions.get(key)
                gone = Refusal(f"definition {key}", "it is gone")
                outcome = gone if definition is None else self._freezer.definition(definition)
                if isinstance(outcome, Refusal):
                    self._refused[key] = outcome
                    return outcome
                self.units[key] = outcome
            for inner in self.units[key].definitions:
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
        return None
