"""What is to be seen of atoms, containers and other values of the standard library."""

from __future__ import annotations

import contextvars
import datetime as dt
import decimal
import enum
import fractions
import gc
import io
import itertools
import pathlib
import random
import re
import sys
import types
import typing
import uuid
import warnings
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Sight, Walk, digest, importable, label_of

_BY_REPR: Final = frozenset(
    {
        type(None),
        bool,
        type(Ellipsis),
        type(NotImplemented),
        range,
        dt.date,
        dt.timedelta,
        dt.timezone,
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
        pathlib.PosixPath,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        types.GenericAlias,
        type(int | str),
    }
)
_KERNELS: Final = re.compile("parent_header|(shell|control)_parent")
_LONG: Final = 200
_PLAIN_DEPTH: Final = 4
_OPAQUE: Final = (
    "IPython.core.interactiveshell.InteractiveShell",
    "asyncio.events.AbstractEventLoop",
    "concurrent.futures._base.Executor",
    "concurrent.futures._base.Future",
    "logging.Handler",
    "multiprocessing.process.BaseProcess",
    "socket.socket",
    "subprocess.Popen",
    "threading.Thread",
    "weakref.finalize",
)
"""Handles on what lives outside the values: only their type can be compared."""

_EXCEPTION_PARTS: Final = ("__cause__", "__context__", "__suppress_context__", "filename", "name", "path", "value")
_DESCRIPTORS: Final = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)


def atom_text(value: Any) -> str | None:
    """The text of a value that cannot change and holds no others; None for any other value."""
    kind = type(value)
    to_text = _TEXTS.get(kind)
    if to_text is not None:
        return to_text(value)
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}" if sys.modules.get(value.__name__) is value else None
    if kind is types.FunctionType or isinstance(value, type | types.BuiltinFunctionType):
        return _name(value) if importable(value) or _built_in(value) else None
    if isinstance(value, _DESCRIPTORS):
        return f"descriptor {value.__objclass__.__qualname__}.{value.__name__}"
    return f"typing {value!r}" if kind.__module__ == "typing" and not isinstance(value, typing.TypeVar) else None


def _name(value: Any) -> str:
    return label_of(value) if isinstance(value, type) else f"{value.__module__}.{value.__qualname__}"


def _built_in(value: Any) -> bool:
    return isinstance(value, type) and value.__module__ == "builtins"


def _plain(value: Any, depth: int) -> str | None:
    """The text of a tuple or frozenset of atoms, nested a few times at most."""
    if not depth:
        return None
    texts: list[str] = []
    for item in value:
        text = _plain(item, depth - 1) if type(item) in {tuple, frozenset} else atom_text(item)
        if text is None:
            return None
        texts.append(text)
    return f"({', '.join(texts)})" if type(value) is tuple else f"frozenset({', '.join(sorted(texts))})"


def _integer(value: int) -> str:
    return str(value) if -(10**18) < value < 10**18 else hex(value)


def _bytes(value: bytes) -> str:
    return repr(value) if len(value) <= _LONG else f"{len(value)} bytes {digest(value)}"


_TEXTS: Final[dict[type, Callable[[Any], str | None]]] = {
    **{kind: lambda value: f"{label_of(type(value))} {value!r}" for kind in _BY_REPR},
    str: repr,
    int: _integer,
    float: lambda value: f"{value.hex()} float",
    complex: lambda value: f"{value.real.hex()} {value.imag.hex()} complex",
    bytes: _bytes,
    re.Pattern: lambda value: f"pattern {value.pattern!r} {value.flags}",
    tuple: lambda value: _plain(value, _PLAIN_DEPTH),
    frozenset: lambda value: _plain(value, _PLAIN_DEPTH),
}


def looks() -> dict[type, Look]:
    """The looks for values of the standard library that was imported."""
    found: dict[type, Look] = {
        list: lambda value, _: Sight(str(list.__len__(value)), _each(list.__iter__(value))),
        tuple: lambda value, _: Sight(str(tuple.__len__(value)), _each(tuple.__iter__(value)), "own"),
        deque: lambda value, _: Sight(f"{len(value)} at most {value.maxlen}", _each(deque.__iter__(value))),
        dict: lambda value, _: Sight(str(dict.__len__(value)), _pairs(dict.items(value))),
        OrderedDict: lambda value, _: Sight(str(len(value)), _pairs(OrderedDict.items(value))),
        defaultdict: _default_dict,
        set: lambda value, walk: Sight(str(len(value)), _each(walk.ordered(set.__iter__(value)))),
        frozenset: lambda value, walk: Sight(str(len(value)), _each(walk.ordered(frozenset.__iter__(value))), "own"),
        slice: lambda value, _: Sight("", _each([value.start, value.stop, value.step]), "none"),
        bytearray: lambda value, _: Sight(f"{len(value)} {digest(value)}"),
        memoryview: _memoryview,
        types.MappingProxyType: lambda value, _: Sight("", _each(gc.get_referents(value)), "none"),
        type({}.keys()): lambda value, _: Sight("", _each(gc.get_referents(value)), "none"),
        type({}.values()): lambda value, _: Sight("", _each(gc.get_referents(value)), "none"),
        type({}.items()): lambda value, _: Sight("", _each(gc.get_referents(value)), "none"),
        dt.datetime: _moment,
        dt.time: _moment,
        BaseException: _exception,
        random.Random: _generator,
        random.SystemRandom: _handle,
        contextvars.ContextVar: lambda value, _: Sight(value.name, _each(_set_in(contextvars.copy_context(), value))),
        contextvars.Context: _context,
        re.Match: lambda value, _: Sight(
            repr(value.regs), [Inner("pattern", value.re), Inner("in", value.string)], "none"
        ),
        enum.Enum: _member,
        weakref.ref: lambda value, _: Sight("", [Inner("to", value())], "none", whole=True),
        weakref.WeakSet: lambda value, walk: Sight(str(len(value)), _each(walk.ordered(value)), whole=True),
        weakref.WeakValueDictionary: lambda value, _: Sight(str(len(value)), _pairs(value.items()), whole=True),
        weakref.WeakKeyDictionary: _weak_keys,
        typing.TypeVar: lambda value, _: Sight(
            repr(
                (value.__name__, value.__bound__, value.__constraints__, value.__covariant__, value.__contravariant__)
            ),
            whole=True,
        ),
        types.GeneratorType: lambda value, _: Sight(value.__qualname__, whole=True),
        types.FrameType: _handle,
        types.TracebackType: _handle,
        io.BytesIO: _memory_file,
        io.StringIO: _memory_file,
        io.TextIOWrapper: _file,
        io.BufferedReader: _file,
        io.BufferedWriter: _file,
        io.BufferedRandom: _file,
        io.FileIO: _file,
        type(iter(set())): lambda value, walk: Sight("", _each(walk.ordered(value.__reduce__()[1][0]))),
        type(iter(range(0))): _over_range,
        itertools.count: lambda value, _: Sight(repr(value)),
    }
    found |= dict.fromkeys((str, int, float, complex, bytes), _extended)
    found |= dict.fromkeys((pathlib.PurePath, decimal.Decimal, dt.date, dt.timedelta), _by_text)
    found |= dict.fromkeys(_loaded(_OPAQUE), _handle)
    found |= dict.fromkeys(_loaded(["logging.Logger"]), lambda value, _: Sight(value.name, whole=True))
    found |= dict.fromkeys(_loaded(["array.array"]), _array)
    found |= dict.fromkeys(
        _loaded(["_csv.Reader", "_csv.reader"]), lambda value, _: Sight(str(value.line_num), whole=True)
    )
    found |= dict.fromkeys(_loaded(["sqlite3.Connection"]), _database)
    return found


def reduced(value: Any, _walk: Walk) -> Sight:
    """A value of a compiled type, by what it says about itself for copying; by its type alone if it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parts = value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - whatever a foreign type raises, there is no more to be seen of it
            return Sight("opaque", whole=False)
    if isinstance(parts, str):
        return Sight(parts, whole=True)
    names = ("maker", "arguments", "state", "elements", "pairs", "setter")
    inside = [
        Inner(name, list(part) if name in {"elements", "pairs"} else part)
        for name, part in zip(names, parts, strict=False)
        if part is not None
    ]
    return Sight("", inside, whole=True)


def _loaded(names: Iterable[str]) -> Iterator[type]:
    for name in names:
        module, _, attribute = name.rpartition(".")
        kind = getattr(sys.modules.get(module), attribute, None)
        if isinstance(kind, type):
            yield kind


def _each(values: Iterable[Any]) -> list[Inner]:
    return [Inner("-", value) for value in values]


def _pairs(pairs: Iterable[tuple[Any, Any]]) -> list[Inner]:
    found: list[Inner] = []
    for key, value in pairs:
        text = atom_text(key)
        if text is None:
            found.append(Inner("key", key))
        found.append(Inner(f"[{text or ''}]", value))
    return found


def _default_dict(value: defaultdict[Any, Any], _walk: Walk) -> Sight:
    return Sight(str(len(value)), [Inner("default", value.default_factory), *_pairs(dict.items(value))])


def _extended(value: Any, _walk: Walk) -> Sight:
    """A value of a class made from a built-in type of atoms."""
    base: Any = next(kind for kind in (str, int, float, complex, bytes) if isinstance(value, kind))
    return Sight(str(_TEXTS[base](base.__new__(base, value))), identity="own")


def _by_text(value: Any, _walk: Walk) -> Sight:
    return Sight(str(value), identity="own")


def _handle(_value: Any, _walk: Walk) -> Sight:
    return Sight("", whole=True)


def _memoryview(value: memoryview, _walk: Walk) -> Sight:
    try:
        facts = (value.format, value.shape, value.strides, value.readonly)
    except ValueError:
        return Sight("released")
    return Sight(f"{facts} {digest(value.tobytes())}", [Inner("of", value.obj)])


def _moment(value: Any, _walk: Walk) -> Sight:
    bare = value.replace(tzinfo=None)
    return Sight(f"{bare.isoformat()} {value.fold}", [Inner("zone", value.tzinfo)], "none")


def _exception(value: BaseException, _walk: Walk) -> Sight:
    parts = [Inner(name, getattr(value, name)) for name in _EXCEPTION_PARTS if hasattr(value, name)]
    return Sight("", [Inner("arguments", value.args), *parts])


def _set_in(context: contextvars.Context, variable: contextvars.ContextVar[Any]) -> list[Any]:
    return [context[variable]] if variable in context else []


def _context(value: contextvars.Context, _walk: Walk) -> Sight:
    # A notebook's kernel has set others in every context.
    own = sorted((variable for variable in value if not _KERNELS.match(variable.name)), key=lambda each: each.name)
    return Sight("", [Inner(variable.name, value[variable]) for variable in own], whole=True)


def _over_range(value: Any, _walk: Walk) -> Sight:
    _, (numbers,), *passed = value.__reduce__()
    return Sight(repr(numbers[(passed or [0])[0] or 0 :]), whole=True)


def _generator(value: random.Random, _walk: Walk) -> Sight:
    return Sight(digest(repr(value.getstate()).encode()))


def _member(value: enum.Enum, _walk: Walk) -> Sight:
    return Sight(str(value.name), [Inner("value", value.value)], "none", whole=True)


def _weak_keys(value: weakref.WeakKeyDictionary[Any, Any], walk: Walk) -> Sight:
    content = {id(key): item for key, item in value.items()}
    keys = walk.ordered(value.keys())
    return Sight(str(len(keys)), _pairs((key, content[id(key)]) for key in keys), whole=True)


def _memory_file(value: Any, _walk: Walk) -> Sight:
    if value.closed:
        return Sight("closed")
    return Sight(f"{value.tell()} {value.getvalue()!r}")


def _file(value: Any, _walk: Walk) -> Sight:
    facts = [
        str(getattr(value, "name", None)),
        str(getattr(value, "mode", None)),
        str(getattr(value, "encoding", None)),
    ]
    if value.closed:
        return Sight(f"{facts} closed", whole=True)
    # Asking a text file that is being written for its position would write out what it holds back.
    asked = value.buffer if isinstance(value, io.TextIOWrapper) and value.writable() else value
    try:
        place = asked.tell()
    except OSError:
        place = None
    return Sight(f"{facts} at {place}", whole=True)


def _array(value: Any, _walk: Walk) -> Sight:
    return Sight(f"{value.typecode} {len(value)} {digest(value.tobytes())}")


def _database(value: Any, _walk: Walk) -> Sight:
    try:
        lines = list(value.iterdump())
    except Exception as error:  # noqa: BLE001 - closed, of another thread, or locked
        return Sight(type(error).__name__, whole=True)
    return Sight(f"{len(lines)} {digest(chr(10).join(lines).encode())}", whole=True)
