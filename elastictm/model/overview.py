"""How the recording of a session stands, as people see it."""

from __future__ import annotations

from dataclasses import dataclass

from elastictm.model.shown import Shown
from elastictm.model.tables import Table, age, amount


@dataclass(frozen=True, slots=True, repr=False)
class Standing(Shown):
    """A session under recording; ``age`` is in seconds, ``saving`` tells whether states are kept, in words.

    ``left`` tells what an earlier session left behind, and ``errors`` what went wrong in the recorder itself.
    """

    version: str
    age: float
    cells: int
    states: int
    bytes: int
    store: str
    saving: str
    left: str = ""
    errors: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The same as a dict of plain values."""
        return {
            "version": self.version,
            "age": self.age,
            "cells": self.cells,
            "states": self.states,
            "bytes": self.bytes,
            "store": self.store,
            "saving": self.saving,
            "left": self.left,
            "errors": list(self.errors),
        }

    def tables(self) -> tuple[Table, ...]:
        """One table, a row for each thing to know."""
        rows = (
            ("cells", str(self.cells)),
            ("states", f"{self.states}, {amount(self.bytes)} on disk; {self.saving}"),
            ("kept in", self.store or "no file yet: the first state makes one"),
        )
        notes = (*filter(None, [self.left]), "%elastictm? shows all words, %past the states, %migrate plan a save")
        heading = f"elastictm {self.version} records this session, since {age(self.age)}"
        return (Table(heading, ("", ""), rows, notes, tuple(f"went wrong: {error}" for error in self.errors)),)
