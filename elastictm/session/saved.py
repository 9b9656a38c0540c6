"""What an archive holds of a session, read before anything of it is restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from elastictm.errors import ArchiveDamaged
from elastictm.ids import Name, RunNumber
from elastictm.model.history import History
from elastictm.model.records import CellRun
from elastictm.model.wire import decode_history
from elastictm.session.alterations import Alteration
from elastictm.session.packing import source_texts
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable


@dataclass(frozen=True, slots=True)
class Saved:
    """A session in an archive: its history, what is kept of each variable, and the texts of its code."""

    reader: Readable
    history: History
    runs: Mapping[RunNumber, CellRun]
    entries: Mapping[Name, m.Entry]
    texts: Mapping[str, str]
    altered: tuple[Alteration, ...]

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
        return cls(reader, history, runs, entries, texts, tuple(map(Alteration.of, reader.manifest.altered)))

    @property
    def manifest(self) -> m.Manifest:
        """The archive's table of contents."""
        return self.reader.manifest

    def sizes(self) -> dict[Name, tuple[int, float]]:
        """Bytes and seconds to serialise of each variable that has bytes."""
        return {name: (entry.bytes, entry.seconds) for name, entry in self.entries.items() if entry.unit is not None}
