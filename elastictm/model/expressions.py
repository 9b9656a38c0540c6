"""The walk through expressions, in the order in which Python evaluates them."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from elastictm.model.events import MANY
from elastictm.model.flow import Flow
from elastictm.model.known import ASKING, PLAIN_SHELL, TABLE_ACCESS, TEXT_METHODS
from elastictm.model.machine import SETTING
from elastictm.model.repeatability import KEPT, MENTIONED, Use
from elastictm.model.scopes import comprehension_scope, function_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class ExpressionWalk(Flow, ABC):
    """Visits expressions.

    Responsibilities:
    - follow names, conditional evaluation, ``:=`` and the scopes of lambdas and comprehensions;
    - describe how suspicious names are used;
    - leave calls of the shell, and calls whose text names variables, to its heirs.
    """

    spared: ast.expr | None = None
    """A use of ``sys.modules`` or ``os.environ`` that was found to be harmless."""

    @abstractmethod
    def shell_call(self, method: str, node: ast.Call) -> None:
        """Visit a call ``get_ipython().method(...)``."""

    @abstractmethod
    def text_call(self, method: str, node: ast.Call) -> None:
        """Visit a call of a method whose text may name variables; its parts are visited already."""

    def expr(self, node: ast.AST) -> None:
        """Visit an expression, or a part of one."""
        handler = self._handlers.get(type(node))
        if handler is not None:
            handler(self, node)
        else:
            for child in ast.iter_child_nodes(node):
                self.expr(child)

    def exprs(self, nodes: Sequence[ast.expr | None]) -> None:
        """Visit expressions from left to right."""
        for node in nodes:
            if node is not None:
                self.expr(node)

    def _maybe(self, nodes: Sequence[ast.expr]) -> None:
        """Visit expressions that may not be evaluated."""
        before = set(self.state) if self.walrus else self.state
        self.exprs(nodes)
        self.state = before

    def _acting(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.expr(child)
        self.act()

    def _joined(self, node: ast.JoinedStr) -> None:
        for value in node.values:
            if isinstance(value, ast.Constant):
                self.mention(str(value.value))
            else:
                self.expr(value)
        self.act()

    def _constant(self, node: ast.Constant) -> None:
        if type(node.value) is str:
            self.text(node.value)

    def _name(self, node: ast.Name) -> None:
        kind = type(node.ctx)
        if kind is ast.Load:
            self.load(node.id)
            if node.id in self.suspects and node is not self.spared:
                self.judge(node, MENTIONED)
        elif kind is ast.Store:
            self.store(node.id)
        else:
            self.delete(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        value = node.value
        if is_shell(value):
            self.shell_attribute(node)
            return
        if node.attr in self.suspects and node is not self.spared:
            self.judge(node, MENTIONED)
        self.expr(value)
        # A property of an older object may run anything, a module that this cell imported does not.
        if not isinstance(value, ast.Name) or value.id not in self.aliases:
            self.act()

    def shell_attribute(self, node: ast.Attribute) -> None:
        """Visit ``get_ipython().attribute``."""
        self.shell(node.value)
        if node.attr not in PLAIN_SHELL:
            self.layer.opaque[f"get_ipython().{node.attr}"] = None

    def shell(self, node: ast.expr) -> None:
        """Visit ``get_ipython()``, of which something harmless is asked."""
        func = cast("ast.Call", node).func
        if isinstance(func, ast.Name):
            self.load(func.id)
        else:
            self.expr(cast("ast.Attribute", func).value)

    def _call(self, node: ast.Call) -> None:
        func = node.func
        if node is self.spared:
            self.shell(node)
        elif isinstance(func, ast.Attribute):
            if is_shell(func.value):
                self.shell(func.value)
                self.shell_call(func.attr, node)
                return
            self._method(func, node)
        elif isinstance(func, ast.Name):
            self.load(func.id)
            if func.id in self.suspects:
                self.judge(func, call_use(node))
            elif func.id in ASKING and node.args:
                self._asked(node.args[0])
        else:
            self.expr(func)
        for argument in node.args:
            self.expr(argument)
        for keyword in node.keywords:
            self.expr(keyword.value)
        self._identities(node)
        if isinstance(func, ast.Attribute) and func.attr in TEXT_METHODS:
            self.text_call(func.attr, node)
        self.act()

    def _method(self, func: ast.Attribute, node: ast.Call) -> None:
        if func.attr in TABLE_ACCESS and (func.attr == "keys" or _is_text(node.args[:1])):
            self._asked(func.value)
        if func.attr in SETTING and _is_environment(func.value):
            self.spared = func.value
        if func.attr in self.suspects:
            self.judge(func, call_use(node))
        self.expr(func.value)

    def _identities(self, node: ast.Call) -> None:
        """Judge ``map(id, ...)`` and ``key=id``, which call the builtin function."""
        given = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
        if node.args and isinstance(node.func, ast.Name) and node.func.id == "map":
            given.append(node.args[0])
        for function in given:
            if isinstance(function, ast.Name) and function.id == "id":
                self.judge(function, Use(called=True, args=1))

    def _asked(self, node: ast.expr) -> None:
        """Allow a look at the shell, or at the names in ``sys.modules``, that takes nothing from them."""
        if is_shell(node) or (isinstance(node, ast.Attribute) and node.attr == "modules"):
            self.spared = node

    def _subscript(self, node: ast.Subscript) -> None:
        if _is_text([node.slice]):
            self._asked(node.value)
        if not isinstance(node.ctx, ast.Load) and _is_environment(node.value):
            self.spared = node.value
        self.expr(node.value)
        self.expr(node.slice)
        self.act()

    def _compare(self, node: ast.Compare) -> None:
        first = node.comparators[0]
        self._asked(first if isinstance(node.ops[0], (ast.In, ast.NotIn)) else node.left)
        if not (isinstance(node.left, ast.Name) and node.left.id == "__name__" and _is_text([first])):
            self.expr(node.left)
            self.expr(first)
        self._maybe(node.comparators[1:])
        self.act()

    def _hashing(self, node: ast.Dict | ast.Set) -> None:
        keys = node.keys if isinstance(node, ast.Dict) else node.elts
        for child in ast.iter_child_nodes(node):
            self.expr(child)
        if not all(isinstance(key, ast.Constant) for key in keys):
            self.act()

    def _bool_op(self, node: ast.BoolOp) -> None:
        self.expr(node.values[0])
        self.act()
        self._maybe(node.values[1:])

    def _if_exp(self, node: ast.IfExp) -> None:
        self.expr(node.test)
        self.act()
        self._maybe([node.body])
        self._maybe([node.orelse])

    def _named(self, node: ast.NamedExpr) -> None:
        self.expr(node.value)
        self.keep(node.value)
        scope = self.scope
        self.scope = scope.binder or scope
        self.store(node.target.id)
        self.scope = scope

    def keep(self, value: ast.expr | None) -> None:
        """Judge a name whose object gets another name here."""
        if isinstance(value, ast.Name) and value.id in self.suspects:
            self.judge(value, KEPT)

    def _lambda(self, node: ast.Lambda) -> None:
        self.exprs(node.args.defaults)
        self.exprs(node.args.kw_defaults)
        with self.put_off(function_scope(node, self.scope, walrus=self.walrus)):
            self.expr(node.body)
            self.keep(node.body)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first = node.generators[0]
        self.expr(first.iter)
        self.act()
        with self.inside(comprehension_scope(node, self.scope)):
            for generator in node.generators:
                if generator is not first:
                    self.expr(generator.iter)
                self.expr(generator.target)
                self.exprs(generator.ifs)
            if isinstance(node, ast.DictComp):
                self.exprs((node.key, node.value))
            else:
                self.expr(node.elt)

    def _pattern(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        for child in ast.iter_child_nodes(node):
            self.expr(child)
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.store(name)

    _handlers: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Name: _name,
        ast.Constant: _constant,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Compare: _compare,
        ast.BoolOp: _bool_op,
        ast.IfExp: _if_exp,
        ast.NamedExpr: _named,
        ast.Lambda: _lambda,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Dict: _hashing,
        ast.Set: _hashing,
        ast.BinOp: _acting,
        ast.UnaryOp: _acting,
        ast.JoinedStr: _joined,
        ast.FormattedValue: _acting,
        ast.Starred: _acting,
        ast.Await: _acting,
        ast.Yield: _acting,
        ast.YieldFrom: _acting,
        ast.MatchAs: _pattern,
        ast.MatchStar: _pattern,
        ast.MatchMapping: _pattern,
    }


def is_shell(node: ast.expr) -> bool:
    """Whether an expression is ``get_ipython()``."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return False
    func = node.func
    if isinstance(func, ast.Name):
        return func.id == "get_ipython"
    return isinstance(func, ast.Attribute) and func.attr == "get_ipython"


def call_use(node: ast.Call) -> Use:
    """How a call uses what it calls."""
    first = node.args[0] if node.args else None
    hidden = isinstance(first, ast.Starred) or any(keyword.arg is None for keyword in node.keywords)
    count = MANY if hidden else len(node.args) + len(node.keywords)
    seeds = [first, *(keyword.value for keyword in node.keywords if keyword.arg in {"seed", "x"})]
    constants = [seed.value for seed in seeds if isinstance(seed, ast.Constant)]
    text = constants[0] if constants and isinstance(constants[0], str) else None
    return Use(called=True, args=count, nothing=None in constants, text=text)


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def _is_text(nodes: Sequence[ast.expr]) -> bool:
    return bool(nodes) and isinstance(nodes[0], ast.Constant) and isinstance(nodes[0].value, str)
