"""The walk behind a portrait: every value becomes one line of text, and the values inside it further lines.

The walk keeps its own stack, so that depth does not matter, and numbers what it meets, so that cycles end and sharing
shows.  It looks at values only; it calls nothing of theirs but what library types need in order to be looked at.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import (
    BuiltinFunctionType,
    BuiltinMethodType,
    ClassMethodDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any, Final, Literal, TypeAlias

_HEAP_TYPE: Final = 1 << 9
"""The flag of types that are not compiled into an interpreter or an extension as constants."""

_IN_C: Final = (MethodDescriptorType, ClassMethodDescriptorType, WrapperDescriptorType)
_MOVED: Final = {"pathlib._local": "pathlib"}
_RENAMED: Final = {"EnumType": "EnumMeta", "str_ascii_iterator": "str_iterator"}
"""Names that differ between versions of Python, or with what an iterator of the same kind goes over."""

_NOT_KEPT: Final = {"sklearn.utils._bunch.Bunch": frozenset({"_deprecated_key_to_warnings"})}
"""Attributes that a library leaves behind on purpose when its objects are copied, by type."""

_SORTS_NESTED_AT_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Inner:
    """A value inside another, and where."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of an object: a dict whose order does not matter, but whose identity does."""

    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a value shares with whoever else uses them.

    Spans of one ``keeper`` may overlap without any of its users seeing what another writes.
    """

    start: int
    stop: int
    keeper: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What is to be seen of one value.

    ``identity`` says whether it matters that two places hold this very object: not at all, inside one variable only
    (immutable containers), or anywhere.  ``whole`` says that ``inside`` covers the attributes of the object, too.
    """

    head: str
    inside: Iterable[Inner] = ()
    identity: Literal["none", "own", "shared"] = "shared"
    whole: bool = False
    memory: Memory | None = None
    base: Any = None


Look: TypeAlias = Callable[[Any, "Walk"], Sight]


@dataclass(slots=True)
class Shown:
    """One variable as it was walked: its lines, the numbers of its objects, and the memory that they use."""

    lines: list[str] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    shared: dict[int, int] = field(default_factory=dict)
    memory: list[tuple[Memory, int]] = field(default_factory=list)
    bases: list[tuple[int, int]] = field(default_factory=list)


class Walk:
    """Walks the variables of one namespace.

    Responsibilities:
    - find the look for a value: by its exact type, by that of a base, by what its type can reduce, by its attributes;
    - number objects, and keep all of them alive so that no address is used twice;
    - hold what is costly to find out once for all variables.
    """

    def __init__(
        self,
        looks: Mapping[type, Look],
        text_of: Callable[[Any, Walk], str | None],
        reduced: Look,
        scopes: Mapping[int, str],
    ) -> None:
        self._looks = looks
        self._text_of = text_of
        self._reduced = reduced
        self._alive: list[Any] = []
        self._sort_keys: dict[int, str] = {}
        self._sorting: list[int] = []
        self._facts: dict[tuple[str, int], Any] = {}
        self._type_texts: dict[type, str | None] = {}
        self.scopes = scopes

    def show(self, value: Any) -> Shown:
        """Walk one variable."""
        shown = Shown()
        stack: list[tuple[int, Inner]] = [(0, Inner("", value))]
        while stack:
            depth, inner = stack.pop()
            target = inner.value
            start = f"{depth} {inner.label}"
            text = self._text_of(target, self)
            if text is not None:
                shown.lines.append(f"{start}: {text}")
                continue
            key = id(target.content) if type(target) is Attributes else id(target)
            if key in shown.numbers:
                shown.lines.append(f"{start}: as #{shown.numbers[key]}")
                continue
            self._alive.append(target)
            sight = self.look(target)
            number = len(shown.numbers)
            if sight.identity == "none":
                shown.lines.append(f"{start}: {sight.head}")
            else:
                shown.numbers[key] = number
                shown.lines.append(f"{start}: #{number} {sight.head}")
                if sight.identity == "shared":
                    shown.shared[key] = number
            if sight.memory is not None and sight.memory.stop > sight.memory.start:
                shown.memory.append((sight.memory, number))
            if sight.base is not None:
                shown.bases.append((number, id(sight.base)))
                self._alive.append(sight.base)
            inside = list(sight.inside)
            self._alive += [each.value for each in inside]
            stack += [(depth + 1, each) for each in reversed(inside)]
        return shown

    def look(self, value: Any) -> Sight:
        """What is to be seen of a value that is no atom."""
        kind = type(value)
        if kind is Attributes:
            content = value.content
            return Sight("attributes", [Inner(name, content[name]) for name in sorted(content, key=str)], whole=True)
        bases = kind.__mro__ if enum.Enum not in kind.__mro__ else (enum.Enum,)
        found = next((self._looks[cls] for cls in bases if cls in self._looks), None)
        if found is None and compiled_base(kind) is not None:
            found = self._reduced
        sight = found(value, self) if found is not None else Sight("")
        named = self.type_text(kind)
        inside = [] if named is not None else [Inner("type", kind)]
        inside += sight.inside
        if not sight.whole:
            inside += attributes(value)
        head = f"{named or label_of(kind)} {sight.head}".rstrip()
        return Sight(head, inside, sight.identity, whole=True, memory=sight.memory, base=sight.base)

    def type_text(self, kind: type) -> str | None:
        """The name of a type that every process has; None for one that the session made."""
        if kind not in self._type_texts:
            known = importable(kind) or _compiled(kind)
            self._type_texts[kind] = label_of(kind) if known else None
        return self._type_texts[kind]

    def fact(self, subject: str, value: Any, find: Callable[[], Any]) -> Any:
        """What ``find`` returned when this was first asked of the value."""
        key = (subject, id(value))
        if key not in self._facts:
            self._alive.append(value)
            self._facts[key] = find()
        return self._facts[key]

    def ordered(self, members: Iterable[Any]) -> list[Any]:
        """Members of a set in an order that does not depend on hashes."""
        return sorted(members, key=self._sort_key)

    def _sort_key(self, value: Any) -> str:
        text = self._text_of(value, self)
        if text is not None:
            return text
        if id(value) not in self._sort_keys:
            if id(value) in self._sorting or len(self._sorting) >= _SORTS_NESTED_AT_MOST:
                return "?"
            self._sorting.append(id(value))
            shown = self.show(value)
            self._sorting.pop()
            self._alive.append(value)
            self._sort_keys[id(value)] = digest("\n".join(shown.lines).encode())
        return self._sort_keys[id(value)]


def digest(data: Any) -> str:
    """A digest of bytes as text."""
    return blake2b(data, digest_size=16).hexdigest()


def label_of(kind: type) -> str:
    """A type's name with its module, short for built-in ones."""
    module = _MOVED.get(kind.__module__, kind.__module__)
    name = _RENAMED.get(kind.__qualname__, kind.__qualname__)
    return name if module == "builtins" else f"{module}.{name}"


def importable(value: Any) -> bool:
    """Whether every process that imports the module of a value finds it there under its name."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    name = getattr(value, "__qualname__", None)
    if module is None or not isinstance(name, str) or module is sys.modules.get("__main__"):
        return False
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def compiled_base(kind: type) -> type | None:
    """The nearest base of a type that is written in C and holds data of its own; None if that is ``object``."""
    for base in kind.__mro__:
        if base is object:
            return None
        if _compiled(base) and (base.__basicsize__ > object.__basicsize__ or base.__itemsize__):
            return base
    return None


def _compiled(kind: type) -> bool:
    """Whether a type is written in C: only such types have methods of their own that are."""
    if not kind.__flags__ & _HEAP_TYPE:
        return True
    new = kind.__new__
    if isinstance(new, BuiltinFunctionType | BuiltinMethodType) and getattr(new, "__self__", None) is kind:
        return True
    return any(isinstance(item, _IN_C) and item.__objclass__ is kind for item in vars(kind).values())


def attributes(value: Any) -> list[Inner]:
    """An object's attributes: its dict, and its slots."""
    found: list[Inner] = []
    try:
        content = object.__getattribute__(value, "__dict__")
    except AttributeError:
        content = None
    if isinstance(content, dict) and content.keys() - _NOT_KEPT.get(label_of(type(value)), frozenset()):
        found.append(Inner("attributes", Attributes(content)))
    for cls in type(value).__mro__:
        if _compiled(cls):
            break
        for name, member in sorted(vars(cls).items()):
            if isinstance(member, MemberDescriptorType):
                try:
                    found.append(Inner(f"slot {name}", member.__get__(value)))
                except AttributeError:
                    continue
    return found
