"""What is to be seen of functions, classes, modules and their parts, in the same words under every Python version."""

from __future__ import annotations

import abc
import ast
import dataclasses
import enum
import functools
import inspect
import linecache
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

from elastictm.testing.portrait_walk import Attributes, Inner, Look, Sight, Walk, importable, label_of

_MADE_BY_CLASS: Final = frozenset(
    {
        "__abstractmethods__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__match_args__",
        "__module__",
        "__parameters__",
        "__qualname__",
        "__slotnames__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
    }
)
"""Class attributes that are looked at in another way, or that depend on the Python version."""

_MADE_BY_TUPLE: Final = frozenset(
    {
        "__annotations__",
        "__getnewargs__",
        "__new__",
        "__orig_bases__",
        "__replace__",
        "__repr__",
        "__slots__",
        "_asdict",
        "_field_defaults",
        "_fields",
        "_make",
        "_replace",
    }
)
_MADE_BY_DATACLASS: Final = frozenset(
    {
        "__delattr__",
        "__eq__",
        "__ge__",
        "__getstate__",
        "__gt__",
        "__hash__",
        "__init__",
        "__le__",
        "__lt__",
        "__replace__",
        "__repr__",
        "__setattr__",
        "__setstate__",
    }
)
_DATACLASS_CHOICES: Final = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
_MADE_BY_COMPILER: Final = ("<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
_FLAGS: Final = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
    | inspect.CO_ITERABLE_COROUTINE
)


def looks() -> dict[type, Look]:
    """The looks for what code is made of."""
    return {
        types.FunctionType: _function,
        types.CodeType: lambda value, _: Sight(code_text(value), identity="none", whole=True),
        types.CellType: _cell,
        types.MethodType: _method,
        types.BuiltinMethodType: _builtin_method,
        types.MethodWrapperType: _builtin_method,
        types.ModuleType: _module,
        type: _class,
        property: lambda value, _: Sight(
            repr(_tidy(value.__doc__)), [Inner(part, getattr(value, part)) for part in ("fget", "fset", "fdel")], "none"
        ),
        staticmethod: lambda value, _: Sight("", [Inner("function", value.__func__)], "none", whole=True),
        classmethod: lambda value, _: Sight("", [Inner("function", value.__func__)], "none", whole=True),
        functools.cached_property: lambda value, _: Sight(
            str(value.attrname), [Inner("function", value.func)], "none", whole=True
        ),
        functools.partial: lambda value, _: Sight(
            "", [Inner(part, getattr(value, part)) for part in ("func", "args", "keywords")]
        ),
        type(functools.lru_cache(lambda: None)): _memoised,
    }


def code_text(code: types.CodeType) -> str:
    """What a code object does, as far as every Python version compiles it alike: arguments, names, constants, source.

    Comprehensions and nested functions count as parts of the code around them.
    """
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    facts: dict[str, Any] = {
        "flags": code.co_flags & _FLAGS,
        "positional": (code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount),
        "arguments": code.co_varnames[:count],
        "free": sorted(set(code.co_freevars)),
        "names": sorted({name for part in _nested(code) for name in part.co_names}),
    }
    source = source_of(code)
    if len(source) != 1:
        # Versions of Python fold constants in different ways, so where the source tells all, it is enough.
        facts["constants"] = sorted({text for part in _nested(code) for text in _constants(part)})
    facts["source"] = source
    return " ".join(f"{name}={value!r}" for name, value in facts.items())


def source_of(code: types.CodeType) -> list[str]:
    """The source texts of the functions of this name that begin on the line of the code; none if that is not known."""
    text = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name, line = node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        elif isinstance(node, ast.Lambda):
            name, line = "<lambda>", node.lineno
        else:
            continue
        if (name, line) == (code.co_name, code.co_firstlineno):
            found.append(ast.get_source_segment(text, node) or "")
    return found


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _constants(code: types.CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            # Qualified names are constants in some versions, and 3.13 takes the indentation out of docstrings.
            if "<locals>" not in constant and constant not in _MADE_BY_COMPILER and not _names_part(constant, code):
                yield repr(_tidy(constant))
        elif constant is not None and not isinstance(constant, types.CodeType):
            yield _ordered_repr(constant)


def _names_part(constant: str, code: types.CodeType) -> bool:
    parts = [part.co_name for part in code.co_consts if isinstance(part, types.CodeType)]
    return constant.rpartition(".")[2] in parts


def _ordered_repr(constant: Any) -> str:
    if isinstance(constant, frozenset):
        return f"frozenset({sorted(map(repr, constant))})"
    if isinstance(constant, tuple):
        return f"({', '.join(map(_ordered_repr, constant))})"
    return repr(constant)


def _tidy(text: Any) -> Any:
    return inspect.cleandoc(text) if isinstance(text, str) else text


def _function(value: types.FunctionType, walk: Walk) -> Sight:
    module = value.__globals__.get("__name__")
    scope = walk.scopes.get(id(value.__globals__))
    if scope is None and isinstance(module, str) and value.__globals__ is vars(sys.modules.get(module, object)):
        scope = module
    head = f"{value.__name__} {value.__qualname__} {value.__module__} {_tidy(value.__doc__)!r} in {scope} "
    inside = [
        Inner("defaults", value.__defaults__),
        Inner("keyword defaults", value.__kwdefaults__),
        Inner("annotations", dict(value.__annotations__)),
        Inner("attributes", Attributes(value.__dict__)),
    ]
    closure = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
    inside += [Inner(f"free {name}", closure[name]) for name in sorted(closure)]
    return Sight(head + code_text(value.__code__), inside, whole=True)


def _cell(value: types.CellType, _walk: Walk) -> Sight:
    try:
        return Sight("", [Inner("content", value.cell_contents)])
    except ValueError:
        return Sight("empty")


def _method(value: types.MethodType, _walk: Walk) -> Sight:
    return Sight("", [Inner("function", value.__func__), Inner("self", value.__self__)], "none", whole=True)


def _builtin_method(value: Any, _walk: Walk) -> Sight:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return Sight(f"{value.__module__}.{value.__qualname__}", identity="none", whole=True)
    return Sight(value.__name__, [Inner("self", owner)], "none", whole=True)


def _module(value: types.ModuleType, _walk: Walk) -> Sight:
    own = {name: item for name, item in vars(value).items() if name not in {"__builtins__", "__loader__", "__spec__"}}
    return Sight(value.__name__, [Inner("content", Attributes(own))], whole=True)


def _memoised(value: Any, _walk: Walk) -> Sight:
    parameters = value.cache_parameters()
    return Sight(f"{parameters['maxsize']} {parameters['typed']}", [Inner("function", value.__wrapped__)], whole=True)


def _class(value: type, _walk: Walk) -> Sight:
    own = vars(value)
    head = f"class {label_of(value)} {_doc(own.get('__doc__'), value)!r} "
    inside = [Inner("base", base) for base in value.__bases__]
    if isinstance(value, enum.EnumMeta):
        members: dict[str, Any] = dict(value.__members__)
        inside += [Inner(f"member {name}", member.value) for name, member in members.items()]
        return Sight(head + "enumeration", [*inside, *_parts(value, _own_functions(value))], whole=True)
    if issubclass(value, tuple) and "_fields" in own:
        head += f"fields {own['_fields']!r}"
        inside.append(Inner("defaults", own["_field_defaults"]))
        given = (n for n, item in own.items() if n not in _MADE_BY_TUPLE and type(item).__name__ != "_tuplegetter")
        return Sight(head, [*inside, *_parts(value, given)], whole=True)
    if "__dataclass_fields__" in own:
        parameters = own["__dataclass_params__"]
        head += f"dataclass {[getattr(parameters, choice) for choice in _DATACLASS_CHOICES]} "
        inside += _fields(own["__dataclass_fields__"])
        made = {n for n in _MADE_BY_DATACLASS & own.keys() if _without_source(own[n])}
        head += " ".join(sorted(made - {"__replace__", "__getstate__", "__setstate__"}))
        return Sight(head, [*inside, *_parts(value, own.keys() - made - {"__replace__"})], whole=True)
    if isinstance(value, abc.ABCMeta):
        head += f"abstract {sorted(getattr(value, '__abstractmethods__', ()))} {sorted(_registered(value))}"
    return Sight(head, [*inside, *_parts(value, own)], whole=True)


def _doc(text: Any, value: type) -> Any:
    """A class's docstring; None for those that the standard library writes, a bit different in each version."""
    made = isinstance(text, str) and (text == "An enumeration." or text.startswith(f"{value.__name__}("))
    return None if made else _tidy(text)


def _parts(value: type, names: Iterable[str]) -> list[Inner]:
    chosen = sorted(name for name in names if name not in _MADE_BY_CLASS)
    return [Inner(name, vars(value)[name]) for name in chosen]


def _fields(fields: dict[str, Any]) -> list[Inner]:
    found: list[Inner] = []
    for name, field in fields.items():
        choices = [getattr(field, choice) for choice in ("init", "repr", "hash", "compare")]
        # Fields that are no parameters lack this choice, and a marker has no text of its own.
        choices.append(field.kw_only is True)
        found.append(Inner(f"field {name}", repr((choices, str(field._field_type)))))  # noqa: SLF001 - public nowhere
        parts = ((part, getattr(field, part)) for part in ("type", "default", "default_factory"))
        found += [Inner(f"field {name} {part}", item) for part, item in parts if item is not dataclasses.MISSING]
        found += [Inner(f"field {name} {key!r}", item) for key, item in field.metadata.items()]
    return found


def _without_source(item: Any) -> bool:
    function = inspect.unwrap(item) if isinstance(item, types.FunctionType) else None
    return isinstance(function, types.FunctionType) and not source_of(function.__code__)


def _own_functions(value: type) -> list[str]:
    found: list[str] = []
    for name, item in vars(value).items():
        if not isinstance(item, (types.FunctionType, property, classmethod, staticmethod)):
            continue
        function = getattr(item, "fget", None) or getattr(item, "__func__", None) or item
        if getattr(function, "__module__", None) == value.__module__ and not importable(function):
            found.append(name)
    return found


def _registered(value: abc.ABCMeta) -> list[str]:
    references = abc._get_dump(value)[0]  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to the registry
    return [label_of(target) for target in (reference() for reference in references) if target is not None]
