"""Scopes: which names inside a function, class or comprehension are not global ones."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Scope:
    """A place in the code where names have a meaning of their own.

    ``hidden`` are the names that mean something else here than the global of that name.
    ``declared`` are the names that a ``global`` statement gives back to the namespace.
    ``top`` marks the cell itself.
    ``prefix`` is not empty in a class body: there a name is looked up in the class first and then in the
    namespace, so which of both it means depends on the flow, which remembers the names of the class with it.
    ``private`` is the name of the class around the code, for names such as ``__secret``.
    ``binder`` is the scope in which ``:=`` stores; None means this one.
    ``texts`` are the texts that a name stands for, None where it may stand for something else.
    """

    hidden: frozenset[str] = frozenset()
    declared: set[str] = field(default_factory=set)
    top: bool = False
    prefix: str = ""
    private: str = ""
    binder: Scope | None = None
    texts: dict[str, list[ast.expr] | None] = field(default_factory=dict)

    def mangled(self, name: str) -> str:
        """The name as the compiler writes it inside a class."""
        if not self.private or not name.startswith("__") or name.endswith("__") or not self.private.strip("_"):
            return name
        return f"_{self.private.lstrip('_')}{name}"


def function_scope(node: FunctionNode, outer: Scope, *, walrus: bool) -> Scope:
    """The scope of a function's body; ``walrus`` tells whether the cell has a ``:=`` anywhere."""
    args = node.args
    bound = {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    bound.update(arg.arg for arg in (args.vararg, args.kwarg) if arg is not None)
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return block_scope(body, outer, bound, walrus=walrus)


def block_scope(body: Iterable[ast.AST], outer: Scope, bound: set[str], *, walrus: bool) -> Scope:
    """The scope of statements that run as a function's body, with ``bound`` local names from elsewhere."""
    declared: set[str] = set()
    elsewhere: set[str] = set()
    _bindings(body, bound, declared, elsewhere, walrus=walrus)
    if outer.private:
        bound = {outer.mangled(name) for name in bound}
        declared = {outer.mangled(name) for name in declared}
        # Methods have a cell of this name, made for super().
        bound.add("__class__")
    hidden = (outer.hidden - declared) | (bound - declared - elsewhere)
    return Scope(frozenset(hidden), declared, private=outer.private)


def class_scope(node: ast.ClassDef, outer: Scope, serial: int) -> Scope:
    """The scope of a class body; ``serial`` tells it from all others of the cell."""
    return Scope(outer.hidden, prefix=f"{serial}.", private=node.name)


def comprehension_scope(node: Comprehension, outer: Scope) -> Scope:
    """The scope of all of a comprehension but its first iterable; names of a class body are not seen from it."""
    bound: set[str] = set()
    for generator in node.generators:
        if isinstance(generator.target, ast.Name):
            bound.add(generator.target.id)
        else:
            bound.update(_stored(generator.target))
    return Scope(outer.hidden | bound, private=outer.private, binder=outer.binder or outer)


def type_parameters(node: ast.AST) -> frozenset[str]:
    """The names between the brackets of ``def f[T]``, ``class C[T]`` and ``type X[T]``."""
    return frozenset(parameter.name for parameter in getattr(node, "type_params", ()))


def _stored(target: ast.expr) -> Iterable[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _bindings(
    body: Iterable[ast.AST], bound: set[str], declared: set[str], elsewhere: set[str], *, walrus: bool
) -> None:
    """Add the names that these statements bind in their own scope, and those that they declare to be of others."""
    stack = list(body)
    while stack:
        node = stack.pop()
        bound.update(_bound_by(node))
        if isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            elsewhere.update(node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            if walrus:
                stack += _evaluated_at_definition(node)
        elif isinstance(node, ast.comprehension):
            # A := stores outside the comprehension, its own targets do not.
            stack += [node.iter, *node.ifs]
        elif walrus or not isinstance(node, ast.expr) or type(node) in _TARGETS:
            stack += ast.iter_child_nodes(node)


def _bound_by(node: ast.AST) -> Iterable[str]:
    """The names that a node binds by itself, without its children."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    if isinstance(node, _NAMING):
        return (node.name,) if node.name else ()
    if isinstance(node, ast.MatchMapping):
        return (node.rest,) if node.rest else ()
    return ()


_NAMING = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
)
_TARGETS = frozenset({ast.Tuple, ast.List, ast.Starred})


def _evaluated_at_definition(node: FunctionNode | ast.ClassDef) -> list[ast.expr]:
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
    defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default]
    return defaults if isinstance(node, ast.Lambda) else [*node.decorator_list, *defaults]
