"""Options of pandas."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from elastictm.session.circumstances.circumstance import copied, shown


class Pandas:
    """The options that are not at their defaults."""

    name = "pandas"
    module = "pandas"

    def look(self) -> Mapping[str, Any]:
        """The options by their full names."""
        config = _config()
        if config is None:
            return {}
        usual = {key: option.defval for key, option in config._registered_options.items()}  # noqa: SLF001 - public nowhere
        values = _leaves(config._global_config, "")  # noqa: SLF001 - asking one by one takes a hundred times as long
        return {key: copied(value) for key, value in values if key in usual and _differ(value, usual[key])}

    def apply(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """Set these options, and all others to their defaults."""
        pandas = sys.modules["pandas"]
        notes: list[str] = []
        for key in self.look().keys() - settings.keys():
            pandas.reset_option(key)
        for key, value in settings.items():
            try:
                pandas.set_option(key, value)
            except (KeyError, ValueError, ImportError) as error:
                notes.append(f"{key} was {shown(value)}, which cannot be set here: {error}")
        return notes

    def show(self, key: str, value: Any) -> str:  # noqa: ARG002 - the key tells nothing about the form
        """The value."""
        return shown(value)


def _config() -> Any:
    config = sys.modules.get("pandas._config.config")
    return config if hasattr(config, "_registered_options") and hasattr(config, "_global_config") else None


def _leaves(tree: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _differ(value: Any, usual: Any) -> bool:
    return value is not usual and (type(value) is not type(usual) or value != usual)
