"""Which libraries code imports, read from its syntax tree; for code that runs again and for lists of requirements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def imported(source: str) -> frozenset[str]:
    """The top-level modules that some code imports anywhere, as far as they are written out."""
    return frozenset(_names(ast.walk(tree))) if (tree := _parsed(source)) is not None else frozenset()


def needed(source: str) -> frozenset[str]:
    """The top-level modules without which running some code fails: those imported on its outermost level."""
    return frozenset(_names(tree.body)) if (tree := _parsed(source)) is not None else frozenset()


def _parsed(source: str) -> ast.Module | None:
    if "import" not in source:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
