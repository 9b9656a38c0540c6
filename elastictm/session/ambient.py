"""State that cells change though no name in them leads to it: the user's own modules, figures, handlers."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import FIGURES, FILTERS, HANDLERS, Name, RunNumber, holder
from elastictm.session.new_modules import NewModules
from elastictm.session.patches import Patches
from elastictm.values.freeze import Freezer, Frozen, OutOfTime
from elastictm.values.modules import data, is_own, origin, settled, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from elastictm.ids import Fingerprint

_PLAIN: Final = frozenset(sys.stdlib_module_names | {"__main__", "numpy", "elastictm"})
_PLOTTING: Final = frozenset({"matplotlib", "pylab", "seaborn"})
"""Elements of a container up to which each is asked whether it belongs to a figure."""
_MOST_SOURCE: Final = 1_000_000
"""Bytes of a module's source up to which it is kept as it was imported."""
_NOBODY: Final = RunNumber(-1)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a module holds: what its names are bound to, and the digests of what can change in place.

    Without digests there was no time for them.
    ``source`` is the text that it was imported from, ``n`` the cell run after which it was first seen so.
    """

    spec: Any
    bound: Mapping[str, Any]
    digests: Mapping[str, Fingerprint | None] | None
    source: bytes | None = None
    n: RunNumber = _NOBODY


class OwnModules:
    """What the user's own modules hold, as it was when last looked at.

    A module is stored by its name, so that the digest of a variable that holds it never changes: its content is
    followed here. What cannot be frozen in it counts by identity, since importing the module makes it anew.
    """

    def __init__(self, freezer: Freezer, clock: Callable[[], float]) -> None:
        self.patches = Patches()
        self._freezer = freezer
        self._clock = clock
        self._known: dict[str, tuple[Any, ...] | None] = {}
        self._first: dict[str, Picture] = {}
        self._refusing: dict[str, frozenset[str]] = {}
        self._new = NewModules()
        self._own: list[str] = []
        self._old = frozenset(name for name, _ in self._loaded())

    def changed(self, seconds: float, n: RunNumber = _NOBODY) -> frozenset[str]:
        """The modules that cell run ``n`` left otherwise than they were, or that take longer than ``seconds``.

        Of libraries those count whose attributes were bound anew.
        """
        end = self._clock() + seconds
        found = set(self.patches.changed(n))
        for name, module in self._loaded():
            try:
                now: tuple[Any, ...] | None = self._content(module, end)
            except OutOfTime:
                now = None
            if name in self._known and (now is None or now != self._known[name]):
                found.add(name)
            self._known[name] = now
            first = self._first.get(name)
            if first is None or first.spec is not module.__spec__:
                # It was just imported, or imported again: this is how an import makes it.
                self._first[name] = replace(self._picture(module, end), source=_source(module), n=n)
        return frozenset(found)

    def is_unclear(self, name: str) -> bool:
        """Whether nobody knows how a module's import made it: it was there before any look, or has too much in it."""
        first = self._first.get(name)
        return self.was_there(name) or first is None or first.digests is None

    def was_there(self, name: str) -> bool:
        """Whether a module was there before any look."""
        return name in self._old

    def names(self) -> tuple[str, ...]:
        """The modules of the user's own that are loaded."""
        return tuple(name for name, _ in self._loaded())

    def first(self, name: str) -> Picture | None:
        """What a module held when it was first seen after its import."""
        return self._first.get(name)

    def source(self, name: str) -> bytes | None:
        """The text that a module was imported from; None where it was not kept."""
        first = self._first.get(name)
        return None if first is None else first.source

    def altered(self, name: str) -> frozenset[str]:
        """The names in a module that are not as they were when it was first seen after its import."""
        return frozenset(key.partition(".")[0].removesuffix("()") for key in self.altered_parts(name))

    def altered_parts(self, name: str) -> frozenset[str]:
        """The same in detail: ``Class.attribute``, or ``name()`` for what a class or function keeps inside."""
        module, first = sys.modules.get(name), self._first.get(name)
        if module is None or first is None or first.spec is not module.__spec__:
            return frozenset()
        now = self._picture(module, math.inf)
        found = {key for key in first.bound.keys() | now.bound.keys() if first.bound.get(key) != now.bound.get(key)}
        then = first.digests or {}
        found |= {key for key, digest in (now.digests or {}).items() if digest != then.get(key, digest)}
        return frozenset(found)

    def _picture(self, module: ModuleType, end: float) -> Picture:
        digests: dict[str, Fingerprint | None] | None
        try:
            digests = {key: self._digest(settled(value), end) for key, value in data(module).items()}
        except OutOfTime:
            digests = None
        return Picture(module.__spec__, shape(module), digests)

    def _loaded(self) -> Iterator[tuple[str, ModuleType]]:
        # A thousand modules of libraries are judged once, by name.
        new = [name for name in self._new.names() if name not in self._own]
        self._own += [
            name for name in new if isinstance(sys.modules.get(name), ModuleType) and is_own(sys.modules[name])
        ]
        return ((name, sys.modules[name]) for name in self._own if name in sys.modules)

    def _content(self, module: ModuleType, end: float) -> tuple[Any, ...]:
        name = module.__name__
        values = data(module)
        digest = self._digest(self._without(values, name), end)
        if digest is None:
            self._refusing[name] = frozenset(key for key, value in values.items() if self._digest(value, end) is None)
            digest = self._digest(self._without(values, name), end)
        return shape(module), digest

    def _without(self, values: dict[str, Any], module: str) -> dict[str, Any] | None:
        refusing = self._refusing.get(module, frozenset())
        return {key: value for key, value in values.items() if key not in refusing} or None

    def _digest(self, value: Any, end: float) -> Fingerprint | None:
        left = end - self._clock()
        if left <= 0:
            raise OutOfTime
        outcome = self._freezer.start().add(Name("module"), value, left)
        return outcome.digest if isinstance(outcome, Frozen) else None


def _source(module: ModuleType) -> bytes | None:
    path = Path(str(module.__file__))
    try:
        return path.read_bytes() if path.suffix == ".py" and path.stat().st_size <= _MOST_SOURCE else None
    except OSError:
        return None


def names_in_modules(values: Mapping[Name, Any], modules: frozenset[str]) -> frozenset[Name]:
    """The variables that stand for these modules; where there is none, for what comes from them."""
    found: set[Name] = set()
    for module in modules:
        whole = [name for name, value in values.items() if value is sys.modules.get(module)]
        found.update(whole or [name for name, value in values.items() if origin(value) == module])
    return frozenset(found)


def module_names(values: Mapping[Name, Any]) -> frozenset[Name]:
    """The variables that stand for modules of the user's own."""
    return frozenset(name for name, value in values.items() if type(value) is ModuleType and is_own(value))


def figure_names(values: Mapping[Name, Any], reached: Iterable[Name]) -> frozenset[Name]:
    """The figures that pyplot has open, if a cell that reached such names may draw.

    Functions of plotting libraries, and of libraries that use them, draw on the current figure without naming it.
    What holds parts of a figure is in its group.
    """
    held = frozenset(name for name in values if holder(name) == FIGURES)
    may_draw = bool(held) and any(_may_draw(values[name]) for name in reached if name in values)
    return held if may_draw else frozenset()


def handler_names(values: Mapping[Name, Any], reached: Iterable[Name]) -> frozenset[Name]:
    """What stands for parts of loggers, if a cell that reached such names may log: handlers write, filters count."""
    held = frozenset(name for name in values if holder(name) in {HANDLERS, FILTERS})
    if not held:
        return held
    origins = (origin(values[name]).partition(".")[0] for name in reached if name in values)
    return held if any(origin == "logging" or origin not in _PLAIN for origin in origins) else frozenset()


def may_look_at_figures(values: Mapping[Name, Any], named: Iterable[Name]) -> bool:
    """Whether a cell that names these variables may ask pyplot for the figures that are open."""
    return any(origin(values[name]).partition(".")[0] in _PLOTTING for name in named if name in values)


def _may_draw(value: Any) -> bool:
    return origin(value).partition(".")[0] not in _PLAIN
