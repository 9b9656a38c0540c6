"""Values of another state, without going there: loaded when they are looked at, sharing nothing with the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from elastictm.errors import StateNotKept
from elastictm.ids import DefinitionKey, Name, is_variable
from elastictm.model.records import Refusal
from elastictm.session.host import Host
from elastictm.session.packing import definition_units, source_texts, unpacked
from elastictm.session.states import StateReader
from elastictm.values.freeze import Surroundings
from elastictm.values.thaw import Thawer

if TYPE_CHECKING:
    from elastictm.storage.store_reader import StoreReader


class _Globals(dict[str, Any]):
    """What the functions of a state see as their globals: its variables, each loaded when it is asked for."""

    def __init__(self, state: StateVariables) -> None:
        super().__init__({"__name__": "__main__"})
        self._state = state

    def __missing__(self, name: str) -> Any:
        if name not in self._state:
            raise KeyError(name)
        return self._state[name]


class StateVariables(Mapping[str, Any]):
    """The variables of one state by name; displayed results have names such as ``Out[5]``."""

    def __init__(self, reader: StateReader, host: Host, store: Callable[[], StoreReader]) -> None:
        self._reader = reader
        self._store = store
        self._entries = {entry.name: entry for entry in reader.manifest.entries}
        self._values: dict[str, Any] = {}
        around = Surroundings(_Globals(self), singletons={type(value): name for name, value in host.singletons.items()})
        for filename, text in source_texts(reader).items():
            around.sources.add(filename, text)
        around.definitions.reserve([DefinitionKey(d.key) for d in reader.manifest.definitions])
        self._thawer = Thawer(around, definition_units(reader), {**host.fixtures, **host.singletons})

    def __getitem__(self, name: str) -> Any:
        """The value.

        Raises:
            KeyError: the state has no such variable.
            StateNotKept: nothing was kept of it, or it does not load.
        """
        if name not in self._values:
            self._load(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._entries if is_variable(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        kinds = ", ".join(f"{name}: {self._entries[name].kind}" for name in self)
        return f"<{self._reader.name}: {kinds}>"

    def _load(self, name: str) -> None:
        entry = self._entries[name]
        if entry.unit is None:
            why = entry.reason or "it was not kept"
            raise StateNotKept(
                f"{name} of {self._reader.name} can only be made again by running cells: {why}. "
                f"%past {self._reader.history.runs[-1].n} goes there"
            )
        with self._store() as opened:
            self._reader.attach(opened)
            outcome = self._thawer.group(unpacked(self._reader, self._reader.manifest.units[entry.unit]))
        if isinstance(outcome, Refusal):
            raise StateNotKept(f"{name} of {self._reader.name} does not load: {outcome.path}: {outcome.reason}")
        found: dict[Name, Any] = {n: v for n, v in outcome.items() if n in self._entries}
        self._values.update({n: v for n, v in found.items() if self._entries[n].unit == entry.unit})
