"""The walk through statements, along all paths that a cell can take."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, ClassVar, cast

from elastictm.model.embedded import EmbeddedWalk
from elastictm.model.known import LETS_THROUGH, PASSIVE_DECORATORS
from elastictm.model.reach import MAIN
from elastictm.model.scopes import class_scope, function_scope, type_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class StatementWalk(EmbeddedWalk):
    """Visits statements.

    Responsibilities:
    - follow branches, loops, exceptions and context managers, and keep what is stored on all paths to a place;
    - open the scopes of functions and classes;
    - note imports, and what names they give to modules.
    """

    over = False
    """Whether the statements visited last never hand on to the next one."""

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Visit statements; what follows a return or a raise is visited as if it could run."""
        over = False
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
            self.store(alias.asname or root)
            self.aliases[alias.asname or root] = alias.name if alias.asname else root

    def _import_from(self, node: ast.ImportFrom) -> None:
        if node.module == MAIN:
            self.layer.opaque[MAIN] = None
        for alias in node.names:
            if alias.name == "*":
                self.found.opaque_stores["star import"] = None
                continue
            self.store(alias.asname or alias.name)
            self.aliases[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"

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

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        called = self._decorators(node.decorator_list)
        self.exprs(node.args.defaults)
        self.exprs(node.args.kw_defaults)
        args = node.args
        hidden = self.scope.hidden
        self.scope.hidden |= type_parameters(node)
        for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
            if arg is not None and arg.annotation is not None:
                self.annotation(arg.annotation)
        self.annotation(node.returns)
        self._type_parameters(node)
        owner = node.name if self.owner is None else self.owner
        with self.put_off(function_scope(node, self.scope, walrus=self.walrus), "" if called else owner):
            self.block(node.body)
            self.over = False
        self.scope.hidden = hidden
        if called:
            self.act()
        self.store(node.name)

    def _class(self, node: ast.ClassDef) -> None:
        called = self._decorators(node.decorator_list)
        hidden, owner = self.scope.hidden, self.owner
        self.scope.hidden |= type_parameters(node)
        self._type_parameters(node)
        self.exprs(node.bases)
        for keyword in node.keywords:
            self.expr(keyword.value)
        called = called or bool(node.keywords)
        self.serial += 1
        outer, self.scope = self.scope, class_scope(node, self.scope, self.serial)
        self.owner = "" if called else node.name if owner is None else owner
        self.block(node.body)
        self.scope, self.owner = outer, owner
        self.scope.hidden = hidden
        if called:
            self.act()
        self.store(node.name)

    def _decorators(self, decorators: Sequence[ast.expr]) -> bool:
        """Visit decorators, and tell whether one may call what it decorates."""
        called = False
        for node in decorators:
            parts, _ = self.dotted(node.func if isinstance(node, ast.Call) else node)
            if parts[-1] in PASSIVE_DECORATORS:
                if isinstance(node, ast.Call):
                    self.exprs([*node.args, *(keyword.value for keyword in node.keywords)])
                with self.hushed():
                    self.expr(node.func if isinstance(node, ast.Call) else node)
            else:
                self.expr(node)
                called = True
        return called

    def _type_parameters(self, node: ast.AST) -> None:
        for parameter in getattr(node, "type_params", ()):
            with self.put_off(self.scope):
                for child in ast.iter_child_nodes(parameter):
                    self.annotation(cast("ast.expr", child))

    def _type_alias(self, node: Any) -> None:
        hidden = self.scope.hidden
        self.scope.hidden |= type_parameters(node)
        self._type_parameters(node)
        with self.put_off(self.scope):
            self.annotation(node.value)
        self.scope.hidden = hidden
        self.store(node.name.id)

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
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
        # Statements that came after Python 3.10.
        getattr(ast, "TryStar", ast.Try): _try,
        getattr(ast, "TypeAlias", ast.Pass): _type_alias if hasattr(ast, "TypeAlias") else EmbeddedWalk.expr,
    }
