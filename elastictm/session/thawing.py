"""The process that loads what was written and tells what came of it; see `faith` for the one that asks.

It is given a folder with an archive of units and the names to look at; for each unit it writes a line before it loads
it and one after, so that a process that ends early tells where.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from elastictm.ids import DefinitionKey, Name, is_variable
from elastictm.model.records import Refusal
from elastictm.session.packing import definition_units, source_texts, unpacked
from elastictm.storage.readable import Readable
from elastictm.storage.reader import ArchiveReader
from elastictm.values.freeze import Surroundings
from elastictm.values.likeness import looks
from elastictm.values.thaw import Thawer

ARCHIVE: Final = "units.tm"
ORDER: Final = "order.json"
ANSWERS: Final = "answers"


class _StandIn:
    """Is there for an object that every session has one of."""


class _StandIns(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return self.setdefault(name, _StandIn())


def main(folder: str) -> None:
    """Load the units of an order, and answer."""
    here = Path(folder)
    order = json.loads((here / ORDER).read_text(encoding="utf-8"))
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    with ArchiveReader(here / ARCHIVE) as reader, (here / ANSWERS).open("w", encoding="utf-8") as answers:
        around = Surroundings(vars(module), singletons={_StandIn: "stand-in"})
        for filename, text in source_texts(reader).items():
            around.sources.add(filename, text)
        around.definitions.reserve([DefinitionKey(d.key) for d in reader.manifest.definitions])
        thawer = Thawer(around, definition_units(reader), _StandIns())
        _Loading(reader, thawer).context(order["context"])
        for index in order["suspects"]:
            answers.write(json.dumps({"unit": index}) + "\n")
            answers.flush()
            answers.write(json.dumps({"unit": index} | _Loading(reader, thawer).look(index)) + "\n")
            answers.flush()


class _Loading:
    """Loads units of an archive into the namespace."""

    def __init__(self, reader: Readable, thawer: Thawer) -> None:
        self._reader = reader
        self._thawer = thawer

    def context(self, indices: Iterable[int]) -> None:
        """Load what the code of others uses, in any order: what fails is tried once more."""
        waiting = list(indices)
        for _ in range(2):
            waiting = [index for index in waiting if isinstance(self._loaded(index), Refusal)]

    def look(self, index: int) -> dict[str, Any]:
        """What the values of a unit look like, or why they do not load."""
        outcome = self._loaded(index)
        if isinstance(outcome, Refusal):
            return {"refused": outcome.path, "reason": outcome.reason}
        return {"looks": {name: _told(name, value) for name, value in outcome.items()}}

    def _loaded(self, index: int) -> dict[Name, Any] | Refusal:
        unit = self._reader.manifest.units[index]
        try:
            outcome = self._thawer.group(unpacked(self._reader, unit))
        except BaseException as error:  # noqa: BLE001 - loading may even ask the process to end; the answer says so
            return Refusal(unit.names[0], f"{type(error).__name__}: {error}")
        if not isinstance(outcome, Refusal):
            around = self._thawer.around.namespace
            around.update({name: value for name, value in outcome.items() if is_variable(name)})
        return outcome


def _told(name: Name, value: Any) -> dict[str, tuple[str, str, bool]]:
    found = looks(value, name, (_StandIn,))
    return {path: (look.kind, look.text, look.opened) for path, look in found.items()}
