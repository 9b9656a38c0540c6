"""Objects with attributes, and objects of tested libraries that tell pickle what they are made of."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from itertools import islice
from types import CellType, FunctionType, MemberDescriptorType, MethodType, SimpleNamespace
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part, lines
from elastictm.values.contrasts.words import listed
from elastictm.values.kinds import type_name
from elastictm.values.protocols import is_tested

_HIDDEN: Final = frozenset({"__dict__", "__weakref__"})
_HEAP: Final = 1 << 9
_NOT_MADE: Final = 1 << 7
"""CPython's flags of types that are made at run time, and of types whose objects nobody can make."""
_TAKEN: Final = 10_000
"""Items of an object that tells what it is made of."""
_CALLED_ONCE: Final = frozenset({"itertools"})
"""Modules whose objects do not like to be asked what they are made of."""


def kinds() -> Mapping[type, Kind]:
    """The kinds of objects of whatever class, and of callables that hold objects."""
    return {
        object: Kind(instances),
        BaseException: Kind(_exceptions),
        functools.partial: Kind(_partials, attributes=True),
        MethodType: Kind(_methods),
        CellType: Kind(_cells),
        SimpleNamespace: Kind(attribute_facts),
    }


def attributes(value: Any) -> dict[str, Any]:
    """An object's attributes, as Python keeps them; no code of its class is called."""
    kind = type(value)
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    found = dict(own) if type(own) is dict else {}
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in (slots,) if type(slots) is str else tuple(slots):
            mangled = slot.startswith("__") and not slot.endswith("__")
            name = f"_{base.__name__.lstrip('_')}{slot}" if mangled else slot
            member = vars(base).get(name)
            # Its own descriptor, because a subclass may have put a property in front of it.
            if type(member) is MemberDescriptorType and name not in _HIDDEN:
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue
    return {name: inner for name, inner in found.items() if type(name) is str}


def attribute_facts(before: Any, after: Any, look: Look) -> Facts:
    """Attributes that came, went, and that both have."""
    return mapped(attributes(before), attributes(after), look, "attribute")


def mapped(old: Mapping[str, Any], new: Mapping[str, Any], look: Look, what: str) -> Facts:
    """What differs between two sets of named values."""
    told = []
    for verb, here, there in (("added", new, old), ("removed", old, new)):
        names = sorted(name for name in here if name not in there)
        if names:
            word = what if len(names) == 1 else f"{what}s"
            told.append(Line(f"{word} {verb}: {listed(map(clean, names), len(names))}"))
    shared = sorted((name for name in new if name in old), key=lambda name: name.startswith("_"))
    parts = (Part(f".{clean(name)}", old[name], new[name]) for name in shared if not look.quick(old[name], new[name]))
    return Facts(tuple(told), parts, len(shared), f"{what}s")


def instances(before: Any, after: Any, look: Look) -> Facts:
    """What differs between two objects of one class."""
    kind = type(after)
    if kind is object:
        return Facts()
    tested = is_tested(kind.__module__) and kind.__module__ not in _CALLED_ONCE
    if tested and _says_its_state(kind):
        states = [each.__getstate__() for each in (before, after)]
        if all(type(state) is dict for state in states):
            return mapped(states[0], states[1], look, "attribute")
    found = attribute_facts(before, after, look)
    if not keeps_more(kind):
        return found
    if tested and not found.total:
        facts = _reduced(before, after)
        return Facts((*found.lines, *facts.lines), facts.parts, unknown=facts.unknown)
    return Facts(found.lines, found.parts, found.total, found.what, unknown=f"what {type_name(after)} keeps to itself")


def keeps_more(kind: type) -> bool:
    """Whether objects of a class may hold more than attributes, because it is not made in Python alone."""
    for base in kind.__mro__[:-1]:
        maker = vars(base).get("__new__")
        if not base.__flags__ & _HEAP or base.__flags__ & _NOT_MADE:
            return True
        if maker is not None and type(maker) not in {staticmethod, FunctionType}:
            return True
    return False


def _says_its_state(kind: type) -> bool:
    """Whether a class has a method in Python that tells what its objects hold."""
    owner = next((base for base in kind.__mro__ if "__getstate__" in vars(base)), object)
    return type(vars(owner).get("__getstate__")) is FunctionType


def _reduced(before: Any, after: Any) -> Facts:
    """What differs in what two objects tell pickle."""
    try:
        old, new = before.__reduce_ex__(4), after.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - an object may say in any way that it is not to be stored
        return Facts(unknown=type_name(after))
    if type(old) is str or type(new) is str:
        return Facts(lines("" if old == new else f"{clean(str(old))} → {clean(str(new))}"))
    return Facts((), _told(old, new))


def _told(old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[Part]:
    first, second = (each + (None,) * (5 - len(each)) for each in (old, new))
    for index, (one, other) in enumerate(zip(first[1], second[1], strict=False)):
        yield Part(f".args[{index}]", one, other)
    if len(first[1]) != len(second[1]):
        yield Part(".args", first[1], second[1])
    yield Part(".state", first[2], second[2])
    for one, other in zip(first[3:], second[3:], strict=False):
        yield Part(".items", *(None if each is None else list(islice(each, _TAKEN)) for each in (one, other)))


def _exceptions(before: Any, after: Any, look: Look) -> Facts:
    found = attribute_facts(before, after, look)
    args = Part(".args", *(BaseException.args.__get__(each) for each in (before, after)))  # type: ignore[attr-defined]
    return Facts(found.lines, (args, *found.parts))


def _partials(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    names = ("func", "args", "keywords")
    members = [vars(functools.partial)[name] for name in names]
    return Facts(
        (),
        [Part(f".{n}", m.__get__(before), m.__get__(after)) for n, m in zip(names, members, strict=True)],
    )


def _methods(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    return Facts(
        (),
        (
            Part(".__func__", before.__func__, after.__func__),
            Part(".__self__", before.__self__, after.__self__),
        ),
    )


def _cells(before: CellType, after: CellType, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    full = [_content(each) for each in (before, after)]
    return Facts((), [Part("", *full)])


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None
