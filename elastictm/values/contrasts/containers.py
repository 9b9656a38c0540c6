"""Lists, tuples, queues, dicts and sets: what was added and removed, and which of their items differ."""

from __future__ import annotations

import enum
import operator
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress
from types import FunctionType
from typing import Any, Final

from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part, lines
from elastictm.values.contrasts.words import changed, count, cut, listed, short
from elastictm.values.kinds import ATOMS, PRINTED, fixed_types, type_name

_SIMPLE: Final = ATOMS - {slice}
_FAITHFUL_KEYS: Final = _SIMPLE - {float, complex}
_MOST_IN_KEY: Final = 6
_TOKENS: Final = 100_000
"""Keys that something must stand for."""
_SORTED: Final = 10_000
_STEP: Final = 256
"""Items between two looks at the clock."""


def kinds() -> Mapping[type, Kind]:
    """The kinds of containers."""
    sequences: tuple[type, ...] = (list, tuple, deque, array)
    sets: tuple[type, ...] = (set, frozenset)
    found = {kind: Kind(_sequences, _title_of(kind, "item"), attributes=True) for kind in sequences}
    found |= {kind: Kind(_sets, _title_of(kind, "item"), attributes=True) for kind in sets}
    return {**found, dict: Kind(_dicts, _title_of(dict, "key"), attributes=True)}


def _title_of(base: Any, what: str) -> Any:
    return lambda value: f"{type_name(value)} of {count(base.__len__(value), what)}"


def _sequences(before: Any, after: Any, look: Look) -> Facts:
    old, new = _items(before), _items(after)
    own = tuple(_own_parts(before, after))
    fields = _fields(before, after)
    if len(old) == len(new):
        parts = ((index, old[index], new[index]) for index in _candidates(old, new))
        return Facts((), chain(own, _parts(parts, look, fields)), len(new), "items")
    if look.brief:
        return Facts(lines("another length"))
    shorter = min(len(old), len(new))
    head = _common(zip(old, new, strict=False), shorter, look)
    tail = _common(zip(reversed(old), reversed(new), strict=False), shorter - head, look)
    told = [Line(f"length {len(old):,} → {len(new):,}")]
    longer, verb = (new, "added") if len(new) > len(old) else (old, "removed")
    if head + tail == shorter:
        where = "at the end" if not tail else "at the start" if not head else f"at [{head}]"
        others = longer[head : len(longer) - tail]
        told.append(Line(f"{count(len(others), 'item')} {verb} {where}: {listed(map(short, others), len(others))}"))
        return Facts(tuple(told), own)
    middle = ((index, old[index], new[index]) for index in range(head, shorter - tail))
    return Facts(tuple(told), chain(own, _parts(middle, look, None)))


def _items(value: Any) -> Sequence[Any]:
    kind = type(value)
    if issubclass(kind, deque):
        return list(deque.__iter__(value))
    if issubclass(kind, array):
        return array.tolist(value)
    base: Any = list if issubclass(kind, list) else tuple
    items: Sequence[Any] = base.__getitem__(value, slice(None))
    return items


def _fields(before: Any, after: Any) -> tuple[str, ...] | None:
    """The names of the items of two named tuples."""
    for kind in {type(before), type(after)}:
        names = vars(kind).get("_fields")
        if not issubclass(kind, tuple) or type(names) is not tuple:
            return None
        if len(names) != tuple.__len__(before) or not all(type(name) is str for name in names):
            return None
    return tuple(vars(type(after))["_fields"])


def _own_parts(before: Any, after: Any) -> Iterator[Part]:
    if issubclass(type(before), deque) and issubclass(type(after), deque):
        yield Part(".maxlen", deque.maxlen.__get__(before), deque.maxlen.__get__(after))
    if issubclass(type(before), array) and issubclass(type(after), array):
        yield Part(".typecode", before.typecode, after.typecode)
    if issubclass(type(before), defaultdict) and issubclass(type(after), defaultdict):
        yield Part(".default_factory", before.default_factory, after.default_factory)


def _candidates(old: Sequence[Any], new: Sequence[Any]) -> Iterable[int]:
    """The places that are to be looked at: where plain items differ, or all."""
    if simple(old) and simple(new) and all(map(operator.is_, map(type, old), map(type, new))):
        return compress(range(len(old)), map(operator.ne, old, new))
    return range(len(old))


def simple(items: Iterable[Any]) -> bool:
    """Whether all items are of types whose comparison is Python's own, and quick."""
    return set(map(type, items)) <= _SIMPLE


def _common(pairs: Iterable[tuple[Any, Any]], most: int, look: Look) -> int:
    """The number of first pairs that are the same."""
    for index, (old, new) in enumerate(pairs):
        if index == most:
            break
        if not index % _STEP and look.out():
            look.leave("where items were added or removed")
            return index
        if not look.quick(old, new) and look.same(old, new) is False:
            return index
    return most


def _parts(pairs: Iterable[tuple[int, Any, Any]], look: Look, fields: tuple[str, ...] | None) -> Iterator[Part]:
    for number, (index, old, new) in enumerate(pairs):
        if not number % _STEP and number and look.out():
            look.leave(f"items from [{index}] on")
            return
        if not look.quick(old, new):
            yield Part(f"[{index}]" if fields is None else f".{fields[index]}", old, new)


def _dicts(before: Any, after: Any, look: Look) -> Facts:
    old, new = _Keyed(before), _Keyed(after)
    if old.too_many or new.too_many:
        look.leave(f"the keys of a dict of {count(len(new.values), 'key')}")
        return Facts(lines(changed("number of keys", f"{len(old.values):,}", f"{len(new.values):,}")))
    shared = list(old.values)
    told = []
    if shared != list(new.values):
        for verb, here, there in (("added", new, old), ("removed", old, new)):
            keys = [here.key(token) for token in here.values if token not in there.values]
            if keys:
                word = "key" if len(keys) == 1 else "keys"
                told.append(Line(f"{word} {verb}: {listed(map(key_text, keys), len(keys))}"))
        shared = [token for token in old.values if token in new.values]
        if look.out():
            look.leave(f"the values of a dict of {count(len(new.values), 'key')}")
            return Facts(tuple(told))
        if shared != [token for token in new.values if token in old.values]:
            told.append(Line("keys in another order"))
    # Keys that are compared themselves would count among the values.
    total = 0 if old.has_others else len(shared)
    return Facts(tuple(told), chain(_own_parts(before, after), _values(shared, old, new, look)), total, "values")


class _Keyed:
    """A dict's values by what stands for the key, so that no code of a user's key is called."""

    def __init__(self, value: Any) -> None:
        base: Any = OrderedDict if issubclass(type(value), OrderedDict) else dict
        self.values: dict[Any, Any] = value if type(value) is dict else dict(base.items(value))
        self._keys: dict[Any, Any] | None = None
        self.has_others = False
        plain = set(map(type, self.values)) <= _FAITHFUL_KEYS
        self.too_many = not plain and len(self.values) > _TOKENS
        if not plain and not self.too_many:
            self.has_others = any(_token(key) is None and key is not None for key in self.values)
            found = list(tokens(self.values))
            self._keys = dict(zip(found, self.values, strict=True))
            self.values = dict(zip(found, self.values.values(), strict=True))

    def key(self, token: Any) -> Any:
        """The key that a token stands for."""
        return token if self._keys is None else self._keys[token]


def _values(shared: Sequence[Any], old: _Keyed, new: _Keyed, look: Look) -> Iterator[Part]:
    whole = len(shared) == len(old.values) == len(new.values)
    was, now = (
        list(each.values.values())
        if whole and list(each.values) == shared
        else list(map(each.values.__getitem__, shared))
        for each in (old, new)
    )
    candidates = range(len(shared)) if old.has_others else _candidates(was, now)
    for number, index in enumerate(candidates):
        key = old.key(shared[index])
        if not number % _STEP and number and look.out():
            look.leave(f"values from [{key_text(key)}] on")
            return
        if old.has_others and _token(key) is None and key is not None:
            yield Part(f".key({index})", key, new.key(shared[index]))
        if not look.quick(was[index], now[index]):
            yield Part(f"[{key_text(key)}]", was[index], now[index])


def tokens(items: Iterable[Any]) -> Iterator[Any]:
    """What stands for each of some keys, of which no two are the same."""
    others: dict[str, int] = {}
    for item in items:
        found = _token(item)
        if found is None and item is not None:
            # Others have no text that could be trusted: the first of a type stands for the first.
            name = type_name(item)
            others[name] = others.get(name, 0) + 1
            found = (name, others[name])
        yield found


def _token(item: Any) -> Any:  # noqa: PLR0911 - one for each kind of key
    kind = type(item)
    if kind in _FAITHFUL_KEYS and item is not None:
        return item
    if kind in _SIMPLE:
        return (kind, repr(item))
    if issubclass(kind, enum.Enum):
        return (kind.__qualname__, vars(item).get("_name_"))
    if kind is tuple or kind is frozenset:
        inner = [_token(each) for each in item]
        if None in inner:
            return None
        return (kind, tuple(inner) if kind is tuple else frozenset(inner))
    if kind is type or kind is FunctionType:
        return (kind, item.__module__, item.__qualname__)
    if kind in PRINTED or issubclass(kind, fixed_types()):
        return (type_name(item), str(item))
    return None


def key_text(key: Any) -> str:
    """A key as it stands in brackets."""
    if type(key) is tuple:
        inner = ", ".join(map(key_text, key[:_MOST_IN_KEY])) + (", …" if len(key) > _MOST_IN_KEY else "")
        return cut(f"({inner},)" if len(key) == 1 else f"({inner})")
    if issubclass(type(key), enum.Enum):
        return f"{type(key).__qualname__}.{vars(key).get('_name_')}"
    return short(key)


def _sets(before: Any, after: Any, look: Look) -> Facts:
    old, new = _members(before), _members(after)
    if set(map(type, old)) <= _FAITHFUL_KEYS and set(map(type, new)) <= _FAITHFUL_KEYS:
        return Facts(_came_and_went(list(new - old), list(old - new)))
    if max(len(old), len(new)) > _TOKENS:
        look.leave(f"the items of a set of {count(len(new), 'item')}")
        return Facts(lines(changed("number of items", f"{len(old):,}", f"{len(new):,}")))
    one, other = (dict(zip(tokens(items), items, strict=True)) for items in (old, new))
    added = [item for token, item in other.items() if token not in one]
    removed = [item for token, item in one.items() if token not in other]
    opaque = next((type_name(item) for item in new if item is not None and _token(item) is None), "")
    return Facts(_came_and_went(added, removed), unknown=f"items of type {opaque}" if opaque else "")


def _came_and_went(added: Sequence[Any], removed: Sequence[Any]) -> tuple[Line, ...]:
    return lines(
        f"{count(len(added), 'item')} added: {_some(added)}" if added else "",
        f"{count(len(removed), 'item')} removed: {_some(removed)}" if removed else "",
    )


def _some(items: Sequence[Any]) -> str:
    return listed(sorted(map(key_text, items[:_SORTED])), len(items))


def _members(value: Any) -> set[Any]:
    """The items of a set, whatever a subclass makes of them; no item is hashed or compared for it."""
    found: set[Any] = set()
    found.update(value)
    return found
