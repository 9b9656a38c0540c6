"""Freezing: one pass of the pickler gives stream, buffers, digest, size and seconds of a value, or why it has none.

The pickler runs at protocol 5 and is the walker: what it sees is what would be stored.
Without ``keep`` the stream goes into a digest and nowhere else, and buffers are hashed where they lie (DESIGN, freeze).
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final

import xxhash

from elastictm.ids import DefinitionKey, Fingerprint, Name
from elastictm.model.records import Refusal
from elastictm.values.definitions import Definition, DefinitionTable, Purity
from elastictm.values.libraries import named, shaping
from elastictm.values.memory import Slice, segments
from elastictm.values.passes import Clock, DeepPass, Fixture, OutOfTime, Pass, Sink
from elastictm.values.route import route_to
from elastictm.values.source import SourceLibrary
from elastictm.values.unsaid import attributes

__all__ = ["Freezer", "Frozen", "FrozenGroup", "GroupPass", "OutOfTime", "Surroundings", "Unit", "combined"]

_DEPTH_OF_OTHERS: Final = 100
"""A value that is less deep than this is no matter of ``_Depths``; pickle walks it at any time."""
_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Frozen:
    """One value of a group: digest, size in bytes with its buffers, seconds, and the code and definitions it uses.

    ``unsaid`` digests what classes with a say of their own may have left out; empty where none has one.
    """

    digest: Fingerprint
    size: int
    seconds: float
    definitions: tuple[DefinitionKey, ...]
    code: tuple[CodeType, ...] = ()
    unsaid: str = ""

    @property
    def mark(self) -> Fingerprint:
        """What tells whether the value has changed since it was last frozen in this process."""
        return Fingerprint(self.digest + self.unsaid) if self.unsaid else self.digest


@dataclass(frozen=True, slots=True)
class Unit:
    """A frozen group with its bytes: streams one after another, memory segments, and what it refers to.

    ``modules`` are the libraries that it names, ``shaped`` those of them that decide on what their objects look like.
    """

    names: tuple[Name, ...]
    stream: bytes
    segments: tuple[memoryview, ...]
    slices: tuple[Slice, ...]
    definitions: tuple[DefinitionKey, ...]
    sources: tuple[str, ...]
    modules: frozenset[str] = frozenset()
    shaped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FrozenGroup:
    """What freezing a group gave: a part for each name that can be stored, a refusal for each that cannot.

    ``kinds`` are the types of the objects inside that pickle takes apart by itself, and ``flaws`` tell what comes back
    with less than it had, ``partial`` are those types whose objects gave something else than all of their attributes;
    known where the bytes are kept.
    """

    parts: Mapping[Name, Frozen]
    refusals: Mapping[Name, Refusal]
    unit: Unit | None = None
    kinds: frozenset[type] = frozenset()
    flaws: Mapping[Name, Refusal] = field(default_factory=dict)
    partial: frozenset[type] = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the values of one session are frozen against and thawed into.

    ``singletons`` maps the types of objects that every session has one of to the names that stand for them;
    ``fixtures`` are objects of the shell's own, by such names, that variables may stand for.
    """

    namespace: dict[str, Any]
    definitions: DefinitionTable = field(default_factory=DefinitionTable)
    sources: SourceLibrary = field(default_factory=SourceLibrary)
    singletons: Mapping[type, str] = field(default_factory=dict)
    fixtures: Mapping[str, Any] = field(default_factory=dict)

    def standing_for(self, value: Any) -> Any:
        """What is written of a variable's value: for one of the shell's own objects, what stands for it."""
        return next((Fixture(name) for name, held in self.fixtures.items() if held is value), value)


class _Depths:
    """The addresses of values that were too deep for pickle when last frozen, so that it need not be tried again.

    An address may be that of another value later on: then this is a matter of speed, as digests are the same.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()

    def __contains__(self, value: object) -> bool:
        return id(value) in self._known

    def note(self, value: Any, depth: int) -> None:
        """A value was walked to this depth."""
        if depth < _DEPTH_OF_OTHERS:
            self._known.discard(id(value))
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(id(value))


class GroupPass:
    """One pass over the values of a group, one after the other; more can be added as long as none refused."""

    def __init__(
        self, around: Surroundings, clock: Clock, named: Container[int], depths: _Depths, *, keep: bool
    ) -> None:
        self._around = around
        self._clock = clock
        self._named = named
        self._depths = depths
        self._sink = Sink(clock, None, keep=keep)
        self._purity = Purity(around.namespace)
        self._run: Pass | DeepPass = Pass(around, self._sink, self._purity)
        self._names: list[Name] = []
        self._values: list[Any] = []
        self.flaws: dict[Name, Refusal] = {}

    def add(self, name: Name, value: Any, seconds: float | None = None) -> Frozen | Refusal:
        """Freeze one more value; after a refusal the pass is spoiled and must not go on.

        Raises:
            OutOfTime: it would take longer than ``seconds``.
        """
        if value is self._around.namespace:
            return Refusal(name, "cannot store the session's namespace as a value of itself")
        value = self._around.standing_for(value)
        started = self._clock()
        holders = sys.getrefcount(self._around.namespace)
        sink = self._sink
        sink.deadline = None if seconds is None else started + seconds
        try:
            if value in self._depths:
                self._go_deep()
            before = self._walk(value)
            run = self._run
            # A pickler keeps what it has written: one more holder says at once that there is something to look for.
            if sys.getrefcount(self._around.namespace) > holders and run.holds(self._around.namespace):
                path = route_to(value, self._around.namespace, name) or name
                return Refusal(path, "cannot store the session's namespace as a part of a value")
            for key in tuple(run.definitions)[before:]:
                sink.hasher.update(self._content(key, _Others(self._named, id(value))))
            unsaid = self._unsaid() if run.watched else ""
        except OutOfTime:
            raise
        except RecursionError:
            return Refusal(name, "nested too deeply in functions of its own to be stored")
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - a user's object may raise anything
            return Refusal(route_to(value, self._run.culprit, name) or name, _reason(error))
        self._names.append(name)
        self._values.append(value)
        if sink.kept is not None and run.losses:
            target, loss = run.losses[0]
            self.flaws[name] = Refusal(route_to(value, target, name) or name, loss)
        digest = Fingerprint(sink.hasher.hexdigest())
        return Frozen(digest, sink.size, self._clock() - started, tuple(run.definitions), tuple(run.code), unsaid)

    def unit(self) -> Unit:
        """All that was kept of the values added so far."""
        return _unit(tuple(self._names), self._run)

    def kinds(self) -> frozenset[type]:
        """The types of the objects inside that pickle takes apart by itself."""
        return self._run.kinds()

    def partial(self) -> frozenset[type]:
        """The types of objects that gave something else than all of their attributes."""
        return frozenset(self._run.partial)

    def _walk(self, value: Any) -> int:
        """Write a value; returns the number of definitions that were known before."""
        run = self._run
        before = self._begin()
        if isinstance(run, DeepPass):
            run.dump(value)
            self._depths.note(value, run.depth)
            return before
        try:
            run.dump(value)
        except RecursionError:
            self._depths.note(value, _DEPTH_OF_OTHERS)
            self._go_deep()
            return self._walk(value)
        return before

    def _begin(self) -> int:
        self._sink.start()
        self._run.culprit = None
        self._run.code.clear()
        self._run.losses.clear()
        self._run.watched.clear()
        return len(self._run.definitions)

    def _unsaid(self) -> str:
        """A digest of the attributes of all objects whose classes may leave some out.

        Raises:
            OutOfTime: there was not enough of it.
        """
        hasher = xxhash.xxh3_128()
        waiting, seen = list(self._run.watched), set[int]()
        for value in waiting:
            if id(value) in seen:
                continue
            seen.add(id(value))
            for name, item in attributes(value):
                hasher.update(name.encode("utf-8", "surrogatepass"))
                run = Pass(self._around, Sink(self._clock, self._sink.deadline, keep=False), self._purity)
                try:
                    done = run.walked(item)
                except OutOfTime:
                    raise
                except Exception:  # noqa: BLE001 - what cannot be frozen is left out for that, and never seen to change
                    hasher.update(type(item).__qualname__.encode("utf-8", "surrogatepass"))
                    continue
                hasher.update(done.sink.hasher.digest())
                waiting += done.watched
        return hasher.hexdigest()

    def _go_deep(self) -> None:
        """Go on with a pass for any depth, with all that was added so far as it was."""
        if isinstance(self._run, DeepPass):
            return
        self._sink.start_over()
        self._run = DeepPass(self._around, self._sink, self._purity)
        for earlier in self._values:
            self._run.dump(earlier)

    def _content(self, first: DefinitionKey, named: Container[int]) -> bytes:
        """The content of a definition that no variable names, with all that it refers to; nothing for the others."""
        content = b""
        visited: set[DefinitionKey] = set()
        begun: list[tuple[bytes, Sink, Iterator[DefinitionKey]]] = []
        keys = iter((first,))
        while True:
            for key in keys:
                definition = self._around.definitions.get(key)
                if definition is None or key in visited:
                    continue
                visited.add(key)
                label = _name_of(definition).encode()
                if id(definition) not in named:
                    sink = Sink(self._clock, self._sink.deadline, keep=False)
                    run = Pass(self._around, sink, self._purity, definition)
                    begun.append((label, sink, keys))
                    keys = iter(run.walked(definition).definitions)
                    break
                content = _handed_on(begun, label)
            else:
                if not begun:
                    return content
                label, sink, keys = begun.pop()
                content = _handed_on(begun, label + sink.hasher.digest())


def _handed_on(begun: list[tuple[bytes, Sink, Iterator[DefinitionKey]]], content: bytes) -> bytes:
    """Content of a definition, given to the one that refers to it, or returned where there is none."""
    if begun:
        begun[-1][1].hasher.update(content)
    return content


class Freezer:
    """Freezes values of one session.

    Responsibilities:
    - digest groups of values within a time limit;
    - produce the units that an archive stores, for groups and for definitions;
    - name the inner object that refuses, and the way to it.
    """

    def __init__(self, around: Surroundings, clock: Clock = time.perf_counter) -> None:
        self.around = around
        self._clock = clock
        self._depths = _Depths()

    def start(self, named: Container[int] = frozenset(), *, keep: bool = False) -> GroupPass:
        """Begin a pass over a group.

        ``named`` are the addresses of definitions that are variables themselves, whose content is theirs and not part
        of what refers to them.
        """
        return GroupPass(self.around, self._clock, named, self._depths, keep=keep)

    def group(
        self,
        values: Mapping[Name, Any],
        named: Container[int] = frozenset(),
        *,
        keep: bool = False,
        left: Callable[[], float] | None = None,
    ) -> FrozenGroup:
        """Freeze values that may share objects, in their order, without those that refuse.

        Raises:
            OutOfTime: it would take longer than ``left`` says.
        """
        refusals: dict[Name, Refusal] = {}
        while True:
            run = self.start(named, keep=keep)
            parts: dict[Name, Frozen] = {}
            for name in [name for name in values if name not in refusals]:
                outcome = run.add(name, values[name], None if left is None else left())
                if isinstance(outcome, Refusal):
                    refusals[name] = outcome
                    break
                parts[name] = outcome
            else:
                if not keep:
                    return FrozenGroup(parts, refusals)
                return FrozenGroup(parts, refusals, run.unit(), run.kinds(), run.flaws, run.partial())

    def purity(self) -> Purity:
        """What decides which definitions are units; several can be frozen by what one of them finds."""
        return Purity(self.around.namespace)

    def definition(self, definition: Definition, purity: Purity | None = None) -> Unit | Refusal:
        """The unit of a definition that has one."""
        sink = Sink(self._clock, None, keep=True)
        run = Pass(self.around, sink, purity or self.purity(), definition)
        try:
            return _unit((), run.walked(definition))
        except Exception as error:  # noqa: BLE001 - a user's class may hold anything; it is kept in the refusal
            path = route_to(definition, run.culprit, definition.__name__)
            return Refusal(path or _name_of(definition), _reason(error))


def _name_of(definition: Definition) -> str:
    return str(getattr(definition, "__qualname__", definition.__name__))


def _unit(names: tuple[Name, ...], run: Pass | DeepPass) -> Unit:
    views, slices = segments(run.exports)
    kinds = run.kinds()
    return Unit(
        names,
        b"".join(run.sink.kept or ()),
        views,
        slices,
        tuple(run.definitions),
        tuple(run.sources),
        named(kinds, run.modules),
        shaping(kinds, run.modules),
    )


@dataclass(frozen=True, slots=True)
class _Others:
    """The definitions that variables other than the one at hand name: their content is not part of its own."""

    named: Container[int]
    own: int

    def __contains__(self, identity: object) -> bool:
        return identity in self.named and identity != self.own


def _reason(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if isinstance(error, TypeError | pickle.PicklingError) else f"{type(error).__name__}: {text}"


def combined(digests: Iterable[Fingerprint]) -> Fingerprint:
    """One digest for an alias group, from those of its members in order."""
    hasher = xxhash.xxh3_128()
    for digest in digests:
        hasher.update(digest.encode())
    return Fingerprint(hasher.hexdigest())
