"""What an object's class may leave out when it says by itself how the object is stored.

The stream shows only what the class gives, so a change in anything else would go unseen: attributes of such objects are
digested beside it.  They are no part of a value's digest, which is compared with that of other processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.extras import has_ways, reduced

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

_LEVELS: Final = 4
"""Of a reduction: the state in it, a pair of states, the attributes in one."""


def watcher(kind: type) -> Watcher | None:
    """What notes the objects of a class with such a say; None for all other classes."""
    return Watcher() if has_ways(kind) else None


class Watcher:
    """Reduces objects as their class says, and has them noted, with what is not in what the class gives."""

    def __call__(self, value: Any, view: FreezingPass) -> Any:
        """What the class gives."""
        reduction = reduced(value)
        given = {id(part) for part in _parts(reduction)}
        view.watch(value, whole=all(id(item) in given for _, item in attributes(value)))
        return reduction


def _parts(reduction: Any) -> Iterator[Any]:
    """What a reduction is made from, a level or two down; all of it is alive as long as the reduction is."""
    waiting = [(reduction, 0)]
    while waiting:
        part, depth = waiting.pop()
        yield part
        if depth < _LEVELS and type(part) in {tuple, list, dict}:
            inner = part.values() if type(part) is dict else part
            waiting += [(each, depth + 1) for each in inner]


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of an object in the order of their names, those in slots too; no code of its class is called."""
    found: dict[str, Any] = {}
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            try:
                found.setdefault(str(name), object.__getattribute__(value, name))
            except (AttributeError, TypeError):
                continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    if type(own) is dict:
        found.update((name, item) for name, item in own.items() if isinstance(name, str))
    yield from sorted(found.items(), key=lambda pair: pair[0])
