"""The names of the session's namespace that code reads, stores and deletes, found without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from elastictm.model.findings import Findings
from elastictm.model.opcodes import find_in_code
from elastictm.model.statements import StatementWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType

    from elastictm.ids import Name


@dataclass(frozen=True, slots=True)
class CodeNames:
    """What an analysis of code says about the global names that it uses.

    ``reads`` may be looked up before this code has certainly stored them; what ``del`` unbinds is among them,
    because it must exist. ``loads`` are all that are looked up anywhere, and hold the reads.
    ``stores`` and ``deletes`` may be bound and unbound.
    Names are global whether or not a variable of that name exists: builtins and words of SQL are among them.
    ``opaque`` are reasons why the code may have touched everything.
    ``opaque_stores`` are reasons why it may have bound names that are not in ``stores``, but read nothing more.
    ``unrepeatable`` are reasons why running the code again gives another result.
    ``constants`` are the strings that could be names of files.
    ``stars`` are the modules of which all public names are bound.
    """

    reads: frozenset[Name]
    loads: frozenset[Name]
    stores: frozenset[Name]
    deletes: frozenset[Name]
    opaque: tuple[str, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    constants: frozenset[str] = frozenset()
    opaque_stores: tuple[str, ...] = ()
    stars: frozenset[str] = frozenset()


def names_of_cell(code: str, transform: Callable[[str], str]) -> CodeNames | None:
    """The names that a cell uses, None where it cannot be parsed.

    Reasons in the body of a function that the cell defines count unless nothing in the cell can have called it;
    what the body looks up counts as read, unless it was certainly stored before anything could call it.

    Args:
        code: The cell after IPython's transformation.
        transform: Turns the text that a magic carries into Python, as IPython does with a cell.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, MemoryError):  # null characters and endless brackets, before Python 3.12
        return None
    except RecursionError:  # depends on the caller's depth, so it may well run
        return _frozen(_all_names(ast.Module([], [])))
    walk = StatementWalk(transform)
    walk.walrus = ":=" in code
    try:
        walk.block(tree.body)
        found = walk.finished()
    except RecursionError:
        found = _all_names(tree)
    return _frozen(found)


def names_of_code(code: CodeType) -> CodeNames:
    """The names that a function uses, and all functions and classes inside it.

    Bytecode shows less than source: all loads count as reads, and where a call's arguments cannot be told,
    the name alone decides, except that a generator counts as seeded unless its call is seen to have no argument.
    """
    return _frozen(find_in_code(code))


def _all_names(tree: ast.AST) -> Findings:
    """All names in a tree that is too deep to be walked along its branches."""
    found = Findings()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (found.loads if isinstance(node.ctx, ast.Load) else found.stores).add(node.id)
    found.reads = found.loads
    found.opaque["code too deeply nested to be analysed"] = None
    return found


def _frozen(found: Findings) -> CodeNames:
    return CodeNames(
        reads=_names(found.reads),
        loads=_names(found.loads),
        stores=_names(found.stores),
        deletes=_names(found.deletes),
        opaque=tuple(found.opaque),
        unrepeatable=tuple(found.unrepeatable),
        constants=frozenset(found.constants),
        opaque_stores=tuple(found.opaque_stores),
        stars=frozenset(found.stars),
    )


def _names(found: Iterable[str]) -> frozenset[Name]:
    return frozenset(cast("Iterable[Name]", found))
