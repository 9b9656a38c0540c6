"""Thawing: units become live values again, each definition once, in the namespace of the session that restores."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import CodeType, FunctionType
from typing import Any

from typing_extensions import Self

from elastictm.ids import DefinitionKey, Name
from elastictm.model.records import Refusal
from elastictm.values import rebuild
from elastictm.values.collecting import no_collections
from elastictm.values.definitions import Definition
from elastictm.values.freeze import Surroundings
from elastictm.values.memory import Slice, alone, buffers
from elastictm.values.passes import tells_by_itself
from elastictm.values.reducers import arrays, torch
from elastictm.values.source import CodePlace


@dataclass(frozen=True, slots=True)
class Frost:
    """A unit as read from an archive: its streams, the memory that its buffers lie in, and what it refers to."""

    names: tuple[Name, ...]
    stream: memoryview | bytes
    segments: tuple[memoryview, ...]
    slices: tuple[Slice, ...]
    definitions: tuple[DefinitionKey, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """What came with a value: its code, and whether all that made it is known to be told by its streams.

    Classes with a say of their own may hold what they do not tell.
    """

    code: tuple[CodeType, ...]
    plain: bool


class Thawer:
    """Loads the units of one archive into one session.

    Responsibilities:
    - load each definition at most once, however many units refer to it, cycles included;
    - give functions the session's namespace as their globals;
    - turn whatever a user's object raises into a refusal.
    """

    def __init__(
        self,
        around: Surroundings,
        definition_unit: Callable[[DefinitionKey], Frost],
        singletons: Mapping[str, Any],
    ) -> None:
        self._around = around
        self._definition_unit = definition_unit
        self._singletons = singletons
        self._definitions: dict[DefinitionKey, Definition] = {}
        self._moved: dict[tuple[str, str], dict[Name, None]] = {}

    @property
    def definitions(self) -> Mapping[DefinitionKey, Definition]:
        """The definitions loaded so far, by the number that they have in the archive."""
        return self._definitions

    @property
    def notes(self) -> tuple[str, ...]:
        """What came back on another device than it was on, a line for each device."""
        return tuple(
            f"there is no device {device} here, so tensors are on {found}: {', '.join(names)}"
            for (device, found), names in self._moved.items()
        )

    def move(self, names: Iterable[Name], device: str, found: str) -> None:
        """Note that memory which these variables share went to another device."""
        self._moved.setdefault((device, found), {}).update(dict.fromkeys(names))

    def group(
        self, frost: Frost, objects: Sequence[Any] = (), insides: dict[Name, Inside] | None = None
    ) -> dict[Name, Any] | Refusal:
        """The values of a group by name, or the reason why they do not load.

        ``objects`` are those that the streams refer to by the first numbers without making them.
        ``insides`` is given what came with each value.
        """
        with no_collections():
            return self._outcome(frost, objects, {} if insides is None else insides)

    def _outcome(self, frost: Frost, objects: Sequence[Any], insides: dict[Name, Inside]) -> dict[Name, Any] | Refusal:
        try:
            return self._group(frost, objects, insides)
        except RecursionError:
            pass
        try:
            # Streams of any depth load, but a definition is loaded while the one that refers to it is.
            self._load_innermost_first(frost.definitions)
            return self._group(frost, objects, insides)
        except Exception as error:  # noqa: BLE001 - as below
            return Refusal(", ".join(frost.names), f"{type(error).__name__}: {error}")

    def _group(self, frost: Frost, objects: Sequence[Any], insides: dict[Name, Inside]) -> dict[Name, Any] | Refusal:
        values: dict[Name, Any] = {}
        with _Loader(self, frost, self._singletons, None, objects) as loader:
            for name in frost.names:
                try:
                    values[name] = loader.load()
                    insides[name] = loader.inside()
                    if name == frost.names[-1]:
                        loader.finish()
                except RecursionError:
                    raise
                except Exception as error:  # noqa: BLE001 - a user's object may raise anything; the refusal keeps it
                    return Refusal(name, f"{type(error).__name__}: {error}")
        return values

    def _load_innermost_first(self, keys: Iterable[DefinitionKey]) -> None:
        """Load definitions that refer to each other in a long chain, each before the one that refers to it."""
        seen: set[DefinitionKey] = set()
        begun: list[DefinitionKey] = []
        inner = [iter(keys)]
        while inner:
            for key in inner[-1]:
                if key not in seen and key not in self._definitions:
                    seen.add(key)
                    begun.append(key)
                    inner.append(iter(self._definition_unit(key).definitions))
                    break
            else:
                inner.pop()
                if begun:
                    self.definition(begun.pop())

    def definition(self, key: DefinitionKey) -> Definition:
        """The definition with this number in the archive; raises whatever loading it raises."""
        if key not in self._definitions:
            with _Loader(self, self._definition_unit(key), self._singletons, key) as loader:
                try:
                    loader.load()
                    loader.finish()
                except BaseException:
                    self._definitions.pop(key, None)
                    raise
        return self._definitions[key]

    def has(self, key: DefinitionKey) -> bool:
        """Whether the definition with this number in the archive has it in the session too, and is loaded."""
        made = self._definitions.get(key)
        return made is not None and self._around.definitions.get(key) is made

    def register(self, key: DefinitionKey, made: Definition) -> None:
        """Make a definition known as soon as it exists, before the state that may refer to it."""
        self._definitions[key] = made

    @property
    def around(self) -> Surroundings:
        """The session that values are loaded into."""
        return self._around


class _Heard:
    """A stream that is read by methods of Python's, so that an interrupt is heard between two frames of it."""

    def __init__(self, stream: Any) -> None:
        self._file = io.BytesIO(stream)

    def read(self, size: int) -> bytes:
        """So many bytes."""
        return self._file.read(size)

    def readinto(self, memory: Any) -> int:
        """Bytes to fill memory with."""
        return self._file.readinto(memory)

    def tell(self) -> int:
        """How much was read."""
        return self._file.tell()

    def readline(self) -> bytes:
        """A line."""
        return self._file.readline()


class _Loader(pickle.Unpickler):
    """Loads the streams of one unit, resolving the calls that need a restore to methods of its own."""

    def __init__(
        self,
        thawer: Thawer,
        frost: Frost,
        singletons: Mapping[str, Any],
        root: DefinitionKey | None,
        objects: Sequence[Any] = (),
    ) -> None:
        self._known: list[Any] = []
        stream = _KNOW * len(objects) + frost.stream if objects else frost.stream
        self._buffers = buffers(frost.segments, frost.slices)
        self._size = len(stream)
        self._file = io.BytesIO(stream) if len(stream) < _AT_ONCE else _Heard(stream)
        super().__init__(self._file, buffers=chain(self._known, self._buffers))
        self._thawer = thawer
        self._keys: Sequence[DefinitionKey] = frost.definitions
        self._names = frost.names
        self._singletons = singletons
        self._root = root
        apart = alone(frost.segments, frost.slices)
        self._bases = arrays.Bases(frost.segments, {id(self._buffers[i]) for i in apart})
        self._code: dict[CodeType, None] = {}
        self._found: dict[int, Any] = {}
        self._known += map(self._answered, objects)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # They hold methods of this loader, and a cycle through buffers that arrays use cannot be collected.
        self.memo.clear()
        self._known.clear()

    def load(self) -> Any:
        """The next value; what is said of those before it is heeded."""
        value = super().load()
        while type(value) is rebuild.Tied:
            value = super().load()
        return value

    def finish(self) -> None:
        """Heed what is said of the last value."""
        if self._file.tell() < self._size:
            super().load()

    def _answered(self, known: Any) -> Any:
        """An object that streams refer to by number; calls that this loader answers are its own methods."""
        if type(known) is FunctionType and known.__module__ in _CALLS:
            return self.find_class(known.__module__, known.__name__)
        return known

    def inside(self) -> Inside:
        """What came with the value that was loaded last."""
        code, plain = tuple(self._code), not any(map(_has_a_say, self._found.values()))
        self._code.clear()
        return Inside(code, plain)

    def find_class(self, module: str, name: str) -> Any:
        """The function or class that a stream names."""
        if module == rebuild.__name__ and name in _METHODS:
            return getattr(self, _METHODS[name])
        if module == arrays.__name__ and name in {"array", "array_in_base"}:
            return getattr(self._bases, name)
        if module == torch.__name__ and name == "device_storage":
            return self._device_storage
        module = _MOVED.get(module, module)
        if module == "__main__" and name in self._thawer.around.namespace:
            # The process that restores may have a main module of its own.
            found = self._thawer.around.namespace[name]
        else:
            found = super().find_class(module, name)
        self._found[id(found)] = found
        return found

    def _definition(self, index: int) -> Definition:
        found = self._thawer.definition(self._keys[index])
        self._found[id(found)] = found
        return found

    def _body(self, filename: str, name: str, line: int, rank: int, flags: int) -> CodeType:
        found = self._thawer.around.sources.code(CodePlace(filename, name, line, rank, flags))
        self._code[found] = None
        return found

    def _text_name(self, number: int) -> str:
        return self._thawer.around.sources.filename(number)

    def _device_storage(self, memory: Any, device: str) -> Any:
        found = torch.device_here(device)
        if found != device:
            self._thawer.move(self._names, device, found)
        return torch.device_storage(memory, device)

    def _namespace(self) -> dict[str, Any]:
        return self._thawer.around.namespace

    def _singleton(self, name: str) -> Any:
        return self._singletons[name]

    def _function(self, *arguments: Any) -> FunctionType:
        made = rebuild.function(*arguments)
        self._register(made)
        return made

    def _class(self, maker: Callable[..., type], *arguments: Any) -> type:
        made = maker(*arguments)
        self._register(made)
        return made

    def _register(self, made: Definition) -> None:
        if self._root is not None:
            self._thawer.register(self._root, made)


_METHODS = {
    "definition": "_definition",
    "code": "_body",
    "text_name": "_text_name",
    "session_namespace": "_namespace",
    "singleton": "_singleton",
    "root_function": "_function",
    "root_class": "_class",
}


_CALLS = frozenset({rebuild.__name__, arrays.__name__, torch.__name__})
"""Modules with functions that a loader has methods for."""

_AT_ONCE = 2**22
"""Bytes of a stream that are loaded in a tenth of a second or two."""

_KNOW = pickle.NEXT_BUFFER + pickle.MEMOIZE + pickle.POP
"""Gives the next number to an object from outside."""

_MOVED = {"pathlib._local": "pathlib"}
"""Modules that some versions of Python keep under another name."""


def _has_a_say(found: Any) -> bool:
    """Whether what makes an object may be the doing of a class that tells less than its objects hold."""
    if isinstance(found, type):
        return tells_by_itself(found)
    if found is rebuild.bytecode:
        return True
    return getattr(found, "__module__", "").partition(".")[0] not in _TELLING


_TELLING = frozenset({__name__.partition(".")[0], "copyreg"})
"""Modules whose functions are not those of such classes."""
