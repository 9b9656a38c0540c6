"""The walk that finds where the order of a set tells on a value."""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from elastictm.model.magics_code import cell_magic, line_magic
from elastictm.model.set_kinds import COMBINING, NOTHING, NUMBERS, Kinds, SetKinds, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

_FREE: Final = frozenset(
    {"len", "min", "max", "sum", "sorted", "any", "all", "set", "frozenset", "bool", "isinstance", "type", "id", "fsum"}
)
"""Functions whose result does not depend on the order of what they are given."""
_TIED: Final = frozenset({"sorted", "min", "max"})
"""Those of them that look at the order again where a key makes elements equal."""
_PASSING: Final = frozenset({"list", "tuple", "iter", "map", "filter", "chain", "from_iterable"})
"""Functions that hand on what they are given, in its order."""
_SHOWN: Final = frozenset({"print", "display"})
_KEEPING: Final = COMBINING | frozenset(
    """
    add discard remove isin update difference_update intersection_update symmetric_difference_update issubset
    issuperset isdisjoint append appendleft insert setdefault get put copy deepcopy
    """.split()
)
"""Methods that keep a set as it is, or look at its elements without order."""
_CHANGING: Final = frozenset({"add", "update", "symmetric_difference_update"})

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class OrderWalk:
    """Visits code in the order in which it runs.

    Responsibilities:
    - follow which names are bound to sets;
    - note where a set is iterated and the order can tell, and where a value is hashed.
    """

    def __init__(self, kinds: SetKinds, transform: Callable[[str], str]) -> None:
        self.uses: list[tuple[Kinds, ast.AST]] = []
        self.hashes: list[ast.AST] = []
        self._kinds = kinds
        self._transform = transform
        self._silent = False
        self._called: frozenset[str] = frozenset()
        self._within = ""

    def cell(self, tree: ast.Module) -> None:
        """Visit a cell; what a function does counts for the cell if the cell may call it."""
        self._called = frozenset(
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        )
        self._block(tree.body)

    def function(self, node: Function) -> None:
        """Visit the body of a function that is called."""
        outer, kinds = self._within, self._kinds
        names = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
        inner = SetKinds()
        inner.known, inner.numbers = {**kinds.known, **dict.fromkeys(names, NOTHING)}, kinds.numbers - names
        inner.own = kinds.own | names
        self._kinds, self._within = inner, getattr(node, "name", "<lambda>")
        if isinstance(node, ast.Lambda):
            self._expr(node.body)
        else:
            self._block(node.body)
        self._kinds, self._within = kinds, outer

    def _note(self, node: ast.expr, at: ast.AST) -> None:
        """Note that the order of an expression tells, if it is a set."""
        kinds = self._kinds.of(node) - {NUMBERS}
        if kinds and not self._silent:
            self.uses.append((kinds, at))

    def _block(self, body: Iterable[ast.AST]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.AST) -> None:
        handler = self._statements.get(type(node).__name__)
        if handler is not None:
            handler(self, node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expr(child)
            else:
                self._statement(child)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._exprs([*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)])
        if node.name in self._called or self._within:
            self.function(node)

    def _with_item(self, node: ast.withitem) -> None:
        self._expr(node.context_expr)
        if node.optional_vars is not None:
            self._kinds.bind(node.optional_vars, NOTHING)

    def _while(self, node: ast.While) -> None:
        self._expr(node.test)
        self._twice(node.body)
        self._block(node.orelse)

    def _class(self, node: ast.ClassDef) -> None:
        self._exprs([*node.decorator_list, *node.bases])
        counts = node.name in self._called
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if counts or self._within:
                    self.function(inner)
            else:
                self._statement(inner)

    def _assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        if node.value is None:
            return
        self._expr(node.value)
        kinds, number = self._kinds.of(node.value), self._kinds.is_number(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, (ast.Tuple, ast.List)):
                if isinstance(node.value, (ast.Tuple, ast.List)) and len(node.value.elts) == len(target.elts):
                    for part, value in zip(target.elts, node.value.elts, strict=True):
                        self._kinds.bind(part, self._kinds.of(value))
                    continue
                self._note(node.value, node)
            elif isinstance(target, ast.Subscript):
                self._expr(target)
            self._kinds.bind(target, kinds, number=number)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        self._expr(node.value)
        if isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)):
            combined = self._kinds.of(node.target) | self._kinds.of(node.value)
            if combined:
                self._kinds.bind(node.target, combined)
        else:
            self._note(node.value, node)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expr(node.iter)
        if not all(map(self._adds_up, node.body)):
            self._note(node.iter, node)
        self._kinds.bind(node.target, NOTHING, number=self._kinds.counts(node.iter))
        self._twice(node.body)
        self._block(node.orelse)

    def _adds_up(self, node: ast.stmt) -> bool:
        """Whether a statement comes to the same in whatever order it is repeated."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            func = node.value.func
            into_set = isinstance(func, ast.Attribute) and func.attr in {"add", "discard"}
            return into_set or (isinstance(func, ast.Name) and func.id in _SHOWN)
        if isinstance(node, ast.AugAssign):
            return isinstance(node.op, ast.Add) and self._kinds.is_number(node.value)
        if isinstance(node, ast.If):
            return all(map(self._adds_up, [*node.body, *node.orelse]))
        return isinstance(node, (ast.Pass, ast.Continue, ast.Assert))

    def _twice(self, body: Sequence[ast.stmt]) -> None:
        """Visit the body of a loop, whose second round meets what the first one bound; each place counts once."""
        uses, hashes = len(self.uses), len(self.hashes)
        before = dict(self._kinds.known)
        self._block(body)
        self._join(before)
        del self.uses[uses:], self.hashes[hashes:]
        self._block(body)
        self._join(before)

    def _join(self, other: dict[str, Kinds]) -> None:
        for name, kinds in other.items():
            self._kinds.known[name] = self._kinds.known.get(name, NOTHING) | kinds

    def _branches(self, node: ast.AST) -> None:
        """Visit the parts of a statement of which some may not run."""
        for name in ("test", "subject"):
            if isinstance(value := getattr(node, name, None), ast.expr):
                self._expr(value)
        before = dict(self._kinds.known)
        bodies: list[Sequence[ast.AST]] = [getattr(node, name, []) for name in ("body", "orelse")]
        bodies += [part.body for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]]
        after: list[dict[str, Kinds]] = []
        for body in bodies:
            self._kinds.known = dict(before)
            self._block(body)
            after.append(self._kinds.known)
        self._kinds.known = {}
        for known in after:
            self._join(known)
        self._block(getattr(node, "finalbody", []))

    def _exprs(self, nodes: Iterable[ast.expr]) -> None:
        for node in nodes:
            self._expr(node)

    def _expr(self, node: ast.AST) -> None:
        """Visit an expression whose value is used, in whatever way."""
        handler = self._expressions.get(type(node))
        if handler is not None:
            handler(self, node)
            return
        if isinstance(node, (ast.List, ast.Tuple)):
            for part in node.elts:
                if isinstance(part, ast.Starred):
                    self._note(part.value, node)
        elif isinstance(node, (ast.FormattedValue, ast.YieldFrom)):
            self._note(node.value, node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            self._note(node.right, node)
        for child in ast.iter_child_nodes(node):
            self._expr(child)

    def _named(self, node: ast.NamedExpr) -> None:
        self._expr(node.value)
        self._kinds.bind(node.target, self._kinds.of(node.value))

    def _set_comprehension(self, node: ast.SetComp) -> None:
        self._comprehension(node, free=True)

    def _comprehension(self, node: Comprehension, *, free: bool = False) -> None:
        known, numbers = dict(self._kinds.known), set(self._kinds.numbers)
        for generator in node.generators:
            self._expr(generator.iter)
            if not free:
                self._note(generator.iter, node)
            self._kinds.bind(generator.target, NOTHING, number=self._kinds.counts(generator.iter))
            self._exprs(generator.ifs)
        self._exprs([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._kinds.known, self._kinds.numbers = known, numbers

    def _without_order(self, node: ast.expr) -> None:
        """Visit an argument whose order does not matter."""
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            self._comprehension(node, free=True)
        elif isinstance(node, ast.Starred):
            self._without_order(node.value)
        elif isinstance(node, ast.Call) and _last(node.func) in _PASSING:
            for argument in node.args:
                self._without_order(argument)
        else:
            self._expr(node)

    def _call(self, node: ast.Call) -> None:
        if self._magic(node):
            return
        name = _last(node.func)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            self._method(node, node.func)
        elif name == "hash" and self._within != "__hash__" and not self._silent:
            if not all(map(self._kinds.is_number, arguments)):
                self.hashes.append(node)
        elif name in _SHOWN:
            with self._hushed():
                self._exprs(arguments)
            return
        tied = name in _TIED and any(keyword.arg == "key" for keyword in node.keywords)
        if (name in _FREE and not tied) or name in _KEEPING:
            for argument in arguments:
                self._without_order(argument)
        else:
            self._given_away(node, arguments)

    def _method(self, node: ast.Call, func: ast.Attribute) -> None:
        self._expr(func.value)
        if func.attr == "pop" and not node.args:
            self._note(func.value, node)
        elif func.attr in _CHANGING:
            only_numbers = self._kinds.is_number if func.attr == "add" else self._kinds.counts
            if not all(map(only_numbers, node.args)):
                self._kinds.widen(func.value)

    def _given_away(self, node: ast.Call, arguments: Sequence[ast.expr]) -> None:
        """Visit a call of a function that may look at the order of what it is given."""
        if not isinstance(node.func, (ast.Name, ast.Attribute)):
            self._expr(node.func)
        for argument in arguments:
            value = argument.value if isinstance(argument, ast.Starred) else argument
            self._note(value, node)
            self._kinds.widen(value)
            self._expr(value)

    def _magic(self, node: ast.Call) -> bool:
        """Visit the code that a magic runs, if this is one."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if (method, len(words)) == ("run_cell_magic", 3):
            use = cell_magic(*words)
        elif (method, len(words)) == ("run_line_magic", 2):
            use = line_magic(*words)
        else:
            return False
        for text in (*use.runs, *use.times):
            self._block(ast.parse(self._transform(text)).body)
        return True

    @contextmanager
    def _hushed(self) -> Iterator[None]:
        """Note nothing: what is shown is no value."""
        before, self._silent = self._silent, True
        try:
            yield
        finally:
            self._silent = before

    _statements: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "FunctionDef": _definition,
        "AsyncFunctionDef": _definition,
        "ClassDef": _class,
        "Assign": _assign,
        "AnnAssign": _assign,
        "AugAssign": _aug_assign,
        "For": _for,
        "AsyncFor": _for,
        "While": _while,
        "If": _branches,
        "Try": _branches,
        "TryStar": _branches,
        "Match": _branches,
        "withitem": _with_item,
    }
    _expressions: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Call: _call,
        ast.ListComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.SetComp: _set_comprehension,
        ast.Lambda: function,
        ast.NamedExpr: _named,
    }


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else dotted(node)
