"""What the user's own modules do that gives another result each time, as far as a cell's words lead into them."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import weakref
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.names import names_of_cell, names_of_code
from elastictm.values.modules import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_WORD: Final = re.compile(r"[^\W\d]\w*")
_LONGEST: Final = 1_000_000
"""Characters of a module's text up to which it is looked at."""


class OwnCode:
    """Follows names from a cell through the functions and classes of the user's own modules.

    A name leads to what any module that was reached calls so: only names are followed, no values.
    ``loaded`` gives the names of the own modules that are loaded.
    """

    def __init__(self, loaded: Callable[[], Iterable[str]]) -> None:
        self._loaded = loaded
        self._functions: weakref.WeakKeyDictionary[CodeType, tuple[frozenset[str], tuple[str, ...]]]
        self._functions = weakref.WeakKeyDictionary()
        self._made: dict[str, tuple[Any, dict[str, tuple[str, ...]]]] = {}

    def reasons(self, source: str, values: Iterable[Any]) -> tuple[str, ...]:
        """Why what a cell does in own modules does not repeat; ``values`` are those that it can reach by name."""
        own = {name: module for name in self._loaded() if isinstance(module := sys.modules.get(name), ModuleType)}
        if not own:
            return ()
        words: set[str] = set()
        reached: dict[str, ModuleType] = {}
        for value in values:
            name = origin(value)
            if name in own:
                reached[name] = own[name]
                words.add(_called(value))
            elif type(value) is FunctionType:
                words |= self._judged(value.__code__)[0]
        return tuple(self._followed(own, reached, words.union(_WORD.findall(source)))) if reached else ()

    def _followed(self, own: Mapping[str, ModuleType], reached: dict[str, ModuleType], words: set[str]) -> list[str]:
        """The reasons in all that the words lead to, and what that names in turn."""
        found: dict[str, None] = {}
        seen: set[CodeType] = set()
        fresh = True
        while fresh:
            fresh = False
            for module in tuple(reached.values()):
                made = self._made_by(module)
                for name in words & vars(module).keys():
                    found.update(dict.fromkeys(made.get(name, ())))
                    home = origin(vars(module)[name])
                    if home in own and home not in reached:
                        reached[home] = own[home]
                        fresh = True
                for code in _codes(module, words):
                    if code not in seen:
                        seen.add(code)
                        named, reasons = self._judged(code)
                        words |= named
                        found.update(dict.fromkeys(reasons))
                        fresh = True
        return list(found)

    def _judged(self, code: CodeType) -> tuple[frozenset[str], tuple[str, ...]]:
        """The names in a function, and the reasons that it shows."""
        known = self._functions.get(code)
        if known is None:
            known = self._functions[code] = (frozenset(_names(code)), names_of_code(code).unrepeatable)
        return known

    def _made_by(self, module: ModuleType) -> dict[str, tuple[str, ...]]:
        """The names that importing a module binds to another value each time, with the reasons."""
        known = self._made.get(module.__name__)
        if known is None or known[0] is not module.__spec__:
            text = "".join(linecache.getlines(str(module.__file__)))
            known = self._made[module.__name__] = (module.__spec__, dict(_unsteady_names(text)))
        return known[1]


def _called(value: Any) -> str:
    kind = type(value)
    named = value if kind is FunctionType or issubclass(kind, type) else kind
    return str(named.__name__)


def _codes(module: ModuleType, words: set[str]) -> Iterator[CodeType]:
    """The functions of a module that words name: methods by their own name, special ones by that of their class."""
    for name, value in tuple(vars(module).items()):
        if type(value) is FunctionType and value.__module__ == module.__name__:
            if name in words:
                yield value.__code__
        elif issubclass(type(value), type) and value.__module__ == module.__name__:
            for key, item in tuple(vars(value).items()):
                function = getattr(item, "__func__", getattr(item, "fget", item))
                special = key.startswith("__") and name in words
                if type(function) is FunctionType and (special or key in words):
                    yield function.__code__


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _unsteady_names(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    try:
        tree = ast.parse(text) if len(text) <= _LONGEST else ast.Module([], [])
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            found = names_of_cell(ast.unparse(ast.Module([*imports, node], [])), lambda magic: magic)
            if found is not None and found.unrepeatable:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                inner = (name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
                yield from ((name.id, found.unrepeatable) for name in inner)
