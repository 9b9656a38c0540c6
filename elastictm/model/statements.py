"""The walk through statements, along all paths that a cell can take."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, ClassVar

from elastictm.model.definitions import DefinitionWalk
from elastictm.model.known import LETS_THROUGH
from elastictm.model.reach import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class StatementWalk(DefinitionWalk):
    """Visits statements.

    Responsibilities:
    - follow branches, loops, exceptions and context managers, and keep what is stored on all paths to a place;
    - note imports, and what names they give to modules.
    """

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Visit statements; what follows a return or a raise is visited as if it could run."""
        over = self.over = False
        for node in body:
            handler = self._statements.get(type(node))
            if handler is not None:
                handler(self, node)
            else:
                self.expr(node)
            over = over or self.over
            self.over = False
        self.over = over

    def _branches(self, *bodies: Sequence[ast.stmt]) -> None:
        entry = self.state
        exits: list[set[str]] = []
        for body in bodies:
            self.state = set(entry)
            self.block(body)
            if not self.over:
                exits.append(self.state)
        self._meet(entry, exits)

    def _meet(self, entry: set[str], exits: Sequence[set[str]]) -> None:
        """Go on where paths meet."""
        self.over = not exits
        self.state = set.intersection(*exits) if exits else entry

    def _expression(self, node: ast.Expr) -> None:
        value = node.value
        if isinstance(value, ast.Constant):
            return  # a docstring, or the like
        self.expr(value)
        self.act()  # it may be displayed

    def _assign(self, node: ast.Assign) -> None:
        self.expr(node.value)
        self.keep(node.value)
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self.expr(target)
                self.act()
                continue
            known = self.scope.texts.get(target.id, [])
            self.store(target.id)
            if known is not None and isinstance(node.value, (ast.JoinedStr, ast.Constant)):
                self.scope.texts[target.id] = [*known, node.value]

    def _aug_assign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.load(node.target.id)
            self.expr(node.value)
            self.act()
            self.store(node.target.id)
        else:
            self.expr(node.target)
            self.expr(node.value)
            self.act()

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.expr(node.value)
            self.keep(node.value)
            self.expr(node.target)
        elif not isinstance(node.target, ast.Name):
            self.expr(node.target)
        if self.scope.top or self.scope.prefix:  # a function's own annotations are never evaluated
            self.annotation(node.annotation)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            if root == MAIN:
                self.layer.opaque[MAIN] = None
            self.name_import(alias.asname or root, alias.name if alias.asname else root)

    def _import_from(self, node: ast.ImportFrom) -> None:
        if node.module == MAIN:
            self.layer.opaque[MAIN] = None
        for alias in node.names:
            if alias.name == "*":
                self._star(node)
            else:
                self.name_import(alias.asname or alias.name, f"{node.module or ''}.{alias.name}")

    def _star(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self.found.stars.add(node.module)
        else:
            self.found.opaque_stores["star import"] = None

    def _global(self, node: ast.Global) -> None:
        if self.scope.prefix:
            self.scope.declared.update(node.names)
            self.scope.hidden -= frozenset(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        """Names of functions around: neither loads nor stores of the namespace."""

    def _leave(self, node: ast.Return | ast.Raise | ast.Break | ast.Continue) -> None:
        for child in ast.iter_child_nodes(node):
            self.expr(child)
        if isinstance(node, ast.Return):
            self.keep(node.value)
        self.act()
        self.over = True

    def _assert(self, node: ast.Assert) -> None:
        self.expr(node.test)
        self.act()
        if node.msg is not None:
            before = set(self.state)
            self.expr(node.msg)
            self.state = before

    def _if(self, node: ast.If) -> None:
        self.expr(node.test)
        self.act()
        self._branches(node.body, node.orelse)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.expr(node.test if isinstance(node, ast.While) else node.iter)
        self.act()
        entry = set(self.state)
        if not isinstance(node, ast.While):
            self.expr(node.target)
        self.block(node.body)
        # The next round begins with no more than what was stored before the first, and so does what follows.
        self.state = set(entry)
        self.act()
        self.block(node.orelse)
        self.state, self.over = entry, False

    def _try(self, node: ast.Try) -> None:
        entry = set(self.state)
        exits: list[set[str]] = []
        self.block(node.body)
        if not self.over:
            self.block(node.orelse)
            if not self.over:
                exits.append(self.state)
        for handler in node.handlers:
            self.state = set(entry)
            if handler.type is not None:
                self.expr(handler.type)
            self.act()
            if handler.name:
                self.store(handler.name)
            self.block(handler.body)
            if handler.name:
                self.unbind(handler.name)
            if not self.over:
                exits.append(self.state)
        self._meet(entry, exits)
        if node.finalbody:
            after, over = self.state, self.over
            self.state = set(entry)
            self.block(node.finalbody)
            self.state = self.state | after
            self.over = self.over or over

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        least: set[str] | None = None
        for item in node.items:
            self.expr(item.context_expr)
            self.act()
            if item.optional_vars is not None:
                self.expr(item.optional_vars)
            if least is None and not self._lets_through(item.context_expr):
                least = set(self.state)
        self.block(node.body)
        if least is not None:
            self.state, self.over = least, False
        self.act()

    def _lets_through(self, node: ast.expr) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        parts, _ = self.dotted(called)
        if isinstance(called, ast.Name) and called.id in self.found.stores and called.id not in self.aliases:
            return False  # the user's own
        return parts[-1] in LETS_THROUGH or parts[-2:] == ("style", "context")

    def _match(self, node: ast.Match) -> None:
        self.expr(node.subject)
        self.act()
        entry = self.state
        exits: list[set[str]] = []
        certain = False
        for case in node.cases:
            self.state = set(entry)
            self.expr(case.pattern)
            if case.guard is not None:
                self.expr(case.guard)
                self.act()
            self.block(case.body)
            if not self.over:
                exits.append(self.state)
            certain = case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
        self._meet(entry, exits if certain else [*exits, entry])

    _statements: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Expr: _expression,
        ast.Assign: _assign,
        ast.AugAssign: _aug_assign,
        ast.AnnAssign: _ann_assign,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Global: _global,
        ast.Nonlocal: _nonlocal,
        ast.Return: _leave,
        ast.Raise: _leave,
        ast.Break: _leave,
        ast.Continue: _leave,
        ast.Assert: _assert,
        ast.If: _if,
        ast.For: _loop,
        ast.AsyncFor: _loop,
        ast.While: _loop,
        ast.Try: _try,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Match: _match,
        ast.FunctionDef: DefinitionWalk.function_statement,
        ast.AsyncFunctionDef: DefinitionWalk.function_statement,
        ast.ClassDef: DefinitionWalk.class_statement,
        # Statements that came after Python 3.10.
        getattr(ast, "TryStar", ast.Try): _try,
        getattr(ast, "TypeAlias", ast.Pass): DefinitionWalk.type_alias_statement
        if hasattr(ast, "TypeAlias")
        else DefinitionWalk.expr,
    }
