"""What an archive holds of a session, read before anything of it is restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from elastictm.errors import ArchiveDamaged
from elastictm.ids import Name, RunNumber, Version
from elastictm.model.history import History
from elastictm.model.records import CellRun
from elastictm.model.wire import decode_history
from elastictm.session.alterations import Alteration
from elastictm.session.packing import source_texts
from elastictm.session.states import StateReader
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable


@dataclass(frozen=True, slots=True)
class Saved:
    """A session in an archive: its history, what is kept of each variable, and the texts of its code.

    ``earlier`` is what is kept of versions that are dead by now; a state of a store has some.
    """

    reader: Readable
    history: History
    runs: Mapping[RunNumber, CellRun]
    entries: Mapping[Name, m.Entry]
    texts: Mapping[str, str]
    altered: tuple[Alteration, ...]
    earlier: Mapping[Version, m.Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, reader: Readable, history: History | None = None) -> Saved:
        """Read all but the values, and the history where it is not known.

        Raises:
            ArchiveDamaged: the history is not one.
        """
        try:
            history = decode_history(reader.read(reader.manifest.history)) if history is None else history
            texts = source_texts(reader)
        except ValueError as error:
            raise ArchiveDamaged(f"{reader.name}: {error}") from error
        runs = {run.n: run for run in history.runs}
        entries = {Name(entry.name): entry for entry in reader.manifest.entries}
        altered = tuple(map(Alteration.of, reader.manifest.altered))
        earlier = reader.earlier if isinstance(reader, StateReader) else {}
        return cls(reader, history, runs, entries, texts, altered, earlier)

    def entry(self, version: Version) -> m.Entry:
        """What is kept of a version that is alive, or an earlier one."""
        return self.earlier.get(version) or self.entries[version.name]

    def bytes(self, versions: Iterable[Version]) -> int:
        """What so many versions take."""
        return sum(self.entry(version).bytes for version in versions)

    def unit(self, index: int) -> m.Unit:
        """The unit that an entry refers to."""
        return self.reader.unit(index) if isinstance(self.reader, StateReader) else self.manifest.units[index]

    @property
    def manifest(self) -> m.Manifest:
        """The archive's table of contents."""
        return self.reader.manifest

    def sizes(self) -> dict[Name, tuple[int, float]]:
        """Bytes and seconds to serialise of each variable that has bytes."""
        return {name: (entry.bytes, entry.seconds) for name, entry in self.entries.items() if entry.unit is not None}
