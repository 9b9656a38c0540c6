"""The walk through code that stands in strings: magics, shell commands, SQL and expressions for libraries."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from elastictm.model.expressions import ExpressionWalk
from elastictm.model.known import COMMANDS, EVALUATORS, PLAIN_SHELL, STATEMENT_BUILDERS
from elastictm.model.magics_code import MagicUse, cell_magic, expanded_expressions, line_magic
from elastictm.model.reach import expression_names, sql_names, table_is_open
from elastictm.model.scopes import block_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_ARGUMENTS = (ast.Dict, ast.List, ast.Tuple, ast.Set, ast.Lambda, ast.ListComp, ast.DictComp, ast.Constant)


class EmbeddedWalk(ExpressionWalk):
    """Visits what strings make IPython and libraries look up.

    Responsibilities:
    - visit annotations, whose strings are expressions that libraries evaluate;
    - run the code of magics through the walk, and note what their options store;
    - note the names in texts that look them up in the caller's namespace, and texts that cannot be seen.
    """

    @abstractmethod
    def block(self, body: Sequence[ast.stmt]) -> None:
        """Visit statements."""

    def shell_call(self, method: str, node: ast.Call) -> None:
        """Visit a call ``get_ipython().method(...)``."""
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        words = [text for text in texts if isinstance(text, str)]
        if len(words) != len(node.args) or node.keywords:
            words = []
        if method in COMMANDS and len(words) == 1:
            self.magic(MagicUse(expands=(words[0],)))
        elif method == "run_line_magic" and len(words) == 2:  # noqa: PLR2004 - name and line
            self.magic(line_magic(*words))
        elif method == "run_cell_magic" and len(words) == 3:  # noqa: PLR2004 - name, line and body
            self.magic(cell_magic(*words))
        else:
            self.exprs(node.args)
            self.exprs([keyword.value for keyword in node.keywords])
            if method not in PLAIN_SHELL and method not in COMMANDS:
                self.layer.opaque[f"get_ipython().{method}"] = None
        self.act()

    def magic(self, use: MagicUse) -> None:
        """Visit what a magic does; its code may fail without an end to the cell, so nothing is certainly stored."""
        before = set(self.state)
        for expression in use.evaluates:
            self.text_expression(expression)
        for text in use.expands:
            for expression in expanded_expressions(text):
                self.text_expression(expression)
        for word in " ".join((*use.expands, use.mentions)).split():
            self.found.keep_path(word.strip("'\"();,"))
        for text in use.runs:
            body = self._parsed(text)
            if body is not None:
                self.block(body)
        self._timed(use.times)
        for name in use.stores:
            self.store(name)
        if use.opaque:
            self.layer.opaque[use.opaque] = None
        if use.unrepeatable:
            self.layer.unrepeatable[use.unrepeatable] = None
        self.state = before

    def _timed(self, texts: Sequence[str]) -> None:
        bodies = [body for body in map(self._parsed, texts) if body]
        statements = [statement for body in bodies for statement in body]
        if statements:
            with self.inside(block_scope(statements, self.scope, set(), walrus=self.walrus)):
                self.block(statements)

    def _parsed(self, text: str) -> list[ast.stmt] | None:
        try:
            code = self.transform(text)
            tree = ast.parse(code)
        except (SyntaxError, ValueError):
            self.layer.opaque["a magic's code that cannot be parsed"] = None
            return None
        self.walrus = self.walrus or ":=" in code
        return tree.body

    def text_call(self, method: str, node: ast.Call) -> None:
        """Visit a call of a method whose text may name variables; its parts are visited already."""
        given = [keyword.value for keyword in node.keywords if keyword.arg in {"query", "sql", "expr", "ex"}]
        if not (node.args or given):
            return
        text = (*node.args, *given)[0]
        evaluates = method in {"eval", "evaluate"}
        owner = self.dotted(node.func)[0][-2]
        python = evaluates and owner in EVALUATORS
        if (method == "evaluate" and not python) or owner == "builtins":
            return
        for part in self._texts(text):
            if part is None:
                self.layer.opaque[f"{method}() of a text made elsewhere"] = None
            elif python:
                self._look_up(expression_names(part))
            elif not evaluates:  # for a frame's eval, names with @ are noted with all constants
                self._look_up(sql_names(part))

    def annotation(self, node: ast.expr | None) -> None:
        """Visit an annotation; strings in it are expressions that libraries evaluate."""
        if node is None:
            return
        with self.hushed():
            if isinstance(node, ast.Name):
                self.load(node.id)
            elif isinstance(node, ast.Constant):
                if isinstance(node.value, str):
                    self.text_expression(node.value)
            elif isinstance(node, ast.Subscript):
                self.annotation(node.value)
                if self.dotted(node.value)[0][-1] != "Literal":
                    self.annotation(node.slice)
            elif isinstance(node, (ast.BinOp, ast.Tuple, ast.List)):
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.annotation(child)
            else:
                self.expr(node)

    def text_expression(self, text: str) -> None:
        """Visit an expression that stands in a string; what is no expression has no names."""
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError):
            return
        self.walrus = self.walrus or ":=" in text
        self.expr(tree.body)

    def _look_up(self, names: Sequence[str]) -> None:
        for name in names:
            self.load(name)

    def _texts(self, node: ast.expr) -> list[str | None]:
        """The texts that an expression can be, None for one that cannot be seen."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.JoinedStr):
            return [_joined(node)]
        if isinstance(node, ast.Name):
            scope = self.scope if node.id in self.scope.texts else self.scope.binder or self.scope
            known = scope.texts.get(node.id)
            if known is not None and (node.id in scope.hidden or node.id in self.state):
                return [part for value in known for part in self._texts(value)]
            # What is written so is a class, as in session.query(User).
            return [] if node.id[:1].isupper() and not node.id.isupper() else [None]
        if isinstance(node, _PLAIN_ARGUMENTS):
            return []
        built = isinstance(node, ast.Call) and self.dotted(node.func)[0][-1] in STATEMENT_BUILDERS
        return [] if built else [None]


def _joined(node: ast.JoinedStr) -> str | None:
    text = ""
    for value in node.values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
        elif table_is_open(text):
            return None
        else:
            text += " "
    return text
