"""What pickle takes a value apart into, where no reducer of a session does, and whether that is well formed."""

from __future__ import annotations

import copyreg
import pickle
from types import FunctionType
from typing import Any, Final

_UNNAMED_TYPES: Final[dict[type, tuple[Any, ...]]] = {type(it): (it,) for it in (None, ..., NotImplemented)}
_NOTHING: Final = object()


def reduced(value: Any, kind: type) -> Any:
    """What pickle takes a value apart into; None for what is found by its name."""
    if kind is type:
        return (type, _UNNAMED_TYPES[value]) if value in _UNNAMED_TYPES else None
    if kind is FunctionType:
        return None
    registered = copyreg.dispatch_table.get(kind)
    if registered is not None:
        return registered(value)
    if issubclass(kind, type):
        return None
    reduce: Any = getattr(value, "__reduce_ex__", _NOTHING)
    return value.__reduce__() if reduce is _NOTHING else reduce(5)


def checked(reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """The six parts of what a value was taken apart into."""
    if not 2 <= len(reduced) <= 6:  # noqa: PLR2004 - as pickle defines it
        raise pickle.PicklingError("tuple returned by __reduce__ must contain 2 through 6 elements")
    maker, arguments, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if not callable(maker):
        raise pickle.PicklingError("first item of the tuple returned by __reduce__ must be callable")
    if not isinstance(arguments, tuple):
        raise pickle.PicklingError("second item of the tuple returned by __reduce__ must be a tuple")
    for part in (items, pairs):
        if part is not None and not hasattr(type(part), "__next__"):
            raise pickle.PicklingError("fourth and fifth element of the tuple returned by __reduce__ must be iterators")
    return maker, arguments, state, items, pairs, setter


def pair(item: Any) -> tuple[Any, ...]:
    """Key and value of an item."""
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - key and value
        raise TypeError("dict items iterator must return 2-tuples")
    return item
