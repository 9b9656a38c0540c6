"""Settings of numpy."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from elastictm.session.circumstances.circumstance import copied, shown

_PRINT: Final[Mapping[str, Any]] = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "sign": "-",
    "formatter": None,
    "legacy": False,
    "override_repr": None,
}
_ERRORS: Final[Mapping[str, Any]] = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


class Numpy:
    """How numpy prints arrays, and what it does about floating-point errors."""

    name = "numpy"
    module = "numpy"

    def look(self) -> Mapping[str, Any]:
        """Print options as ``print.*``, error state as ``error.*``."""
        numpy = sys.modules["numpy"]
        found = {f"print.{k}": copied(v) for k, v in numpy.get_printoptions().items() if v != _PRINT.get(k, v)}
        found |= {f"error.{key}": value for key, value in numpy.geterr().items() if value != _ERRORS.get(key, value)}
        call = numpy.geterrcall()
        return found if call is None else found | {"error.call": call}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set all of them."""
        numpy = sys.modules["numpy"]
        known = numpy.get_printoptions().keys()
        numpy.set_printoptions(**{k: settings.get(f"print.{k}", v) for k, v in _PRINT.items() if k in known})
        numpy.seterrcall(settings.get("error.call"))
        numpy.seterr(**{key: settings.get(f"error.{key}", value) for key, value in _ERRORS.items()})
        return ()

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)
