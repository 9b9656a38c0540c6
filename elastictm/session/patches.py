"""Attributes that cells set on modules and classes of libraries: no variable holds them, and no import brings them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import RunNumber
from elastictm.values.kinds import FIXED, module_of
from elastictm.values.modules import is_own, is_this, name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping

    from elastictm.ids import Name, Version
    from elastictm.model.records import VersionRecord
    from elastictm.session.tracked import Variables
    from elastictm.storage import manifest as m

_CHAIN: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+(?P<bound>\s*(?:[-+*/@%&|^<>]{1,2})?=(?!=))?")
_INDIRECT: Final = re.compile(
    r"""(?:setattr|delattr|vars|patch\.object|patch\.multiple)\(\s*([\w.]+)(?:\s*,\s*["'](\w+)["'])?|([\w.]+)\.__dict__"""
)
_IMPORTED: Final = re.compile(r"\bimport\s+([\w.]+)\s+as\s+(\w+)")

_ELSEWHERE: Final = frozenset(
    {
        "sys.path",
        "warnings.filters",
        "time.tzname",
        "time.timezone",
        "time.altzone",
        "time.daylight",
        "sys.last_exc",
        "sys.last_type",
        "sys.last_value",
        "sys.last_traceback",
    }
)
"""What is followed as settings, or what Python itself binds anew."""
_STEADY: Final = FIXED | {FunctionType, BuiltinFunctionType, type, ModuleType}
_ABSENT: Final[Any] = object()
_UNKNOWN: Final[Any] = object()


@dataclass(slots=True)
class _Watched:
    """A module or class with what its attributes were first, and are now; ``whole`` watches those that come, too."""

    holder: Any
    module: str
    prefix: str
    whole: bool = False
    first: dict[str, Any] = field(default_factory=dict)
    now: dict[str, Any] = field(default_factory=dict)

    def watch(self, name: str) -> None:
        if name not in self.first and f"{self.module}.{self.prefix}{name}" not in _ELSEWHERE:
            self.first[name] = self.now[name] = vars(self.holder).get(name, _ABSENT)

    def watch_all(self) -> None:
        for name in tuple(vars(self.holder)):
            if not name.startswith("_"):
                self.watch(name)
        self.whole = True

    def differing(self) -> Iterator[tuple[str, Any]]:
        """The attributes that are not what they were when last looked at."""
        there = vars(self.holder)
        for name in self.new(there) if self.whole else ():
            self.first[name] = self.now[name] = _ABSENT
        for name, before in self.now.items():
            value = there.get(name, _ABSENT)
            if value is not before:
                yield name, value

    def new(self, there: Mapping[str, Any]) -> list[str]:
        """The names that came since."""
        return [name for name in there if name not in self.first and not name.startswith("_")]

    def is_of_import(self, name: str, value: Any) -> bool:
        """Whether an attribute came as libraries have theirs come when they are asked for."""
        if self.now[name] is not _ABSENT:
            return False
        home = str(getattr(value, "__module__", ""))
        lazy = "__getattr__" in vars(self.holder) and home.partition(".")[0] == self.module.partition(".")[0]
        return isinstance(value, ModuleType) or lazy


@dataclass(frozen=True, slots=True)
class _Change:
    n: RunNumber
    watched: _Watched
    name: str
    value: Any


class Patches:
    """What cells did to attributes of libraries.

    Responsibilities:
    - before a cell runs, note what the attributes are that its text names;
    - after it, tell the modules with others, and what the session changed in all;
    - when the session goes to another state, set the attributes as cells had left them there;
    - know the variables that have objects of libraries themselves.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._changes: list[_Change] = []
        self._fresh: list[tuple[list[str], str]] = []
        self._named: dict[int, Any] = {}
        self._shared: dict[Version, tuple[_Watched, str]] = {}

    @property
    def named(self) -> Container[int]:
        """The addresses of what the text of the last cell names in libraries, and can change: variables may have it."""
        return self._named

    def foresee(self, source: str, namespace: Mapping[str, Any]) -> None:
        """A cell with this text is about to run."""
        self._fresh.clear()
        self._named.clear()
        aliases = {alias: module for module, alias in _IMPORTED.findall(source)} if "import" in source else {}
        if "." in source:
            for match in _CHAIN.finditer(source):
                path = match[0][: match.start("bound") - match.start()] if match["bound"] else match[0]
                self._foresee(path.split("."), namespace, aliases, bound=bool(match["bound"]))
        for called, name, direct in _INDIRECT.findall(source):
            path = (called or direct).split(".")
            root = _root(path[0], namespace, aliases)
            watched = self._of(_walked(root, [*path, ""])[0])
            if watched is not None and name:
                watched.watch(name)
            elif watched is not None:
                watched.watch_all()

    def _foresee(
        self, path: list[str], namespace: Mapping[str, Any], aliases: Mapping[str, str], *, bound: bool
    ) -> None:
        root = _root(path[0], namespace, aliases)
        if root is None:
            if bound:
                self._fresh.append((path, aliases.get(path[0], path[0])))
            return
        holder, name = _walked(root, path)
        watched = self._of(holder)
        if watched is not None:
            watched.watch(name)
            value = vars(holder).get(name)
            if type(value) not in _STEADY:
                self._named[id(value)] = value

    def changed(self, n: RunNumber) -> frozenset[str]:
        """The modules in which cell run ``n`` left attributes otherwise than they were."""
        found: set[str] = set()
        for path, module in self._fresh:
            # It was loaded by the cell that bound its attribute: what that was before, nobody saw.
            holder, name = _walked(sys.modules.get(module), path)
            watched = self._of(holder)
            if watched is not None and name in vars(holder) and name not in watched.first:
                watched.first[name] = watched.now[name] = _UNKNOWN
        self._fresh.clear()
        for watched in tuple(self._watched.values()):
            for name, value in list(watched.differing()):
                of_import = watched.is_of_import(name, value)
                watched.now[name] = value
                if of_import or n < 0:
                    watched.first[name] = value
                else:
                    self._changes.append(_Change(n, watched, name, value))
                    found.add(watched.module)
        return frozenset(found)

    def meet(self, variables: Variables) -> None:
        """Note which variables have the very objects of libraries, as they are after a cell run."""
        if not (self._named or self._shared):
            return
        objects = {
            id(value): (watched, name)
            for watched in self._watched.values()
            for name, value in watched.now.items()
            if type(value) not in _STEADY
        }
        for name in variables:
            tracked = variables[name]
            if tracked.identity in objects:
                self._shared[tracked.record.version] = objects[tracked.identity]

    def apart(self, live: Mapping[Name, VersionRecord], namespace: Mapping[Name, Any]) -> Iterator[str]:
        """A line for each variable that was a library's own object and is another one since it was loaded."""
        for name, record in live.items():
            watched, key = self._shared.get(record.version, (None, ""))
            if watched is not None and name in namespace and namespace[name] is not vars(watched.holder).get(key):
                full = f"{watched.module}.{watched.prefix}{key}"
                yield f"MAY DIFFER: {name} was the very object {full}, and is a copy of it now; {full} stays as it is"

    def altered(self, runs: Container[RunNumber]) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """The attributes that are not what they were first, by module, and those of ``runs`` that changed them."""
        found: dict[str, tuple[set[str], set[int]]] = {}
        for change in self._changes:
            watched = change.watched
            if watched.now[change.name] is not watched.first[change.name]:
                names, cells = found.setdefault(watched.module, (set(), set()))
                names.add(watched.prefix + change.name)
                cells.update({int(change.n)} if change.n in runs else ())
        return {module: (tuple(sorted(names)), tuple(sorted(cells))) for module, (names, cells) in found.items()}

    def go(self, runs: Collection[RunNumber], told: Iterable[m.AlteredModule]) -> Iterator[str]:
        """Set attributes as these cell runs left them, a line for each that is not surely as it was.

        ``told`` is what was changed inside modules there, in this process or another.
        """
        seen: set[tuple[str, str]] = set()
        for watched, name in {(id(c.watched), c.name): (c.watched, c.name) for c in self._changes}.values():
            full = watched.prefix + name
            on_line = [c for c in self._changes if c.watched is watched and c.name == name and c.n in runs]
            if on_line:
                seen.add((watched.module, full))
            wanted = on_line[-1].value if on_line else watched.first[name]
            if wanted is watched.now[name]:
                continue
            cell = f"as cell {on_line[-1].n} left it" if on_line else "as it was before any cell changed it"
            failure = _set(watched.holder, name, wanted)
            if failure:
                yield f"MAY DIFFER: {watched.module}.{full} cannot be {cell}, and stays as it is: {failure}"
            else:
                watched.now[name] = wanted
                if wanted is not _ABSENT and type(wanted) not in _STEADY:
                    yield (
                        f"MAY DIFFER: {watched.module}.{full} is the very object again that it was, {cell}, "
                        "and what changed inside that since stays"
                    )
        loaded = {name: module for name, module in tuple(sys.modules.items()) if isinstance(module, ModuleType)}
        for each in told:
            missing = [name for name in each.changed if (each.name, name) not in seen]
            if missing and not (each.name in loaded and is_own(loaded[each.name])):
                cells = f"cell {', '.join(map(str, each.cells))}" if each.cells else "a cell"
                yield (
                    f"MAY DIFFER: what {cells} set inside the module {each.name} ({', '.join(missing)}) "
                    "was set in another process, and is not here; run it again"
                )

    def _of(self, holder: Any) -> _Watched | None:
        known = self._watched.get(id(holder))
        if known is not None or holder is None:
            return known
        is_class = issubclass(type(holder), type)
        name = module_of(holder) if is_class else name_of(holder)
        module = sys.modules.get(name)
        if not isinstance(module, ModuleType) or name == "__main__" or is_this(name) or is_own(module):
            return None
        if holder is not module and not is_class:
            return None
        made = self._watched[id(holder)] = _Watched(holder, name, f"{holder.__qualname__}." if is_class else "")
        return made


def _root(word: str, namespace: Mapping[str, Any], aliases: Mapping[str, str]) -> Any:
    """The module or class that a name stands for, or will stand for once the cell has imported it."""
    value = sys.modules.get(aliases[word]) if word in aliases else namespace.get(word, sys.modules.get(word))
    return value if _has_attributes(value) else None


def _walked(root: Any, path: list[str]) -> tuple[Any, str]:
    """The innermost module or class that a path leads to, and the name of the attribute in it."""
    place = 1
    while root is not None and place < len(path) - 1:
        inner = vars(root).get(path[place])
        if not _has_attributes(inner):
            break
        root, place = inner, place + 1
    return root, path[place]


def _has_attributes(value: Any) -> bool:
    """Whether a value is a module or a class, whatever it says itself."""
    return issubclass(type(value), (ModuleType, type))


def _set(holder: Any, name: str, value: Any) -> str:
    """Bind or unbind an attribute; returns why it cannot be."""
    if value is _UNKNOWN:
        return "what it was then was not seen"
    try:
        if value is _ABSENT:
            delattr(holder, name)
        else:
            setattr(holder, name, value)
    except Exception as error:  # noqa: BLE001 - a class of a library may raise anything; it is told
        return f"{type(error).__name__}: {error}"
    return ""
