"""Bringing in what a run made: its values become those of the process that takes them, of the classes that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elastictm.errors import ArchiveDamaged, StateNotKept
from elastictm.ids import DefinitionKey, Name, is_variable
from elastictm.model.records import CellRun, Refusal
from elastictm.model.wire import decode_history
from elastictm.session.packing import definition_units, source_texts, unpacked
from elastictm.storage.closing import Closing
from elastictm.storage.crate import Crate
from elastictm.values.symbols import are_alike
from elastictm.values.thaw import Frost, Thawer

if TYPE_CHECKING:
    from elastictm.storage.manifest import Entry
    from elastictm.values.definitions import Definition
    from elastictm.values.freeze import Freezer, Surroundings


class Results(Closing):
    """The crate with what a run made, as a context manager.

    ``run`` is the cell run as it was recorded there, ``entries`` are its variables by name.
    """

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            ArchiveError: it is not there, or damaged.
        """
        self._crate = Crate(folder)
        try:
            history = decode_history(self._crate.read(self._crate.manifest.history))
            self._texts = source_texts(self._crate)
        except ValueError as error:
            self._crate.close()
            raise ArchiveDamaged(f"{folder}: {error}") from error
        self.run: CellRun = history.runs[-1]
        self.entries: Mapping[Name, Entry] = {Name(entry.name): entry for entry in self._crate.manifest.entries}

    def close(self) -> None:
        """Close the files; what was brought in stays valid."""
        self._crate.close()

    def variables(self) -> list[Name]:
        """The variables whose values are there."""
        return [name for name, entry in self.entries.items() if entry.unit is not None and is_variable(name)]

    def bring(self, names: Iterable[Name], freezer: Freezer, objects: Mapping[str, Any]) -> dict[Name, Any]:
        """Values of variables; those that share data there share it here.

        ``objects`` are those that every session has one of, by the names that stand for them.

        Raises:
            StateNotKept: one of them is not there, or does not load.
        """
        wanted, around = list(names), freezer.around
        for name in wanted:
            entry = self.entries.get(name)
            if entry is None or entry.unit is None:
                why = "the run did not make it" if entry is None else f"{entry.path}: {entry.reason}"
                raise StateNotKept(f"{name} cannot be taken: {why}")
        for filename, text in self._texts.items():
            around.sources.add(filename, text)
        keys = _Keys(self._crate, self._same(freezer), around)
        thawer = Thawer(around, keys.unit, objects)
        for key, definition in keys.here.items():
            thawer.register(key, definition)
        found: dict[Name, Any] = {}
        units = self._crate.manifest.units
        for index in dict.fromkeys(self.entries[name].unit for name in wanted):
            outcome = thawer.group(keys.moved(unpacked(self._crate, units[index or 0])))
            if isinstance(outcome, Refusal):
                raise StateNotKept(f"{outcome.path} does not load here: {outcome.reason}")
            found.update(outcome)
        for key, definition in thawer.definitions.items():
            around.definitions.bind(key, definition)
        return {name: found[name] for name in wanted}

    def _same(self, freezer: Freezer) -> dict[DefinitionKey, Definition]:
        """The definitions here that the crate has, as they are, with all that they refer to."""
        found: dict[DefinitionKey, Definition] = {}
        refer: dict[DefinitionKey, tuple[int, ...]] = {}
        for definition in self._crate.manifest.definitions:
            key, unit = DefinitionKey(definition.key), definition.unit
            live = freezer.around.definitions.get(key)
            here = None if live is None else freezer.definition(live)
            if live is None or here is None or isinstance(here, Refusal) or unit.segments:
                continue
            there = bytes(self._crate.read(unit.stream))
            if unit.definitions == here.definitions and are_alike(there, here.stream):
                found[key], refer[key] = live, unit.definitions
        while differing := [key for key in found if any(inner not in found for inner in refer[key])]:
            for key in differing:
                del found[key]
        return found


class _Keys:
    """The numbers that the definitions of a crate have here: their own where they are the same, else new ones."""

    def __init__(self, crate: Crate, same: Mapping[DefinitionKey, Definition], around: Surroundings) -> None:
        self._find = definition_units(crate)
        self.here = dict(same)
        self._number: dict[DefinitionKey, DefinitionKey] = {}
        table = around.definitions
        for key in (DefinitionKey(definition.key) for definition in crate.manifest.definitions):
            self._number[key] = key if key in same else table.next_key
            table.reserve([self._number[key]])
        self._there = {number: key for key, number in self._number.items()}

    def unit(self, key: DefinitionKey) -> Frost:
        """The unit of a definition by the number that it has here."""
        return self.moved(self._find(self._there[key]))

    def moved(self, frost: Frost) -> Frost:
        """A unit that refers to definitions by their numbers here."""
        return replace(frost, definitions=tuple(self._number[key] for key in frost.definitions))
