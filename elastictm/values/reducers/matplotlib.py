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


def reduce_registry(value: Any, _view: FreezingPass) -> Any:
    """A registry by the state that its class gives, asked of a copy: giving it draws from the registry's counter."""
    double = object.__new__(type(value))
    vars(double).update(vars(value))
    # Its text is what tells where a count stands without drawing from it.
    stands_at = re.fullmatch(r"count\((\d+)\)", repr(vars(double).get("_cid_gen")))
    if stands_at:
        vars(double)["_cid_gen"] = itertools.count(int(stands_at[1]))
    state = double.__getstate__()
    for cid, notified in _notified(vars(value).get("callbacks", {}).get("changed", {})):
        state["callbacks"]["changed"].setdefault(cid, notified)
    return copyreg.__newobj__, (type(value),), state  # type: ignore[attr-defined]


def _notified(proxies: Mapping[int, Any]) -> Iterator[tuple[int, Any]]:
    """Methods of matplotlib's that learn of new colours or limits: pickle drops them, and colour bars stand still."""
    for cid, proxy in proxies.items():
        method = proxy()
        if isinstance(method, MethodType) and type(method.__self__).__module__.startswith("matplotlib."):
            yield cid, method
