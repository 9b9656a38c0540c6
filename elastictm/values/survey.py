"""Which mutable objects a value holds, to see what it shares with other values."""

from __future__ import annotations

import gc
import types
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.definitions import BARE, importable
from elastictm.values.kinds import FIXED, module_of
from elastictm.values.surveyed import Span, Survey, is_plain
from elastictm.values.walk import Walk, of_module

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from elastictm.values.freeze import Surroundings

__all__ = ["Span", "Survey", "Surveyor"]

_SEE_THROUGH: Final = frozenset(
    {tuple, frozenset, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType}
)
"""Types whose instances cannot change, though what they hold can."""


class Surveyor:
    """Walks values of one session."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._singletons = tuple(around.singletons)

    def survey(
        self,
        values: Iterable[Any],
        *,
        out_of_time: Callable[[], bool] = lambda: False,
        trodden: Container[int] = frozenset(),
    ) -> Survey:
        """Walk all that the values hold, but for what is inside objects that are ``trodden`` by address.

        Raises:
            OutOfTime: ``out_of_time`` said so between two levels.
        """
        walk = Walk(self._around, self._singletons, trodden)
        walk.go(values, out_of_time)
        spans = list(walk.spans)
        if walk.still:
            beneath = Walk(self._around, self._singletons)
            beneath.go(walk.still, out_of_time)
            spans += [Span(span.start, span.stop, fixed=True) for span in beneath.spans]
        held = walk.held()
        objects, shells = held, {}
        if walk.met_types & _SEE_THROUGH:
            objects = {key: value for key, value in held.items() if type(value) not in _SEE_THROUGH}
            shells = {key: value for key, value in held.items() if key not in objects and not is_plain(value)}
        definitions = _with_all_inside(walk.definitions.values())
        # The names in code of a library are those of its module.
        bodies = (
            found.__code__
            for found in definitions
            if type(found) is FunctionType and not self._is_foreign(found.__globals__)
        )
        return Survey(
            objects,
            shells,
            tuple(spans),
            tuple(dict.fromkeys((*walk.code, *bodies))),
            tuple(definitions),
            walk.references,
            walk.weak,
            walk.exposed,
        )

    def _is_foreign(self, scope: dict[str, Any]) -> bool:
        return scope is not self._around.namespace and of_module(scope)


def _with_all_inside(definitions: Iterable[Any]) -> list[Any]:
    """The definitions of the session, with the functions inside them, their methods, and the classes they inherit."""
    found: list[Any] = []
    waiting = list(definitions)
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or type(value) in FIXED:
            continue
        seen.add(id(value))
        if type(value) is FunctionType:
            if not importable(value):
                found.append(value)
                waiting += gc.get_referents(value.__closure__, value.__defaults__, value.__kwdefaults__, value.__dict__)
        elif issubclass(type(value), type):
            if module_of(value) != "builtins" and not importable(value):
                found.append(value)
                waiting += [*vars(value).values(), *value.__bases__, type(value)]
        elif issubclass(type(value), BARE):
            if not importable(value, value.__name__):
                found.append(value)
        elif issubclass(type(value), (property, staticmethod, classmethod, tuple, types.CellType)) or (
            module_of(type(value)) == "functools"
        ):
            waiting += gc.get_referents(value)
    return found
