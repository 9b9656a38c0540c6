"""Where code depends on the order of a set, or on the hash of a text, which differ from one process to the next.

The order of a set follows the hashes of its elements, and those of texts, bytes and of most objects are drawn anew for
each process, unless PYTHONHASHSEED is set to a number.  Only what the code shows is judged: displays, comprehensions
and calls that make sets, the names bound to them, and the variables that are known to hold sets.
Sets whose elements are seen to be numbers have one order.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elastictm.model.set_kinds import MIXED, SetKinds
from elastictm.model.set_uses import OrderWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

SET_ORDER = "set order: "
"""How a reason begins that says where the order of a set tells on a value."""
HASHES = "hash seed: "
"""How a reason begins that says where the hash of a value tells on another."""

_UNDER_SEED = " (PYTHONHASHSEED={})"
_HINTS = ("set", "{", ".keys", ".items", "hash")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class OrderUse:
    """What a function does with the order of sets.

    ``reasons`` hold whatever the variables are; ``names`` are variables whose order tells if they are sets.
    """

    reasons: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()


def order_reasons(code: str, transform: Callable[[str], str], sets: Collection[str]) -> tuple[str, ...]:
    """Where a cell depends on the order of sets; nothing where it cannot be parsed.

    Args:
        code: The cell after IPython's transformation.
        transform: Turns the text that a magic carries into Python.
        sets: The names of variables that hold sets.
    """
    if not any(hint in code for hint in _HINTS) and not any(name in code for name in sets):
        return ()
    walk = OrderWalk(SetKinds(), transform)
    try:
        walk.cell(ast.parse(code))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ()  # the analysis of names says that anything may have happened
    return _reasons(walk, sets)


def order_of_function(text: str, name: str, line: int) -> OrderUse:
    """What the function that begins in a line of a source text does with the order of sets."""
    try:
        found = _function(ast.parse(text), name, line)
        if found is None:
            return OrderUse()
        walk = OrderWalk(SetKinds(), lambda magic: magic)
        walk.function(found)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return OrderUse()
    return OrderUse(_reasons(walk, ()), frozenset(kind for kinds, _ in walk.uses for kind in kinds if kind != MIXED))


def under_seed(reason: str, seed: str | None) -> str:
    """A reason as it is recorded by a process with this hash seed, None where that is drawn anew each time."""
    return reason if seed is None else reason + _UNDER_SEED.format(seed)


def holds_under(reason: str, seed: str | None) -> bool:
    """Whether a recorded reason makes a cell run not repeatable where the hash seed is this one."""
    if seed is None or not reason.startswith((SET_ORDER, HASHES)):
        return True
    return not reason.endswith(_UNDER_SEED.format(seed))


def _function(tree: ast.AST, name: str, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            if min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) == line:
                return node
        elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            return node
    return None


def _reasons(walk: OrderWalk, sets: Collection[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for kinds, node in walk.uses:
        if MIXED in kinds or not kinds.isdisjoint(sets):
            found[SET_ORDER + _shown(node)] = None
    for node in walk.hashes:
        found[HASHES + _shown(node)] = None
    return tuple(found)


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node).partition("\n")[0].rstrip(":")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
