"""What an object's class may leave out when it says by itself how the object is stored.

The stream shows only what the class gives, so a change in anything else would go unseen: attributes of such objects are
digested beside it.  They are no part of a value's digest, which is compared with that of other processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from elastictm.values.extras import has_ways

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass


def watcher(kind: type) -> Watcher | None:
    """What notes the objects of a class with such a say; None for all other classes."""
    return Watcher() if has_ways(kind) else None


class Watcher:
    """Reduces objects as their class says, and has them noted."""

    def __call__(self, value: Any, view: FreezingPass) -> Any:
        """Leave it to the class."""
        view.watch(value)
        return NotImplemented


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
