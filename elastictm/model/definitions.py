"""The walk through definitions of functions, classes and types."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any, cast

from elastictm.model.embedded import EmbeddedWalk
from elastictm.model.known import PASSIVE_DECORATORS
from elastictm.model.scopes import class_scope, function_scope, type_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence


class DefinitionWalk(EmbeddedWalk):
    """Visits definitions.

    Responsibilities:
    - open the scopes of functions, classes and type parameters;
    - tell bodies that run at once from those that something must call first.
    """

    over = False
    """Whether the statements visited last never hand on to the next one."""

    def function_statement(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Visit the definition of a function; its body runs when something calls it."""
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

    def class_statement(self, node: ast.ClassDef) -> None:
        """Visit the definition of a class; its body runs at once."""
        called = self._decorators(node.decorator_list)
        hidden, owner = self.scope.hidden, self.owner
        self.scope.hidden |= type_parameters(node)
        self._type_parameters(node)
        for base in node.bases:
            self._base(base)
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

    def _base(self, node: ast.expr) -> None:
        """Visit a base, which may run code of its own when a class derives from it, unless it is a library's."""
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            with self.hushed():
                self.expr(node)
            return
        self.expr(node)
        if not isinstance(node, ast.Name) or not (node.id in self.aliases or hasattr(builtins, node.id)):
            self.act()

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

    def type_alias_statement(self, node: Any) -> None:
        """Visit ``type X = ...``, whose value is evaluated when it is asked for."""
        hidden = self.scope.hidden
        self.scope.hidden |= type_parameters(node)
        self._type_parameters(node)
        with self.put_off(self.scope):
            self.annotation(node.value)
        self.scope.hidden = hidden
        self.store(node.name.id)
