"""Comparing live variables with what an archive holds of them, where their digests differ and their values may not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from elastictm.ids import DefinitionKey, Name
from elastictm.model.records import Refusal
from elastictm.session.packing import definition_units, unpacked
from elastictm.storage.readable import Readable
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer, Unit
from elastictm.values.memory import buffers
from elastictm.values.streams import READ_AT_MOST, NotReadable, alike, read
from elastictm.values.thaw import Frost

_MEMORY_AT_MOST: Final = 50_000_000
"""Bytes of buffers that are read for the sake of one unit."""


class Comparison:
    """Live variables beside an archive.

    Responsibilities:
    - read what the archive holds of a group, and what freezing it now gives;
    - compare both, with the functions and classes that they refer to, each once.
    """

    def __init__(self, reader: Readable, values: Mapping[Name, Any], freezer: Freezer) -> None:
        self._reader = reader
        self._values = values
        self._freezer = freezer
        self._definition_unit = definition_units(reader)

    def alike(self, names: Collection[Name]) -> list[Name]:
        """Those of some variables that are what the archive holds of them."""
        named = named_definitions(self._values.values())
        found: list[Name] = []
        for unit in self._reader.manifest.units:
            members = tuple(map(Name, unit.names))
            if not set(members) & set(names) or not set(members) <= self._values.keys():
                continue
            now = self._freezer.group({name: self._values[name] for name in members}, named, keep=True).unit
            if now is None or now.names != members:
                continue
            try:
                pairs = zip(members, self._read(unpacked(self._reader, unit)), self._read(now), strict=True)
                found += [name for name, there, here in pairs if name in names and self._same(there, here)]
            except (NotReadable, ValueError):
                continue
        return found

    def _same(self, there: Any, here: Any) -> bool:
        """Whether two values are alike, and all the definitions that they refer to are."""
        met: list[DefinitionKey] = []
        if not alike(there, here, met.append):
            return False
        asked: set[DefinitionKey] = set()
        while met:
            key = met.pop()
            if key in asked:
                continue
            asked.add(key)
            definition = self._freezer.around.definitions.get(key)
            unit = None if definition is None else self._freezer.definition(definition)
            if unit is None or isinstance(unit, Refusal):
                return False
            pair = (list(self._read(self._definition_unit(key))), list(self._read(unit)))
            if len(pair[0]) != len(pair[1]) or not all(alike(a, b, met.append) for a, b in zip(*pair, strict=True)):
                return False
        return True

    @staticmethod
    def _read(unit: Frost | Unit) -> Iterator[Any]:
        size = sum(segment.nbytes for segment in unit.segments)
        if len(unit.stream) > READ_AT_MOST or size > _MEMORY_AT_MOST:
            raise NotReadable(f"{len(unit.stream)} bytes, and {size} of buffers")
        return read(unit.stream, unit.definitions, buffers(unit.segments, unit.slices))
