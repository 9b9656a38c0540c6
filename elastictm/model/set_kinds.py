"""Which expressions are sets whose order is not the same in another process."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final, TypeAlias

Kinds: TypeAlias = frozenset[str]
"""What may make an expression a set: ``MIXED``, ``NUMBERS``, or the name of a variable that may be one.

Empty for what is no set.
"""

MIXED: Final = "{}"
"""A set of anything."""
NUMBERS: Final = "{0}"
"""A set that holds nothing but numbers so far, whose order is the same everywhere."""

NOTHING: Final[Kinds] = frozenset()
_MIXED: Final = frozenset({MIXED})
_NUMBERS: Final = frozenset({NUMBERS})

COMBINING: Final = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_COPYING: Final = frozenset({"copy", "deepcopy"})
_VIEWS: Final = frozenset({"keys", "items"})
_OPERATORS: Final = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
_TO_NUMBER: Final = frozenset({"len", "int", "float", "ord", "abs", "round", "bool", "sum"})
_NUMERIC: Final = (ast.Sub, ast.FloorDiv, ast.Div, ast.Pow, ast.LShift, ast.RShift)


class SetKinds:
    """Tells what an expression is, given what the names around it are bound to.

    ``known`` are the names bound so far, dotted ones too; ``numbers`` are those bound to numbers.
    ``own`` are names that do not belong to the namespace, though nothing is known of them.
    """

    def __init__(self) -> None:
        self.known: dict[str, Kinds] = {}
        self.numbers: set[str] = set()
        self.own: set[str] = set()

    def of(self, node: ast.expr | None) -> Kinds:
        """What makes an expression a set, if anything."""
        found = NOTHING
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = self._of_name(node)
        elif isinstance(node, ast.Set):
            found = _NUMBERS if all(map(self.is_number, node.elts)) else _MIXED
        elif isinstance(node, ast.SetComp):
            found = _NUMBERS if self._makes_numbers(node) else _MIXED
        elif isinstance(node, ast.Call):
            found = self._of_call(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
            views = any(map(_is_view, (node.left, node.right)))
            found = self.of(node.left) | self.of(node.right) | (_MIXED if views else NOTHING)
        elif isinstance(node, ast.IfExp):
            found = self.of(node.body) | self.of(node.orelse)
        elif isinstance(node, ast.BoolOp):
            found = NOTHING.union(*map(self.of, node.values))
        elif isinstance(node, (ast.NamedExpr, ast.Await)):
            found = self.of(node.value)
        return found

    def bind(self, target: ast.expr, kinds: Kinds, *, number: bool = False) -> None:
        """A target is bound to something."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.bind(part, NOTHING)
            return
        if isinstance(target, ast.Starred):
            self.bind(target.value, NOTHING)
            return
        name = dotted(target)
        if name:
            self.known[name] = kinds
            (self.numbers.add if number else self.numbers.discard)(name)

    def widen(self, node: ast.expr) -> None:
        """Something that is not seen to be a number may have been put into a set."""
        name = dotted(node)
        if name and NUMBERS in self.known.get(name, NOTHING):
            self.known[name] |= _MIXED

    def is_number(self, node: ast.expr) -> bool:
        """Whether an expression is seen to be a number, or a tuple of numbers."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, (int, float, complex))
        if isinstance(node, (ast.Name, ast.Compare)):
            return isinstance(node, ast.Compare) or node.id in self.numbers
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Not) or self.is_number(node.operand)
        if isinstance(node, ast.BinOp):
            numeric = isinstance(node.op, _NUMERIC) and not (self.of(node.left) or self.of(node.right))
            return numeric or (self.is_number(node.left) and self.is_number(node.right))
        if isinstance(node, ast.Tuple):
            return all(map(self.is_number, node.elts))
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TO_NUMBER

    def counts(self, node: ast.expr) -> bool:
        """Whether an iterable is seen to give nothing but numbers."""
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return all(map(self.is_number, node.elts))
        if isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
            return self._makes_numbers(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id == "map":
                return isinstance(first, ast.Name) and first.id in _TO_NUMBER
            return node.func.id == "range"
        return self.of(node) == _NUMBERS

    def _of_name(self, node: ast.Name | ast.Attribute) -> Kinds:
        name = dotted(node)
        if name in self.known:
            return self.known[name]
        if isinstance(node, ast.Attribute) or name in self.own:
            return NOTHING
        return frozenset({name})

    def _of_call(self, node: ast.Call) -> Kinds:
        func = node.func
        if isinstance(func, ast.Name):
            if func.id in {"set", "frozenset"} and func.id not in self.known:
                return _NUMBERS if not node.args or self.counts(node.args[0]) else _MIXED
            return self.of(node.args[0]) if func.id in _COPYING and node.args else NOTHING
        if not isinstance(func, ast.Attribute):
            return NOTHING
        if func.attr in _COPYING and node.args:
            return self.of(node.args[0])
        return self._of_method(func, node.args)

    def _of_method(self, func: ast.Attribute, arguments: list[ast.expr]) -> Kinds:
        if func.attr not in COMBINING and func.attr != "copy":
            return NOTHING
        if isinstance(func.value, ast.Name) and func.value.id in {"set", "frozenset"}:
            return _MIXED
        mine = self.of(func.value)
        return mine | _MIXED if NUMBERS in mine and not self._all_count(arguments) else mine

    def _all_count(self, nodes: Iterable[ast.expr]) -> bool:
        return all(map(self.counts, nodes))

    def _makes_numbers(self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> bool:
        before = set(self.numbers)
        for generator in node.generators:
            if isinstance(generator.target, ast.Name):
                (self.numbers.add if self.counts(generator.iter) else self.numbers.discard)(generator.target.id)
        found = self.is_number(node.elt)
        self.numbers = before
        return found


def dotted(node: ast.expr) -> str:
    """A name, or a name with attributes, as text; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _is_view(node: ast.expr) -> bool:
    """Whether it is ``x.keys()`` or the like, which combine to sets."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS
