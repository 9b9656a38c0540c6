"""Matplotlib: registries of callbacks, which count on when pickle takes them apart."""

from __future__ import annotations

import copyreg
import itertools
import re
from types import MethodType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "matplotlib.cbook"


def reducers(cbook: ModuleType) -> dict[type, Any]:
    """The reducer for what connects events with functions."""
    return {cbook.CallbackRegistry: reduce_registry}


def reduce_registry(value: Any, view: FreezingPass) -> Any:
    """A registry by the state that its class gives, with those that it notifies, which pickle drops.

    Without them colour bars stand still, and sliders move nothing.
    """
    state = _state(value)
    for signal, cid, listener in _listeners(value):
        if cid in state["callbacks"].get(signal, {}):
            continue
        if isinstance(listener, MethodType):
            # It is known weakly: where nothing else holds the object, it is garbage.
            view.tie_later(listener.__self__, connect, value, signal, cid, listener)
        elif view.storable(listener):
            view.tie_later(value, connect, value, signal, cid, listener)
        else:
            view.lose(value, f"comes back without what listens to {signal!r}, which cannot be stored")
    return copyreg.__newobj__, (type(value),), state  # type: ignore[attr-defined]


def connect(registry: Any, signal: str, cid: int, listener: Callable[..., Any]) -> None:
    """Have a registry notify again, by the number that it knew this listener by."""
    state = _state(registry)
    known = {name: {number: proxy() for number, proxy in each.items()} for name, each in registry.callbacks.items()}
    known[signal] = dict(sorted({**known.get(signal, {}), cid: listener}.items()))
    registry.__setstate__({**state, "callbacks": known})


def _state(value: Any) -> dict[str, Any]:
    """The state of a registry, asked of a copy: giving it draws from the registry's counter."""
    double = object.__new__(type(value))
    vars(double).update(vars(value))
    # Its text is what tells where a count stands without drawing from it.
    stands_at = re.fullmatch(r"count\((\d+)\)", repr(vars(double).get("_cid_gen")))
    if stands_at:
        vars(double)["_cid_gen"] = itertools.count(int(stands_at[1]))
    state: dict[str, Any] = double.__getstate__()
    return state


def _listeners(registry: Any) -> Iterator[tuple[str, int, Callable[..., Any]]]:
    """What a registry of certain signals notifies; one for all is a canvas's, which is made anew."""
    if vars(registry).get("_signals") is None:
        return
    for signal, proxies in vars(registry).get("callbacks", {}).items():
        for cid, proxy in tuple(proxies.items()):
            listener = proxy()
            if listener is not None:
                yield signal, cid, listener
