"""What refers to objects without holding them."""

from __future__ import annotations

import weakref
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "weakref"


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for weak proxies and dictionaries; a finalizer is refused."""
    return {
        weakref.ProxyType: reduce_proxy,
        weakref.CallableProxyType: reduce_proxy,
        weakref.WeakValueDictionary: reduce_dictionary,
        weakref.WeakKeyDictionary: reduce_dictionary,
        weakref.finalize: refuse_finalizer,
    }


def reduce_proxy(value: Any, _view: FreezingPass) -> Any:
    """A weak proxy, whose object is stored too if anything else in the unit holds it."""
    try:
        # Any method of the object knows it; the proxy itself does not tell.
        target = value.__init__.__self__
    except ReferenceError:
        raise TypeError("cannot store a weak proxy whose object is gone") from None
    return weakref.proxy, (target,)


def reduce_dictionary(value: Any, _view: FreezingPass) -> Any:
    """A weak dictionary of those items that are alive."""
    return type(value), (), None, None, iter(list(value.items()))


def refuse_finalizer(_value: Any, _view: FreezingPass) -> Any:
    """What is to happen when an object of this process dies belongs to this process."""
    raise TypeError("cannot store a finalizer: it waits for the end of an object of this process")
