"""Objects that pickle takes apart well and puts together badly.

Some classes put a dict of their own choosing in the place of ``__dict__``: themselves, or one for them all.
Pickle copies attributes into a fresh dict, so what is set on such an object would no longer show where it did.
Others answer for any name by attributes that they do not have yet while pickle asks them how to set these.
"""

from __future__ import annotations

import copyreg
import dis
import functools
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"
_WAYS: Final = ("__reduce_ex__", "__reduce__", "__getstate__", "__setstate__")
_CLASSES_REMEMBERED: Final = 4096


def reducers(_: ModuleType) -> dict[type, Any]:
    """Nothing: it takes the code of a class to know."""
    return {}


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of a class that replaces the dict of its instances, or answers for any name; None for others."""
    if kind.__dictoffset__ and _replaces_dicts(kind):
        return reduce_instance
    answers = any("__getattr__" in vars(base) for base in kind.__mro__)
    return reduce_answering if answers and _is_left_to_python(kind) else None


def reduce_instance(value: Any, _view: FreezingPass) -> Any:
    """An object with its very dict, which others may have too."""
    maker, arguments, state, items, pairs = value.__reduce_ex__(5)
    own = object.__getattribute__(value, "__dict__")
    if state is not None and state is not own:
        return NotImplemented
    return maker, arguments, own, items, pairs, set_dict


def reduce_answering(value: Any, _view: FreezingPass) -> Any:
    """An object whose attributes are set without asking it for anything."""
    maker, arguments, state, items, pairs = value.__reduce_ex__(5)
    return maker, arguments, state, items, pairs, None if state is None else set_state


def set_state(made: Any, state: Any) -> None:
    """Give an object its attributes, and those in slots."""
    slots = None
    if isinstance(state, tuple):
        state, slots = state
    if state:
        object.__getattribute__(made, "__dict__").update(state)
    for name, item in (slots or {}).items():
        object.__setattr__(made, name, item)


def set_dict(made: Any, attributes: dict[str, Any]) -> None:
    """Give an object this very dict."""
    object.__setattr__(made, "__dict__", attributes)


@functools.lru_cache(_CLASSES_REMEMBERED)
def _replaces_dicts(kind: type) -> bool:
    """Whether a class leaves its storing to Python, and a method of it assigns to ``__dict__``."""
    if not _is_left_to_python(kind):
        return False
    methods = (item for base in kind.__mro__ for item in vars(base).values() if isinstance(item, FunctionType))
    return any("__dict__" in method.__code__.co_names and _assigns(method) for method in methods)


def _is_left_to_python(kind: type) -> bool:
    """Whether a class has no say in how its objects are stored."""
    return kind not in copyreg.dispatch_table and not any(
        getattr(kind, way, None) is not getattr(object, way, None) for way in _WAYS
    )


def _assigns(method: FunctionType) -> bool:
    steps = dis.get_instructions(method.__code__)
    return any(step.opname == "STORE_ATTR" and step.argval == "__dict__" for step in steps)
