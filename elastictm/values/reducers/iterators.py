"""Half-used iterators, which keep their place, and generators, which cannot."""

from __future__ import annotations

import gc
import itertools
import operator
import sys
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

_OVER_DICTS: Final[dict[type, tuple[str, bool]]] = {
    type(iter({})): ("keys", False),
    type(iter({}.values())): ("values", False),
    type(iter({}.items())): ("items", False),
    type(reversed({})): ("keys", True),
    type(reversed({}.values())): ("values", True),
    type(reversed({}.items())): ("items", True),
}
"""Types of iterators over dicts: the view that they go over, and whether backwards."""
_PAIR: Final = 2
_REFUSED: Final = {
    types.GeneratorType: "a generator",
    types.CoroutineType: "a coroutine",
    types.AsyncGeneratorType: "an asynchronous generator",
}
_STATEFUL: Final = tuple(
    kind for kind in vars(itertools).values() if isinstance(kind, type) and "__reduce__" in vars(kind)
)


def reducers(_: types.ModuleType) -> dict[type, Any]:
    """Reducers for iterators over dicts and sets and those of itertools; refusals for generators."""
    return {
        **dict.fromkeys(_OVER_DICTS, reduce_over_dict),
        type(iter(set())): reduce_over_set,
        **dict.fromkeys(_STATEFUL, reduce_quietly),
        itertools.pairwise: reduce_pairwise,
        **dict.fromkeys(_REFUSED, refuse_paused),
    }


def reduce_over_dict(value: Any, _view: FreezingPass) -> Any:
    """An iterator over a dict as one over the same dict, after as many items."""
    method, backwards = _OVER_DICTS[type(value)]
    mapping = next((held for held in gc.get_referents(value) if isinstance(held, dict)), None)
    if mapping is None:
        return over_dict, ({}, method, backwards, 0)
    left = operator.length_hint(value)
    if not left:
        # Either it is at its end, or the dict has another size than it began with, and this raises.
        value.__reduce__()
    return over_dict, (mapping, method, backwards, len(mapping) - left)


def over_dict(mapping: Mapping[Any, Any], method: str, backwards: bool, taken: int) -> Iterator[Any]:  # noqa: FBT001
    """An iterator over a view of a dict that some items were taken from."""
    view = getattr(mapping, method)()
    return _after(reversed(view) if backwards else iter(view), taken)


def _after(items: Iterator[Any], taken: int) -> Iterator[Any]:
    for _ in itertools.islice(items, taken):
        pass
    return items


def reduce_over_set(value: Any, _view: FreezingPass) -> Any:
    """An iterator over a set as one over what is left: another process has another order."""
    return over_set, (list(value.__reduce__()[1][0]),)


def over_set(left: Iterable[Any]) -> Iterator[Any]:
    """An iterator over a set of its own."""
    return iter(set(left))


def reduce_quietly(value: Any, _view: FreezingPass) -> Any:
    """An iterator of itertools as it takes itself apart, without the warning that this will end with Python 3.14."""
    if sys.version_info < (3, 12):
        reduced = value.__reduce__()
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            reduced = value.__reduce__()
    maker, args, *state = reduced
    if not state or state[0] is None:
        return maker, args
    return maker, args, state[0], None, None, set_place


def set_place(made: Any, state: Any) -> None:
    """Put an iterator of itertools at its place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.__setstate__(state)


def reduce_pairwise(value: Any, _view: FreezingPass) -> Any:
    """Overlapping pairs as those of the item that waits for its pair and the rest."""
    held, fresh = _held(value), len(_held(itertools.pairwise(())))
    # The pair that it hands out, where Python keeps one for the next time, comes last.
    return pairs, (held[0], [] if len(held) <= fresh else [held[1]])


def _held(value: itertools.pairwise[Any]) -> list[Any]:
    # Some versions of Python count the type among what an object refers to.
    return [held for held in gc.get_referents(value) if held is not itertools.pairwise]


def pairs(rest: Iterator[Any], waiting: list[Any]) -> itertools.pairwise[Any]:
    """Overlapping pairs of an item that waits, if any, and the rest."""
    return itertools.pairwise(itertools.chain(waiting, rest) if waiting else rest)


def refuse_paused(value: Any, _view: FreezingPass) -> Any:
    """What is paused in the midst of its code is known to this process alone."""
    raise TypeError(f"cannot store {_REFUSED[type(value)]}: it is paused in the midst of its code")
