"""Units on their way into an archive, with all the functions, classes and source texts that they refer to, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from json import dumps, loads  # as they are now, whatever a cell puts in their place

from elastictm.errors import ArchiveDamaged
from elastictm.ids import DefinitionKey, Name
from elastictm.model.records import SettingsVersion
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable
from elastictm.values.freeze import Unit
from elastictm.values.memory import Slice
from elastictm.values.source import SourceLibrary
from elastictm.values.thaw import Frost

Put = Callable[[object], m.Blob]
"""Stores the bytes of a buffer."""


class Packer:
    """Puts units into one archive.

    Responsibilities:
    - give each unit of values its number;
    - bring along the units of definitions that they refer to, and theirs, each once;
    - gather the source texts that code is compiled from.
    """

    def __init__(self, put: Put, definitions: Mapping[DefinitionKey, Unit], sources: SourceLibrary) -> None:
        self._store = put
        self._definitions = definitions
        self._sources = sources
        self._keys: dict[DefinitionKey, None] = {}
        self._texts: dict[str, str] = {}
        self._units: list[m.Unit] = []
        self._modules: set[str] = set()

    @property
    def units(self) -> tuple[m.Unit, ...]:
        """The units of values so far."""
        return tuple(self._units)

    @property
    def modules(self) -> frozenset[str]:
        """The libraries that the units so far name."""
        return frozenset(self._modules)

    def add(self, unit: Unit) -> int:
        """Put a unit of values; returns its number."""
        self._units.append(self._put(unit))
        return len(self._units) - 1

    def refer(self, version: SettingsVersion) -> None:
        """Bring along what settings in the history refer to, as far as it is there."""
        self._keys.update(dict.fromkeys(key for key in version.definitions if key in self._definitions))
        self._bring(version.sources)

    def definitions(self) -> tuple[m.Definition, ...]:
        """Put the units of all definitions that were referred to."""
        found: list[m.Definition] = []
        waiting = list(self._keys)
        while waiting:
            key = waiting.pop(0)
            before = len(self._keys)
            found.append(m.Definition(key, self._put(self._definitions[key])))
            waiting += list(self._keys)[before:]
        return tuple(found)

    def sources(self) -> m.Blob:
        """Put the source texts."""
        return self._store(dumps(self._texts).encode())

    def _put(self, unit: Unit) -> m.Unit:
        self._keys.update(dict.fromkeys(unit.definitions))
        self._modules.update(unit.modules)
        self._bring(unit.sources)
        return packed(unit, self._store)

    def _bring(self, sources: Iterable[str]) -> None:
        for filename in sources:
            text = self._sources.text(filename)
            if text is not None:
                self._texts[filename] = text


def packed(unit: Unit, put: Put) -> m.Unit:
    """A unit whose bytes were put into an archive or a pack."""
    return m.Unit(
        # What lies in live memory first: those who wait for it wait less.
        segments=tuple([put(segment) for segment in unit.segments]),
        stream=put(unit.stream),
        buffers=tuple(m.Placement(s.segment, s.offset, s.length) for s in unit.slices),
        names=tuple(unit.names),
        definitions=tuple(unit.definitions),
        modules=tuple(sorted(unit.modules)),
        shaped=tuple(sorted(unit.shaped)),
    )


def unpacked(reader: Readable, unit: m.Unit) -> Frost:
    """A unit as it is in an archive."""
    return Frost(
        tuple(map(Name, unit.names)),
        reader.read(unit.stream),
        tuple(reader.read(blob) for blob in unit.segments),
        tuple(Slice(p.segment, p.offset, p.size) for p in unit.buffers),
        tuple(map(DefinitionKey, unit.definitions)),
    )


def definition_units(reader: Readable) -> Callable[[DefinitionKey], Frost]:
    """The units of an archive's definitions, by their number."""

    def find(key: DefinitionKey) -> Frost:
        for definition in reader.manifest.definitions:
            if definition.key == key:
                return unpacked(reader, definition.unit)
        raise ArchiveDamaged(f"{reader.name} refers to a definition {key} that it does not hold")

    return find


def source_texts(reader: Readable) -> dict[str, str]:
    """The source texts in an archive, by file name; ValueError where they are not readable."""
    texts: dict[str, str] = loads(bytes(reader.read(reader.manifest.sources)) or b"{}")
    return texts
