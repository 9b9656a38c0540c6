"""Why a cell run would give another result if it ran again, as far as its code and its effects tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.marks import mark_of
from elastictm.model.set_order import SET_ORDER, order_reasons, under_seed
from elastictm.session import generators
from elastictm.session.hash_seed import hash_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from elastictm.ids import Name
    from elastictm.model.names import CodeNames
    from elastictm.session.own_code import OwnCode
    from elastictm.session.reach import Reach
    from elastictm.session.tracked import Variables

_SEEDING: Final = re.compile(r"\bseed\s*\(")
_SETS: Final = frozenset({"set", "frozenset"})
_NUMBERS: Final = frozenset({int, float, complex, bool})
_TEXTS: Final = _NUMBERS | {str, bytes}
_ASK_UP_TO: Final = 10_000
"""Elements of a set up to which each is asked what it is."""


@dataclass(frozen=True, slots=True)
class Code:
    """A cell as it was typed and as Python, and what it reaches."""

    source: str
    python: str
    names: CodeNames
    loads: Reach


def reasons_in_code(  # noqa: PLR0913, PLR0917 - what is known around a cell
    code: Code,
    variables: Variables,
    values: Mapping[Name, Any],
    transform: Callable[[str], str],
    random: Mapping[str, Any],
    own: OwnCode,
) -> tuple[str, ...]:
    """The reasons that the code shows, none where the user says that it is repeatable.

    Args:
        code: The cell.
        variables: The variables before it.
        values: The variables after it.
        transform: Turns the text that a magic carries into Python.
        random: The states of the random generators before it.
        own: Judges the user's own modules.
    """
    if mark_of(code.source) == "repeatable":
        return ()
    found = [*code.names.unrepeatable, *code.loads.unrepeatable, *_orders(code, variables, values, transform)]
    named = code.loads.names | code.names.loads | code.names.stores
    found += own.reasons(code.python, [values[name] for name in named if name in values])
    if not _SEEDING.search(code.source):
        found += [f"the random state of {library} before it" for library in generators.unknown(random)]
    return tuple(found)


def _orders(
    code: Code, variables: Variables, values: Mapping[Name, Any], transform: Callable[[str], str]
) -> Iterator[str]:
    """Where the order of a set or a hash tells, with the hash seed under which it would tell the same again."""
    sets = set(_sets(code.loads.names, variables, values))
    found = _reasons(code, sets, transform)
    if found:
        seed = hash_seed()
        # Most objects are hashed by their addresses, which no seed fixes.
        texts = {name for name in sets if _only(values.get(name), _TEXTS)}
        seeded = found if seed is None or texts == sets else _reasons(code, texts, transform)
        yield from (under_seed(reason, seed) if reason in seeded else reason for reason in found)


def _reasons(code: Code, sets: set[Name], transform: Callable[[str], str]) -> list[str]:
    found = [*order_reasons(code.python, transform, sets)]
    return found + [f"{SET_ORDER}{name}, in a function" for name in sorted(sets & code.loads.ordered)]


def _sets(names: Iterable[Name], variables: Variables, values: Mapping[Name, Any]) -> Iterator[Name]:
    """The variables that held sets whose order another process would not repeat."""
    for name in names:
        tracked = variables.get(name)
        if tracked is not None and tracked.record.kind in _SETS and not _only(values.get(name), _NUMBERS):
            yield name


def _only(value: Any, kinds: frozenset[type]) -> bool:
    """Whether a value is a set of nothing but these kinds."""
    return type(value) in {set, frozenset} and len(value) <= _ASK_UP_TO and kinds.issuperset(map(type, value))
