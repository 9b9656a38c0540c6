"""The global random generators: their states before a cell run, and how a re-run gets them back."""

from __future__ import annotations

import random
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.records import RandomState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING_DRAWN: Final = {623, 624}
"""Where the legacy generator of numpy stands after it was made, and after it was seeded."""


@dataclass(frozen=True, slots=True)
class _Generator:
    """One global generator: a cheap look at its state, its byte form, the way back, and whether it was drawn from.

    ``look`` returns None where the state has no byte form.
    """

    module: str
    look: Callable[[Any], Any]
    pack: Callable[[Any], bytes]
    restore: Callable[[Any, bytes], None]
    untouched: Callable[[Any], bool]


def _pack_python(state: Any) -> bytes:
    version, words, gauss = state
    return struct.pack(f"<B?d{len(words)}I", version, gauss is not None, gauss or 0.0, *words)


def _restore_python(module: Any, data: bytes) -> None:
    head = struct.calcsize("<B?d")
    version, has_gauss, gauss = struct.unpack_from("<B?d", data)
    words = struct.unpack_from(f"<{(len(data) - head) // 4}I", data, head)
    module.setstate((version, words, gauss if has_gauss else None))


def _look_numpy(module: Any) -> Any:
    state = module.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        return None
    words = state["state"]
    return words["key"].tobytes(), int(words["pos"]), int(state["has_gauss"]), float(state["gauss"])


def _pack_numpy(state: Any) -> bytes:
    key, position, has_gauss, gauss = state
    return struct.pack("<IId", position, has_gauss, gauss) + bytes(key)


def _restore_numpy(module: Any, data: bytes) -> None:
    head = struct.calcsize("<IId")
    position, has_gauss, gauss = struct.unpack_from("<IId", data)
    key = sys.modules["numpy"].frombuffer(data, dtype="<u4", offset=head)
    module.set_state(("MT19937", key, position, has_gauss, gauss))


def _look_torch(module: Any) -> Any:
    return module.get_rng_state().numpy().tobytes()


def _restore_torch(module: Any, data: bytes) -> None:
    module.set_rng_state(module.frombuffer(bytearray(data), dtype=module.uint8))


_GENERATORS: Final[Mapping[str, _Generator]] = {
    "random": _Generator("random", lambda module: module.getstate(), _pack_python, _restore_python, lambda _: False),
    "numpy": _Generator(
        "numpy.random",
        _look_numpy,
        _pack_numpy,
        _restore_numpy,
        lambda state: state[1] in _NOTHING_DRAWN and not state[2],
    ),
    "torch": _Generator("torch", _look_torch, bytes, _restore_torch, lambda _: True),
}


def look() -> dict[str, Any]:
    """The present state of each global generator whose library is loaded."""
    return {
        name: generator.look(sys.modules[generator.module])
        for name, generator in _GENERATORS.items()
        if generator.module in sys.modules
    }


def changed(before: Mapping[str, Any]) -> tuple[RandomState, ...]:
    """The states from before, in byte form, of the generators that are in another state now.

    Of a generator whose library was loaded meanwhile the state before is empty: it may have been seeded.
    """
    now = look()
    new = tuple(RandomState(name, b"") for name in now if name not in before)
    return new + packed({name: state for name, state in before.items() if now.get(name) != state})


def unknown(before: Mapping[str, Any]) -> tuple[str, ...]:
    """The generators that may have been drawn from though there is no state from before to go back to.

    That is so where the library was loaded meanwhile, and where a generator has no byte form.
    """
    return tuple(
        name
        for name, state in look().items()
        if before.get(name) is None and (state is None or not _GENERATORS[name].untouched(state))
    )


def restore(states: tuple[RandomState, ...]) -> None:
    """Put generators into recorded states; those whose library is not here, or was not, are left out.

    Raises:
        ValueError: a state does not fit its generator.
    """
    for state in states:
        generator = _GENERATORS.get(state.generator)
        if generator is None:
            continue
        module = random if state.generator == "random" else sys.modules.get(generator.module)
        if module is not None and state.state:
            generator.restore(module, state.state)


def packed(states: Mapping[str, Any]) -> tuple[RandomState, ...]:
    """States in byte form, of those generators that have one."""
    return tuple(
        RandomState(name, _GENERATORS[name].pack(state)) for name, state in states.items() if state is not None
    )


def now() -> tuple[RandomState, ...]:
    """The present states in byte form."""
    return packed(look())
