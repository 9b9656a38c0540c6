"""Which classes have a say of their own in how their objects are stored and loaded, so that they may get it wrong.

A class without one is taken apart and put together by Python itself, attribute by attribute.
"""

from __future__ import annotations

import copyreg
import sys
import weakref
from collections.abc import Mapping
from enum import Enum
from types import FunctionType
from typing import Any, Final

from elastictm.values.definitions import is_generated
from elastictm.values.kinds import module_of

_METHODS: Final = (
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__getnewargs_ex__",
    "__getnewargs__",
    "__new__",
    "__getattr__",
    "__getattribute__",
)
"""What pickle calls, or what gets in its way when a user has written it."""

_NAMES: Final = (
    "IPython PIL altair attr attrs bokeh bs4 catboost cloudpickle dask dateutil duckdb fsspec geopandas google h5py "
    "ipywidgets jax joblib keras lightgbm lxml matplotlib msgspec networkx numba numpy pandas patsy plotly polars "
    "pyarrow pydantic pydantic_core pyspark pytz requests scipy seaborn shapely skimage sklearn spacy statsmodels "
    "sympy tensorflow torch torchvision tqdm traitlets transformers xarray xgboost yaml"
)
_TESTED: Final = frozenset(_NAMES.split())
"""Packages that test that their own objects can be pickled."""

_STANDARD: Final = sys.stdlib_module_names - {"__main__"}

_GENERATED: Final = ("namedtuple_", "_cython_")
"""How the names of modules begin that code generators make up."""

_CALLS: Final = frozenset({"__reduce_ex__", "__reduce__"})
"""Those that have an object made anew by a call of its class."""

_HEEDLESS: Final = frozenset({"pandas"})
"""Packages whose methods serve their own classes well, and lose what a subclass adds."""


def has_protocol(kind: type) -> bool:
    """Whether loading an object of this class runs code that nobody is known to have tested."""
    if is_tested(module_of(kind)):
        return False
    reduce = copyreg.dispatch_table.get(kind)
    if reduce is not None:
        return not is_tested(origin(reduce))
    if issubclass(kind, Enum):
        return any(_is_doubtful(kind, name) for name in _METHODS[:4])
    return any(_is_doubtful(kind, name) for name in _METHODS) or _is_set_by_hand(kind)


def _is_doubtful(kind: type, name: str) -> bool:
    owner = next((base for base in kind.__mro__ if name in vars(base)), object)
    if owner is object:
        return False
    method = vars(owner)[name]
    if isinstance(owner, type) and is_generated(owner, method):
        return False
    module = origin(method)
    if not is_tested(module):
        return True
    if _top(module) in _HEEDLESS:
        return name in _METHODS[:4]
    # Such as an exception, which is called with whatever its base class has kept of the arguments.
    return name in _CALLS and _has_maker(kind)


def _has_maker(kind: type) -> bool:
    """Whether a user has written what makes an object from arguments."""
    for name in ("__init__", "__new__"):
        owner = next((base for base in kind.__mro__ if name in vars(base)), object)
        if not is_tested(origin(vars(owner)[name])):
            return True
    return False


def _is_set_by_hand(kind: type) -> bool:
    """Whether slots are filled by a ``__setattr__`` that may refuse."""
    owner = next((base for base in kind.__mro__ if "__setattr__" in vars(base)), object)
    if owner is object or is_tested(module_of(owner)):
        return False
    return any(vars(base).get("__slots__") for base in kind.__mro__) and not any(
        "__setstate__" in vars(base) for base in kind.__mro__
    )


def origin(method: Any) -> str:
    """The module in which a method was written, which is another than the class's where a decorator made it."""
    function = getattr(method, "__func__", method)
    if isinstance(function, FunctionType):
        return str(function.__globals__.get("__name__", ""))
    owner = getattr(function, "__objclass__", None) or getattr(function, "__self__", None)
    if isinstance(owner, type):
        return owner.__module__
    return str(getattr(function, "__module__", None) or "builtins")


def is_tested(module: Any) -> bool:
    """Whether a module belongs to a package that tests how its objects are stored."""
    top = _top(module)
    return top in _TESTED or top in _STANDARD or top.startswith(_GENERATED)


def _top(module: Any) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


class Faith:
    """The classes whose objects were found to come back as they were, as long as their methods stay what they are."""

    def __init__(self) -> None:
        self._faithful: dict[int, tuple[weakref.ref[type], tuple[int, ...]]] = {}

    def doubts(self, kind: type) -> bool:
        """Whether nothing is known of a class that may get it wrong."""
        if not has_protocol(kind):
            return False
        known = self._faithful.get(id(kind))
        return known is None or known[0]() is not kind or known[1] != _methods_of(kind)

    def trust(self, kind: type) -> None:
        """Remember a class that has proved faithful."""
        self._faithful[id(kind)] = (weakref.ref(kind), _methods_of(kind))


def _methods_of(kind: type) -> tuple[int, ...]:
    scopes: list[Mapping[str, Any]] = [vars(base) for base in kind.__mro__[:-1]]
    return tuple(id(scope[name]) for scope in scopes for name in _METHODS if name in scope)
