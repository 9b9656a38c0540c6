"""matplotlib's rcParams, which seaborn's themes and style sheets set too."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from elastictm.session.circumstances.circumstance import copied, shown

_OF_THE_MACHINE: Final = frozenset(
    {"backend", "backend_fallback", "interactive", "toolbar", "webagg.address", "webagg.port", "webagg.port_retries"}
)
"""What depends on where figures are shown."""


class Matplotlib:
    """The rcParams that are not matplotlib's own defaults."""

    name = "matplotlib"
    module = "matplotlib"

    def __init__(self) -> None:
        self._lists: Mapping[str, list[Any]] | None = None

    def look(self) -> Mapping[str, Any]:
        """The parameters by name."""
        matplotlib = sys.modules["matplotlib"]
        if not hasattr(matplotlib, "rcParamsDefault"):
            return {}  # it is being imported
        usual = self._usual(matplotlib)
        # Reading through the mapping itself warns of old names and may choose a backend.
        return {
            key: copied(value)
            for key, value in dict.items(matplotlib.rcParams)
            if key not in _OF_THE_MACHINE and value != usual.get(key)
        }

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set these parameters, and all others to their defaults."""
        matplotlib = sys.modules["matplotlib"]
        notes: list[str] = []
        usual = self._usual(matplotlib)
        for key in self.look().keys() - settings.keys():
            matplotlib.rcParams[key] = copied(usual.get(key))
        for key, value in settings.items():
            try:
                matplotlib.rcParams[key] = value
            except (KeyError, ValueError) as error:
                notes.append(f"{key} was {shown(value)}, which cannot be set here: {error}")
        return notes

    def _usual(self, matplotlib: Any) -> Mapping[str, Any]:
        if self._lists is None:
            # matplotlib's own record of the defaults holds the very lists that programs insert fonts into.
            lists = [key for key, value in dict.items(matplotlib.rcParamsDefault) if isinstance(value, list)]
            lines = Path(matplotlib.get_data_path(), "matplotlibrc").read_text("utf-8").splitlines()
            written = dict(line.lstrip("#").partition(":")[::2] for line in lines)
            texts = {key.strip(): text.partition("#")[0].strip() for key, text in written.items()}
            fresh = matplotlib.RcParams({key: texts[key] for key in lists if key in texts})
            self._lists = dict(dict.items(fresh))
        return {**dict(dict.items(matplotlib.rcParamsDefault)), **self._lists}

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)
