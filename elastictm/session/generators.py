"""The global random generators: their states before a cell run, and how a re-run gets them back."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from elastictm.model.records import RandomState


@dataclass(frozen=True, slots=True)
class _Generator:
    """One global generator: a cheap look at its state, its byte form, and the way back."""

    module: str
    look: Callable[[Any], Any]
    pack: Callable[[Any], bytes]
    restore: Callable[[Any, bytes], None]


def _pack_python(state: Any) -> bytes:
    version, words, gauss = state
    return struct.pack(f"<B?d{len(words)}I", version, gauss is not None, gauss or 0.0, *words)


def _restore_python(module: Any, data: bytes) -> None:
    head = struct.calcsize("<B?d")
    version, has_gauss, gauss = struct.unpack_from("<B?d", data)
    words = struct.unpack_from(f"<{(len(data) - head) // 4}I", data, head)
    module.setstate((version, words, gauss if has_gauss else None))


def _look_numpy(module: Any) -> Any:
    name, key, position, has_gauss, gauss = module.random.get_state()
    return name, key.tobytes(), int(position), int(has_gauss), float(gauss)


def _pack_numpy(state: Any) -> bytes:
    _, key, position, has_gauss, gauss = state
    return struct.pack("<IId", position, has_gauss, gauss) + bytes(key)


def _restore_numpy(module: Any, data: bytes) -> None:
    head = struct.calcsize("<IId")
    position, has_gauss, gauss = struct.unpack_from("<IId", data)
    key = module.frombuffer(data, dtype=module.uint32, offset=head)
    module.random.set_state(("MT19937", key, position, has_gauss, gauss))


def _look_torch(module: Any) -> Any:
    return module.get_rng_state().numpy().tobytes()


def _restore_torch(module: Any, data: bytes) -> None:
    module.set_rng_state(module.frombuffer(bytearray(data), dtype=module.uint8))


_GENERATORS: Final[Mapping[str, _Generator]] = {
    "random": _Generator("random", lambda module: module.getstate(), _pack_python, _restore_python),
    "numpy": _Generator("numpy.random", lambda _: _look_numpy(sys.modules["numpy"]), _pack_numpy, _restore_numpy),
    "torch": _Generator("torch", _look_torch, bytes, _restore_torch),
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

    A generator whose library was loaded meanwhile has no state from before.
    """
    now = look()
    return tuple(
        RandomState(name, _GENERATORS[name].pack(state)) for name, state in before.items() if now.get(name) != state
    )


def restore(states: tuple[RandomState, ...]) -> None:
    """Put generators into recorded states; those whose library is not here are left out.

    Raises:
        ValueError: a state does not fit its generator.
    """
    for state in states:
        generator = _GENERATORS.get(state.generator)
        if generator is None:
            continue
        module = random if state.generator == "random" else sys.modules.get(state.generator)
        if module is not None:
            generator.restore(module, state.state)


def now() -> tuple[RandomState, ...]:
    """The present states in byte form."""
    return tuple(RandomState(name, _GENERATORS[name].pack(state)) for name, state in look().items())
