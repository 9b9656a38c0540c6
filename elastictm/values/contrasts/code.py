"""Functions and classes: how their source texts differ, their defaults, and what they hold."""

from __future__ import annotations

import ast
import inspect
import linecache
import tokenize
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look, Part
from elastictm.values.contrasts.instances import mapped
from elastictm.values.contrasts.text import diff
from elastictm.values.contrasts.words import arrow
from elastictm.values.definitions import STRUCTURAL

_UNTOLD: Final = STRUCTURAL | {"__doc__", "__module__", "__qualname__", "__firstlineno__", "__hash__"}


def kinds() -> Mapping[type, Kind]:
    """The kinds of functions and classes."""
    return {
        FunctionType: Kind(_functions, lambda value: f"function {clean(value.__qualname__)}"),
        type: Kind(_classes, lambda value: f"class {_name(value)}"),
        CodeType: Kind(_codes),
    }


def _functions(before: FunctionType, after: FunctionType, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    told = () if _alike(before.__code__, after.__code__) else _source_lines(_source(before), _source(after))
    if before.__qualname__ != after.__qualname__:
        told = (Line(arrow(clean(before.__qualname__), clean(after.__qualname__))), *told)
    parts = [
        Part(".__defaults__", before.__defaults__, after.__defaults__),
        Part(".__kwdefaults__", before.__kwdefaults__, after.__kwdefaults__),
        Part(".__dict__", vars(before), vars(after)),
    ]
    old, new = (dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)) for f in (before, after))
    parts += [Part(f".{name}", cell, new[name]) for name, cell in old.items() if name in new]
    return Facts(told, parts)


def _source_lines(old: str | None, new: str | None) -> tuple[Line, ...]:
    if old is None or new is None or old == new:
        return (Line("its code differs"),)
    head, *below = diff(old, new)
    return (Line(f"source: {head.text}"), *below)


def _alike(old: CodeType, new: CodeType) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    if old is new:
        return True
    facts = ((c.co_code, c.co_names, c.co_varnames, c.co_freevars, c.co_argcount, c.co_flags) for c in (old, new))
    one, other = facts
    if one != other or len(old.co_consts) != len(new.co_consts):
        return False
    return all(
        _alike(a, b) if type(a) is CodeType and type(b) is CodeType else type(a) is type(b) and repr(a) == repr(b)
        for a, b in zip(old.co_consts, new.co_consts, strict=True)
    )


def _source(function: FunctionType) -> str | None:
    return _block(function.__code__.co_filename, function.__code__.co_firstlineno)


def _block(filename: str, first: int) -> str | None:
    """The source of what begins at a line of a file that is known to tracebacks."""
    lines = linecache.getlines(filename)
    if not 0 < first <= len(lines):
        return None
    try:
        return "".join(inspect.getblock(lines[first - 1 :]))
    except (SyntaxError, tokenize.TokenError):
        return None


def _classes(before: type, after: type, look: Look) -> Facts:
    if before is after:
        return Facts()
    old, new = _class_source(before), _class_source(after)
    told: tuple[Line, ...] = ()
    if _name(before) != _name(after):
        told = (Line(arrow(f"class {_name(before)}", f"class {_name(after)}")),)
    bases = [", ".join(_name(base) for base in kind.__bases__) for kind in (before, after)]
    if bases[0] != bases[1]:
        told += (Line(f"bases {bases[0]} → {bases[1]}"),)
    if old is not None and new is not None and old != new:
        told += _source_lines(old, new)
        return Facts(told, _members(before, after, look, functions=False).parts)
    members = _members(before, after, look, functions=True)
    return Facts((*told, *members.lines), members.parts)


def _members(before: type, after: type, look: Look, *, functions: bool) -> Facts:
    old, new = (
        {
            name: inner
            for name, inner in vars(kind).items()
            if name not in _UNTOLD and (functions or not isinstance(inner, (FunctionType, staticmethod, classmethod)))
        }
        for kind in (before, after)
    )
    return mapped(old, new, look, "member")


def _name(kind: type) -> str:
    return clean(str(kind.__qualname__))


def _class_source(kind: type) -> str | None:
    """The source of a class: around the first of its methods whose file is known."""
    for function in _methods(kind):
        code = function.__code__
        text = "".join(linecache.getlines(code.co_filename))
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        around = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and node.name == kind.__name__
            and node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
        ]
        if around:
            node = around[-1]
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return "".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno])
    return None


def _methods(kind: type) -> Iterator[FunctionType]:
    for inner in vars(kind).values():
        function: Any = inner
        if type(inner) in {staticmethod, classmethod}:
            function = inner.__func__
        elif type(inner) is property:
            function = inner.fget
        if type(function) is FunctionType and function.__qualname__.startswith(f"{kind.__qualname__}."):
            yield function


def _codes(before: CodeType, after: CodeType, look: Look) -> Facts:  # noqa: ARG001 - as all kinds are called
    return Facts(() if _alike(before, after) else (Line("its code differs"),))
