"""Taking stock before a save: every live variable frozen once, in the groups that really share data now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from elastictm.ids import DefinitionKey, Fingerprint, Name
from elastictm.model.progress import SILENT, Progress
from elastictm.model.records import Refusal
from elastictm.session.states import NOT_KEPT
from elastictm.session.tracked import Variables
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, FrozenGroup, OutOfTime, Unit
from elastictm.values.kinds import ATOMS
from elastictm.values.sharing import parted, partition
from elastictm.values.survey import Survey, Surveyor

_APART: Final = "cannot store what lies over the memory of a bytearray, an array or a mapping: the two would part"
NO_TIME: Final = f"{NOT_KEPT}: freezing it takes too long"
_SMALL: Final = 0.05
"""Seconds that a look at a small group takes at most."""
_OPENING: Final = (
    (b"elastictm.values.reducers.files", b"\x08raw_file"),
    (b"elastictm.values.reducers.databases", b"\x12connection_to_file"),
    (b"elastictm.values.reducers.buffers", b"\x0bmapped_file"),
)
"""What streams have inside that open files, connect to databases on file, or map files."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The live variables as they are now.

    ``groups`` are frozen with their bytes; ``definitions`` are the units of all functions and classes they refer to.
    ``ties`` are the names that share data, those that can be stored first, in the order in which they were frozen.
    ``astray`` are variables that are not as recording left them: something outside of cells changed them.
    ``flaws`` are what some that can be stored come back without, ``unchecked`` classes of which nobody knows.
    """

    groups: tuple[FrozenGroup, ...]
    definitions: Mapping[DefinitionKey, Unit]
    ties: tuple[tuple[Name, ...], ...]
    astray: frozenset[Name]
    flaws: Mapping[Name, Refusal] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()

    def sizes(self) -> dict[Name, tuple[int, float]]:
        """Bytes and seconds to serialise of each variable that can be stored."""
        return {name: (part.size, part.seconds) for group in self.groups for name, part in group.parts.items()}

    def refusals(self) -> dict[Name, Refusal]:
        """The variables that cannot be stored, and why."""
        return {name: refusal for group in self.groups for name, refusal in group.refusals.items()}

    def holding_files(self) -> Iterator[Name]:
        """The variables that open a file when they are loaded."""
        for group in self.groups:
            if group.unit is not None and any(
                module in group.unit.stream and call in group.unit.stream for module, call in _OPENING
            ):
                yield from group.unit.names

    def fingerprints(self) -> dict[Name, Fingerprint]:
        """The digest of each variable that can be stored, in the order of its group."""
        return {name: part.digest for group in self.groups for name, part in group.parts.items()}


def take_stock(
    values: Mapping[Name, Any],
    variables: Variables,
    freezer: Freezer,
    needed: Iterable[DefinitionKey] = (),
    progress: Progress = SILENT,
) -> Stock:
    """Freeze all values with their bytes, and besides the definitions that are ``needed`` for something else."""
    atoms = [name for name, value in values.items() if type(value) in ATOMS]
    rest = [name for name in values if name not in set(atoms)]
    surveyor = Surveyor(freezer.around)
    surveys: list[Survey] = []
    trodden: dict[int, Any] = {}
    for name in rest:
        surveys.append(surveyor.survey([values[name]], trodden=trodden))
        trodden.update(surveys[-1].objects)
    groups = [[name] for name in atoms]
    groups += [_in_recorded_order([rest[i] for i in cluster], variables) for cluster in partition(surveys)]
    apart = [rest[i] for i in parted(surveys) and parted([surveyor.survey([values[name]]) for name in rest])]
    return _stock(groups, dict.fromkeys(apart, _APART), values, variables, freezer, needed, progress=progress)


def take_stock_of(  # noqa: PLR0913, PLR0917 - what there is to freeze, and what with
    groups: Sequence[Sequence[Name]],
    values: Mapping[Name, Any],
    variables: Variables,
    freezer: Freezer,
    needed: Iterable[DefinitionKey],
    timed: Callable[[Sequence[Name]], AbstractContextManager[Callable[[], float] | None]],
) -> tuple[Stock, frozenset[Name]]:
    """Freeze some of all ``values`` with their bytes, in groups that are known, and definitions that are ``needed``.

    ``timed`` gives what tells how many seconds are left for a group, None where time is no matter.  The names that
    take longer are returned beside the stock, and are not in it.
    """
    surveyor = Surveyor(freezer.around)

    def survey(some: Sequence[Any], left: Callable[[], float] | None) -> Survey:
        return surveyor.survey(some, out_of_time=lambda: left is not None and left() < 0)

    named = named_definitions(values.values())
    frozen: dict[tuple[Name, ...], FrozenGroup] = {}
    apart: set[Name] = set()
    late: set[Name] = set()
    for names in groups:
        try:
            with timed(names) as left:
                if len(names) > 1 and variables[names[0]].group.foreign:
                    apart.update(names[i] for i in parted([survey([values[name]], left) for name in names]))
                if left is not None:
                    chosen = {name: values[name] for name in names if name not in apart}
                    frozen[tuple(chosen)] = freezer.group(chosen, named, keep=True, left=left)
        except OutOfTime:
            late.update(set(names) - _looked_at(names, variables))
    kept = [names for names in groups if not late.issuperset(names)]
    cut = dict.fromkeys(apart, _APART) | dict.fromkeys(late, NO_TIME)
    return _stock(kept, cut, values, variables, freezer, needed, frozen), frozenset(late)


def _looked_at(names: Sequence[Name], variables: Variables) -> set[Name]:
    """The members of an assumed group that were small enough to be looked at; they are kept without the others."""
    within = variables[names[0]].group.within
    return {name for inner in within if inner.seconds < _SMALL for name in inner.digests if name in names}


def _stock(  # noqa: PLR0913, PLR0917 - what there is to freeze, and what with
    names_of_groups: Iterable[Sequence[Name]],
    apart: Mapping[Name, str],
    values: Mapping[Name, Any],
    variables: Variables,
    freezer: Freezer,
    needed: Iterable[DefinitionKey],
    frozen: Mapping[tuple[Name, ...], FrozenGroup] = MappingProxyType({}),
    progress: Progress = SILENT,
) -> Stock:
    """Freeze groups, but those that are ``frozen``; those ``apart`` stay out of them, for the reason that each has."""
    named = named_definitions(values.values())
    shelf = _Shelf(freezer)
    for key in needed:
        shelf.first_refusal([key])
    groups: list[FrozenGroup] = []
    ties: list[tuple[Name, ...]] = []
    astray: set[Name] = set()
    for names in names_of_groups:
        cut = {name: Refusal(name, apart[name]) for name in names if name in apart}
        if cut:
            groups.append(FrozenGroup({}, cut))
        chosen = {name: values[name] for name in names if name not in cut}
        while True:
            group = frozen.get(tuple(chosen)) or freezer.group(chosen, named, keep=True)
            spoiled = shelf.spoiled(group)
            if not spoiled:
                break
            chosen = {name: value for name, value in chosen.items() if name not in spoiled}
            groups.append(FrozenGroup({}, spoiled))
        groups.append(group)
        progress(sum(part.size for part in group.parts.values()))
        astray.update(_astray(names, group, variables))
        if len(names) > 1:
            ties.append((*group.parts, *(name for name in names if name not in group.parts)))
    flaws = {name: flaw for group in groups for name, flaw in group.flaws.items()}
    return Stock(tuple(groups), shelf.units, tuple(ties), frozenset(astray), flaws)


def _in_recorded_order(names: list[Name], variables: Variables) -> list[Name]:
    """The names as recording froze them, so that digests can be compared; others after them."""
    order = [member for group in variables.groups_of(names) for member in group.members]
    places = {name: place for place, name in enumerate(order)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def _astray(names: Sequence[Name], group: FrozenGroup, variables: Variables) -> Iterable[Name]:
    """The variables of a group that recording does not know as they are.

    A group that came apart proves nothing: recording assumes sharing where it had no time to look.
    """
    recorded = variables.groups_of(names)
    if len(recorded) > 1 or any(name not in variables for name in names):
        yield from names
        return
    for name, part in group.parts.items():
        tracked = variables[name]
        if tracked.group.within:
            continue
        if tracked.atomic:
            expected = tracked.record.fingerprint
        elif [member for member in tracked.group.members if member not in tracked.group.refusals] == list(group.parts):
            expected = tracked.group.digests.get(name)
        else:
            continue
        if expected is not None and expected != (part.digest if tracked.atomic else part.mark):
            yield name


class _Shelf:
    """The units of definitions, each frozen once."""

    def __init__(self, freezer: Freezer) -> None:
        self._freezer = freezer
        self._purity = freezer.purity()
        self._refused: dict[DefinitionKey, Refusal] = {}
        self.units: dict[DefinitionKey, Unit] = {}

    def spoiled(self, group: FrozenGroup) -> dict[Name, Refusal]:
        """The members of a group that refer to a definition that cannot be stored."""
        found: dict[Name, Refusal] = {}
        for name, part in group.parts.items():
            refusal = self.first_refusal(part.definitions)
            if refusal is not None:
                found[name] = Refusal(f"{name} -> {refusal.path}", refusal.reason)
        return found

    def first_refusal(self, keys: Collection[DefinitionKey]) -> Refusal | None:
        """Have definitions, and what they refer to, in units; returns why one of them cannot be stored."""
        waiting, seen = list(keys), set(keys)
        while waiting:
            key = waiting.pop()
            if key in self._refused:
                return self._refused[key]
            if key not in self.units:
                definition = self._freezer.around.definitions.get(key)
                gone = Refusal(f"definition {key}", "it is gone")
                outcome = gone if definition is None else self._freezer.definition(definition, self._purity)
                if isinstance(outcome, Refusal):
                    self._refused[key] = outcome
                    return outcome
                self.units[key] = outcome
            for inner in self.units[key].definitions:
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
        return None
