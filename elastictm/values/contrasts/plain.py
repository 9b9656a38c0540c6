"""Numbers, dates, enums and other values that are shown as they were and as they are."""

from __future__ import annotations

import enum
import random
import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, GenericAlias, ModuleType, UnionType
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Look, Part, lines
from elastictm.values.contrasts.instances import mapped
from elastictm.values.contrasts.words import arrow, cut, plain, short
from elastictm.values.kinds import PRINTED, fixed_types

_NUMBERS: Final = (int, float, complex)


def kinds() -> Mapping[type, Kind]:
    """The kinds of plain values."""
    number = Kind(_numbers, attributes=True)
    found = dict.fromkeys(_NUMBERS, number)
    found |= dict.fromkeys((enum.Enum, enum.IntEnum, enum.IntFlag), Kind(_numbers))
    found |= dict.fromkeys((*PRINTED, *fixed_types()), Kind(_printed, attributes=True))
    found |= dict.fromkeys((type(None), type(...), type(NotImplemented), range), Kind(_printed))
    return found | {
        ModuleType: Kind(_modules, _module_title),
        BuiltinFunctionType: Kind(_builtins, _name),
        random.Random: Kind(_generators, attributes=True),
        GenericAlias: Kind(_printed),
        UnionType: Kind(_printed),
        slice: Kind(_slices),
    }


def bare(value: Any) -> Any:
    """A number, or a number of a subclass as its base class would have it; a member of an enum as its name."""
    kind = type(value)
    if issubclass(kind, enum.Enum):
        return _Member(f"{kind.__qualname__}.{vars(value).get('_name_')}")
    for base in _NUMBERS:
        if issubclass(kind, base):
            return value if kind in {*_NUMBERS, bool} else base.__pos__(value)
    return value


class _Member(str):
    """The name of a member of an enum."""

    __slots__ = ()


def _shown(value: Any) -> str:
    return str(value) if type(value) is _Member else short(value)


def _numbers(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = bare(before), bare(after)
    if type(old) is type(new) and (old == new or (old != old and new != new)):  # noqa: PLR0124 - not a number
        return Facts()
    return Facts(lines(arrow(_shown(old), _shown(new))))


def _printed(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = (_base(type(each)).__str__(each) for each in (before, after))
    if old == new:
        return Facts()
    return Facts(lines(arrow(plain(before) or cut(old), plain(after) or cut(new))))


def _base(kind: type) -> Any:
    """The class in the standard library that a class of a user's comes from."""
    return next((base for base in kind.__mro__ if base in PRINTED), kind)


def _slices(before: slice, after: slice, look: Look) -> Facts:
    pairs = ((before.start, after.start), (before.stop, after.stop), (before.step, after.step))
    if all(look.same(old, new) for old, new in pairs):
        return Facts()
    old, new = (f"{short(each.start)}:{short(each.stop)}:{short(each.step)}" for each in (before, after))
    return Facts(lines(arrow(f"slice {old}", f"slice {new}")))


def _modules(before: ModuleType, after: ModuleType, look: Look) -> Facts:
    facts = _named(before, after, look)
    if facts.lines or sys.modules.get(_name(after)) is after:
        return facts
    old, new = ({name: inner for name, inner in vars(each).items() if name[:2] != "__"} for each in (before, after))
    return mapped(old, new, look, "name")


def _builtins(before: Any, after: Any, look: Look) -> Facts:
    owners = [None if type(each.__self__) is ModuleType else each.__self__ for each in (before, after)]
    return Facts(_named(before, after, look).lines, [Part(".__self__", *owners)])


def _generators(before: Any, after: Any, look: Look) -> Facts:
    states = [random.Random.getstate(each) for each in (before, after)]
    return Facts(lines("" if look.same(*states) else "has drawn numbers, or was seeded anew"))


def _named(before: Any, after: Any, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    old, new = _name(before), _name(after)
    return Facts(lines("" if old == new else arrow(old, new)))


def _name(value: Any) -> str:
    return clean(str(value.__name__))


def _module_title(value: ModuleType) -> str:
    return f"module {_name(value)}"
