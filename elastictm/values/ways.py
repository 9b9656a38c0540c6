"""How a survey follows what the garbage collector knows too little or too much of."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final, TypeAlias

from elastictm.values.kinds import FIXED

Way: TypeAlias = Callable[[Any], list[Any]]

_TREES: Final = tuple(
    (f"sklearn.neighbors.{module}", name)
    for module in ("_kd_tree", "_ball_tree")
    for name in ("BinaryTree", "BinaryTree32", "BinaryTree64")
)
_EXPRESSIONS: Final = (("sympy.core.basic", "Basic"),)
_DOCUMENTS: Final = (("lxml.etree", "_Document"),)
_READERS: Final = "pandas.core.arrays."
"""Where generators come from that go over a column or an index: they read its memory, and never write it."""
_DRAWING: Final = ("", ".transforms", ".path", ".units", "._cm", "._cm_listed")
_CONVERTING: Final = frozenset({"matplotlib", "pandas"})
INTERNAL_MODULES: Final = frozenset({"typing", "pybind11_builtins"})
"""Modules whose objects are no data: what types are written with, and records of compiled functions."""


def library_ways(pass_over: Way) -> tuple[tuple[tuple[type, ...], Way], ...]:
    """Types that are loaded, with what to follow instead; ``pass_over`` notes that an object is no data itself."""

    def inside_expression(value: Any) -> list[Any]:
        # It cannot change, and what it remembers of itself it has in common with all that are like it.
        return [*pass_over(value), type(value), *value.args]

    return (
        (tuple(_loaded(_TREES)), arrays_of_tree),
        (tuple(_loaded(_EXPRESSIONS)), inside_expression),
        # All documents have in common what parsed them.
        (tuple(_loaded(_DOCUMENTS)), lambda _: []),
    )


def shared_by_all() -> list[Any]:
    """Mutable objects that every program has one of, so that holding them ties nothing."""
    found = [os.environ, threading.main_thread(), sys.stdin, sys.stdout, sys.stderr]
    found += [sys.__stdin__, sys.__stdout__, sys.__stderr__]
    legacy = sys.modules.get("numpy.random.mtrand")
    if legacy is not None:
        found.append(legacy._rand)  # noqa: SLF001 - the public functions are its methods
    return [*found, *_constants_of_matplotlib()]


def _constants_of_matplotlib() -> Iterator[Any]:
    """Settings, a matrix, converters, colours of colour maps and shapes of marks, which artists hold as they are."""
    loaded = {name: module for name in _DRAWING if (module := sys.modules.get(f"matplotlib{name}")) is not None}
    if "" in loaded:
        yield from (item for item in dict.values(loaded[""].rcParams) if type(item) not in FIXED)
    if ".transforms" in loaded:
        yield loaded[".transforms"].IdentityTransform._mtx  # noqa: SLF001 - others keep it as what they computed
    if ".path" in loaded:
        kind = loaded[".path"].Path
        for held in vars(kind).values():
            # Its attributes become a dictionary of their own as soon as anybody looks at them so.
            yield from (held.codes, held.vertices, vars(held)) if isinstance(held, kind) else ()
    if ".units" in loaded:
        converters = dict.values(loaded[".units"].registry)
        yield from (held for held in converters if type(held).__module__.partition(".")[0] in _CONVERTING)
    for name in ("._cm", "._cm_listed"):
        if name in loaded:
            yield from (held for held in vars(loaded[name]).values() if isinstance(held, list | dict))


def arrays_of_tree(tree: Any) -> list[Any]:
    """The arrays that a tree of points looks at, compiled code that the garbage collector does not see into."""
    return [part for part in tree.__getstate__() if hasattr(part, "__array_interface__")]


def inside_paused(value: Any, frame: FrameType | None) -> list[Any]:
    """What a generator or coroutine holds; before Python 3.11, its frame does."""
    inside = gc.get_referents(value)
    if frame is None or all(held is not frame for held in inside):
        return inside
    scopes = {id(frame.f_globals), id(frame.f_builtins)}
    return inside + [held for held in gc.get_referents(frame) if id(held) not in scopes]


def only_reads(frame: FrameType | None) -> bool:
    """Whether what is paused in a frame goes over an array and never writes it."""
    return frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_READERS)


def _loaded(places: tuple[tuple[str, str], ...]) -> Iterator[type]:
    for module, name in places:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type):
            yield found
