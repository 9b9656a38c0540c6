"""Callbacks that wait for something to happen between cells, and the names that their code can come at."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import types
import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.names import CodeNames, names_of_code
from elastictm.values.kinds import module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from types import CodeType

    from elastictm.ids import Name

_FOLLOWED_UP_TO: Final = 2_000
"""Objects behind one callback, the nearest first.

What is behind more of them is not known, where the session wrote the callback; what a library registered for itself may
hold all of that library, and is taken to be no matter of the session's beyond them.
"""

_OF_PROGRAMS: Final = frozenset(
    {
        "IPython",
        "_asyncio",
        "_signal",
        "_thread",
        "asyncio",
        "concurrent",
        "debugpy",
        "elastictm",
        "ipykernel",
        "jupyter_client",
        "logging",
        "prompt_toolkit",
        "queue",
        "selectors",
        "socket",
        "threading",
        "zmq",
    }
)
"""Packages whose objects run kernels and loops: from there, everything can be come at, and nothing of it is meant."""

_NOT_FOLLOWED: Final = (
    type,
    types.ModuleType,
    types.FrameType,
    types.TracebackType,
    types.CoroutineType,
    types.GeneratorType,
    types.AsyncGeneratorType,
    types.CodeType,
)
_MRO: Final[Any] = type.__dict__["__mro__"]
_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, types.EllipsisType})
_DATA: Final = (list, dict, set, bytearray)
_NOTHING: Final[frozenset[Name]] = frozenset()


@dataclass(slots=True)
class _Found:
    """What is behind some callbacks: code of the session, its variables, and data that are no variable's own."""

    code: dict[CodeType, None] = field(default_factory=dict)
    names: set[Name] = field(default_factory=set)
    data: dict[int, None] = field(default_factory=dict)
    endless: bool = False


class Waiting:
    """Follows callbacks that can run between cells: of timers, signals, comms, and of the shell's events.

    ``names`` are those that callbacks could come at since the last cell run ended; ``opaque`` says that there may be
    more.
    """

    def __init__(self, namespace: dict[str, Any], shells: Callable[[], Iterable[Any]]) -> None:
        self._namespace = namespace
        self._shells = shells
        self._brought: dict[Hashable, frozenset[Name]] = {}
        self._known: weakref.WeakKeyDictionary[CodeType, CodeNames] = weakref.WeakKeyDictionary()
        self.names: frozenset[Name] = _NOTHING
        self.opaque = False

    def before(self, identities: Callable[[], Mapping[int, Name]]) -> None:
        """A cell is about to run: what came since the last one was brought by what waited then, and may be gone."""
        names, opaque = self.names, self.opaque
        self._look(names, identities)
        self.names, self.opaque = self.names | names, self.opaque or opaque

    def after(self, names: frozenset[Name], identities: Callable[[], Mapping[int, Name]]) -> None:
        """A cell has run that came at these names: what it left waiting may hold parts of their values."""
        self._look(names, identities)

    def _look(self, brought: frozenset[Name], identities: Callable[[], Mapping[int, Name]]) -> None:
        roots = [root for root in self._roots() if not self._is_of_programs(root)]
        if not roots:
            self._brought, self.names, self.opaque = {}, _NOTHING, False
            return
        found = self._behind(roots, identities())
        met: list[Hashable] = [*found.code, *found.data]
        self._brought = {key: self._brought.get(key, brought) for key in met}
        mentions = [self._mentioned(body) for body in found.code]
        self.names = frozenset(found.names).union(
            *(each.loads | each.stores | each.deletes for each in mentions), *self._brought.values()
        )
        self.opaque = found.endless or any(each.opaque for each in mentions)

    def _mentioned(self, body: CodeType) -> CodeNames:
        known = self._known.get(body)
        if known is None:
            known = self._known[body] = names_of_code(body)
        return known

    def _roots(self) -> Iterator[Any]:
        yield from self._shells()
        yield from _of_signals()
        yield from _of_comms()
        yield from _of_loop()

    def _is_of_programs(self, root: Any) -> bool:
        """Whether a callback is one of those that run the kernel, seen without a walk."""
        kind = type(root)
        if kind is types.MethodType:
            return _is_of_programs(type(root.__self__)) and not self._is_of_session(root.__func__)
        if kind is types.FunctionType:
            return not root.__closure__ and not root.__defaults__ and not self._is_of_session(root)
        if kind is types.BuiltinMethodType:
            return isinstance(root.__self__, types.ModuleType)
        return _is_of_programs(kind) or kind in _ATOMS

    def _is_of_session(self, function: Any) -> bool:
        return type(function) is types.FunctionType and function.__globals__ is self._namespace

    def _behind(self, roots: list[Any], identities: Mapping[int, Name]) -> _Found:
        found = _Found()
        for root in roots:
            waiting = deque([root])
            seen: dict[int, Any] = {id(self._namespace): self._namespace}
            while waiting and len(seen) <= _FOLLOWED_UP_TO:
                value = waiting.popleft()
                kind = type(value)
                if kind in _ATOMS or id(value) in seen:
                    continue
                seen[id(value)] = value
                waiting += self._inside(value, kind, found, identities)
            if waiting and self._is_of_session(getattr(root, "__func__", root)):
                found.endless = True
        return found

    def _inside(self, value: Any, kind: type, found: _Found, identities: Mapping[int, Name]) -> Iterable[Any]:
        """What an object holds that a callback may come at; what is the session's is noted."""
        name = identities.get(id(value))
        if name is not None and kind is not types.ModuleType:
            found.names.add(name)
            if kind is not types.FunctionType:
                return ()  # what its value holds is known of it already
        if kind is types.FunctionType:
            if self._is_of_session(value):
                found.code[value.__code__] = None
            return gc.get_referents(value.__closure__, value.__defaults__, value.__kwdefaults__)
        if issubclass(kind, weakref.ref):
            return [value()]
        if kind is types.BuiltinMethodType:
            if type(value.__self__) in _DATA and id(value.__self__) not in identities:
                found.data[id(value.__self__)] = None
            return [value.__self__]
        if issubclass(kind, _NOT_FOLLOWED) or _is_of_programs(kind):
            return ()
        self._add_class(kind, found)
        return gc.get_referents(value)

    def _add_class(self, kind: type, found: _Found) -> None:
        for base in _MRO.__get__(kind):
            for member in type.__dict__["__dict__"].__get__(base).values() if module_of(base) == "__main__" else ():
                function = _function_of(member)
                if self._is_of_session(function):
                    found.code[function.__code__] = None


def _function_of(member: Any) -> Any:
    if type(member) is property:
        return member.fget
    return member.__func__ if type(member) in {staticmethod, classmethod} else member


def _is_of_programs(kind: type) -> bool:
    module = module_of(kind)
    return module.partition(".")[0] in _OF_PROGRAMS or module.startswith("tornado.platform")


def _of_signals() -> Iterator[Any]:
    for number in _SIGNALS:
        handler = _handler_of(number)
        if handler is not None and not isinstance(handler, int):
            yield handler


_SIGNALS: Final = tuple(map(int, signal.valid_signals()))
_handler_of: Final = getattr(sys.modules.get("_signal"), "getsignal", signal.getsignal)
"""What the public function calls; making members of enumerations would cost ten times as much."""


def _of_comms() -> Iterator[Any]:
    """What runs when a front end sends something, or opens a connection."""
    comm = sys.modules.get("comm")
    if comm is None or "get_comm_manager" not in vars(comm):
        return
    manager = comm.get_comm_manager()
    yield from tuple(getattr(manager, "targets", {}).values())
    for each in tuple(getattr(manager, "comms", {}).values()):
        yield getattr(each, "_msg_callback", None)
        yield getattr(each, "_close_callback", None)


def _of_loop() -> Iterator[Any]:
    """What the event loop has yet to call, as far as it tells."""
    try:
        loop: Any = asyncio.get_running_loop()
    except RuntimeError:
        local = getattr(getattr(asyncio.events, "_event_loop_policy", None), "_local", None)
        loop = getattr(local, "_loop", None)
    selector = getattr(loop, "_selector", None)
    handles = [*getattr(loop, "_scheduled", ()), *getattr(loop, "_ready", ())]
    handles += getattr(loop, "_signal_handlers", {}).values()
    for key in tuple((getattr(selector, "get_map", dict)() or {}).values()):
        if isinstance(key.data, tuple):
            handles += key.data
    for handle in handles:
        yield getattr(handle, "_callback", None)
        yield from getattr(handle, "_args", None) or ()
