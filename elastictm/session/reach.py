"""What a cell can reach: from the names in its code, through the code inside their values, to all other names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from elastictm.ids import output_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elastictm.ids import Name
    from elastictm.session.tracked import Mentions, Variables

_CACHED_OUTPUT: Final = re.compile(r"_(\d+)$")
_RECENT_OUTPUTS: Final = ("_", "__", "___")
_ALL_OUTPUTS: Final = ("Out", "_oh")


@dataclass(frozen=True, slots=True)
class Reach:
    """Live names that some code can come at, why it might come at others, and what in it is not repeatable.

    ``ordered`` are names whose order functions show if they are sets; ``mentioned`` are all names in the code, also
    those that are not alive.
    """

    names: frozenset[Name]
    opaque: tuple[str, ...]
    unrepeatable: tuple[str, ...]
    ordered: frozenset[str] = frozenset()
    mentioned: frozenset[Name] = frozenset()


def reach(names: Iterable[Name], variables: Variables) -> Reach:
    """Follow names through the functions and classes that their values hold, transitively."""
    opaque: dict[str, None] = {}
    unrepeatable: dict[str, None] = {}
    ordered: set[str] = set()
    seen: set[Name] = set()
    waiting = list(_with_outputs(names, variables))

    def follow(mentions: Mentions) -> None:
        opaque.update(dict.fromkeys(mentions.opaque))
        unrepeatable.update(dict.fromkeys(mentions.unrepeatable))
        ordered.update(mentions.ordered)
        waiting.extend(_with_outputs(mentions.names, variables))

    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        tracked = variables.get(name)
        if tracked is None:
            continue
        follow(tracked.mentions)
        keys = (*tracked.record.definitions, *tracked.mentions.definitions)
        waiting += variables.naming(keys)
        for nameless in variables.nameless(keys):
            follow(nameless)
    found = frozenset(name for name in seen if name in variables)
    return Reach(found, tuple(opaque), tuple(unrepeatable), frozenset(ordered), frozenset(seen))


def _with_outputs(names: Iterable[Name], variables: Variables) -> Iterable[Name]:
    """The names, with those of the output cache as the displayed results that they stand for."""
    for name in names:
        cached = _CACHED_OUTPUT.match(name)
        if cached:
            yield output_name(int(cached.group(1)))
        elif name in _RECENT_OUTPUTS or name in _ALL_OUTPUTS:
            outputs = [other for other in variables if other.startswith("Out[")]
            yield from outputs[-3:] if name in _RECENT_OUTPUTS else outputs
        yield name
