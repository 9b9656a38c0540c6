"""Cells that import modules: which statements do so, and whether the cell may have used what it imported."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_ACTING: Final = (
    ast.Call,
    ast.AugAssign,
    ast.Delete,
    ast.For,
    ast.AsyncFor,
    ast.comprehension,
    ast.With,
    ast.AsyncWith,
    ast.Await,
    ast.Starred,
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BUILTINS: Final = frozenset(dir(builtins)) | {"get_ipython"}


@dataclass(frozen=True, slots=True)
class ImportCell:
    """The code of a cell that imported something."""

    tree: ast.Module

    @classmethod
    def of(cls, code: str) -> ImportCell | None:
        """A cell's code; None where it cannot be read."""
        try:
            return cls(ast.parse(code))
        except (SyntaxError, ValueError, RecursionError):
            return None

    def imports(self, own: Collection[str]) -> tuple[str, ...]:
        """The statements that import some of the modules ``own`` when the cell runs, in order."""
        found: list[str] = []
        for node in _running(self.tree):
            if isinstance(node, ast.Import):
                names = [name for name in node.names if name.name.partition(".")[0] in own]
                found += [ast.unparse(ast.Import(names))] if names else []
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in own:
                found.append(ast.unparse(node))
        return tuple(found)

    def may_use(self, own: Collection[str]) -> bool:
        """Whether the cell does more than import, with anything but libraries; ``own`` are modules that are none."""
        if not any(isinstance(node, _ACTING) or _is_put_inside(node) for node in _running(self.tree)):
            return False
        made: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                made |= {
                    (x.asname or x.name).partition(".")[0] for x in node.names if x.name.partition(".")[0] not in own
                }
            elif isinstance(node, ast.ImportFrom):
                if any(x.name == "*" for x in node.names):
                    return True
                if not node.level and (node.module or "").partition(".")[0] not in own:
                    made |= {x.asname or x.name for x in node.names}
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                made.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                made.add(node.name)
            elif isinstance(node, ast.arg):
                made.add(node.arg)
        used = {
            node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        return bool(used - made - _BUILTINS)


def bound_elsewhere(tree: ast.AST) -> frozenset[str]:
    """The names that code binds otherwise than where they belong: globals in functions, and attributes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= _texts([node.slice])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            found |= _texts(node.args)
    return frozenset(found)


def _texts(nodes: Iterable[ast.expr]) -> frozenset[str]:
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """What runs of a tree when a cell does: bodies of functions do not."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, _FUNCTIONS):
            for default in (*child.args.defaults, *(x for x in child.args.kw_defaults if x is not None)):
                yield default
                yield from _running(default)
            for decorator in getattr(child, "decorator_list", ()):
                yield ast.Call(decorator, [], [])
        else:
            yield from _running(child)


def _is_put_inside(node: ast.AST) -> bool:
    return isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store)
