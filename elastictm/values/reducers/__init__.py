"""How values are taken apart where pickle alone would lose something: one library a file.

A reducer module names its ``LIBRARY`` and offers ``reducers(module)``, a table from exact types to functions that
take a value and the pass that freezes it, and return what ``__reduce_ex__`` would.
It is asked only once its library has been imported by the session, so no type check imports anything.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, Final, Protocol

from elastictm.values.definitions import Definition
from elastictm.values.loaded import loaded
from elastictm.values.memory import Export
from elastictm.values.reducers import (
    arrays,
    bars,
    buffers,
    code,
    columns,
    compressed,
    contexts,
    databases,
    exceptions,
    figures,
    files,
    frames,
    instances,
    iterators,
    keys,
    markup,
    masked,
    matches,
    matplotlib,
    parsers,
    pillow,
    pools,
    queues,
    randomness,
    refusals,
    soup,
    stdlib,
    structs,
    tables,
    threads,
    torch,
    transforms,
    trees,
    validation,
    weak,
    writers,
)
from elastictm.values.source import CodePlace


class FreezingPass(Protocol):
    """What a reducer may ask of the pass that calls it."""

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's namespace."""
        ...

    @property
    def modules(self) -> set[str]:
        """The modules of what the stream names, to be added to."""
        ...

    def is_root(self, value: Any) -> bool:
        """Whether this value is the definition whose own unit is being written."""
        ...

    def reference(self, definition: Definition) -> int | None:
        """The index of a definition that has a unit of its own; None where it must be stored in place."""
        ...

    def place(self, body: CodeType) -> CodePlace | None:
        """Where in the session's sources a code object comes from."""
        ...

    def scope(self, content: dict[str, Any]) -> Any:
        """What stands in the stream for a namespace that names are looked up in."""
        ...

    def export(self, memory: Export) -> Any:
        """Hand over memory to be stored beside the stream; returns what stands for it there."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the bytes are kept, not only digested."""
        ...

    def aside(self, data: bytes) -> Any:
        """Hand over bytes to be stored beside the stream, which are no part of the digest."""
        ...

    def tie_later(self, target: Any, call: Callable[..., None], *arguments: Any) -> None:
        """Have a call made when the value is loaded, if anything but this holds the target: it may be garbage."""
        ...

    def seen(self, value: Any) -> bool:
        """Whether this array was written earlier in the pass; notes it if not."""
        ...

    def watch(self, value: Any, *, whole: bool) -> None:
        """Note an object whose class may leave out some of it; ``whole`` tells that it visibly did not."""
        ...

    def lose(self, value: Any, loss: str) -> None:
        """Note what an object comes back without, for the report."""
        ...

    def storable(self, value: Any) -> bool:
        """Whether a part could be stored by itself."""
        ...


_LIBRARIES: Final = (
    code,
    stdlib,
    exceptions,
    iterators,
    keys,
    buffers,
    parsers,
    files,
    writers,
    compressed,
    weak,
    contexts,
    tables,
    databases,
    threads,
    pools,
    queues,
    refusals,
    matches,
    arrays,
    masked,
    randomness,
    frames,
    trees,
    matplotlib,
    figures,
    transforms,
    torch,
    soup,
    markup,
    validation,
    structs,
    pillow,
    bars,
    columns,
    instances,
)
_WITH_SUBCLASSES: Final = (
    files,
    exceptions,
    threads,
    pools,
    parsers,
    compressed,
    refusals,
    markup,
    bars,
    transforms,
    instances,
)
"""Those that also offer ``kindred(kind, module)``, the reducer of a type that comes from one of theirs, or None."""


def loaded_reducers() -> Mapping[type, Any]:
    """The reducers of all libraries that the session has imported, by exact type."""
    return _reducers_of(tuple(library for library in _LIBRARIES if loaded(library.LIBRARY) is not None))


def kindred_reducer(kind: type) -> Any:
    """The reducer of a type that no table lists but that comes from a type whose library knows it; or None."""
    for library in _WITH_SUBCLASSES:
        module = loaded(library.LIBRARY)
        found = None if module is None else library.kindred(kind, module)
        if found is not None:
            return found
    numpy = loaded("numpy")
    return None if numpy is None else arrays.kindred_reducer(kind, numpy)


@functools.cache
def _reducers_of(libraries: tuple[Any, ...]) -> Mapping[type, Any]:
    return {kind: reduce for it in libraries for kind, reduce in it.reducers(sys.modules[it.LIBRARY]).items()}
