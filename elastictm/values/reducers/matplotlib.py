"""Matplotlib: registries of callbacks, which count on when pickle takes them apart."""

from __future__ import annotations

import copyreg
import itertools
import re
from types import MethodType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "matplotlib.cbook"


def reducers(cbook: ModuleType) -> dict[type, Any]:
    """The reducer for what connects events with functions."""
    return {cbook.CallbackRegistry: reduce_registry}


def reduce_registry(value: Any, view: FreezingPass) -> Any:
    """A registry by the state that its class gives, with those that are still in use of whom it notifies."""
    state = _state(value)
    for cid, notified in _notified(vars(value).get("callbacks", {}).get("changed", {})):
        if cid not in state["callbacks"].get("changed", {}):
            view.tie_later(notified.__self__, connect, value, cid, notified)
    return copyreg.__newobj__, (type(value),), state  # type: ignore[attr-defined]


def connect(registry: Any, cid: int, notified: MethodType) -> None:
    """Have a registry notify again, by the number that it knew this method by."""
    state = _state(registry)
    methods = {number: proxy() for number, proxy in registry.callbacks.get("changed", {}).items()} | {cid: notified}
    state["callbacks"]["changed"] = dict(sorted(methods.items()))
    registry.__setstate__(state)


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


def _notified(proxies: Mapping[int, Any]) -> Iterator[tuple[int, MethodType]]:
    """Methods of matplotlib's that learn of new colours or limits: pickle drops them, and colour bars stand still."""
    for cid, proxy in proxies.items():
        method = proxy()
        if isinstance(method, MethodType) and type(method.__self__).__module__.startswith("matplotlib."):
            yield cid, method
