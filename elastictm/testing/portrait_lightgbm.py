"""What is to be seen of LightGBM's models: their trees, beside their attributes."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Look, Sight, digest

LIBRARY: Final = "lightgbm"


def text(_value: Any, _library: ModuleType) -> str | None:
    """No text: a model can be trained on."""
    return None


def looks(lightgbm: ModuleType) -> dict[type, Look]:
    """The look for models."""
    return {lightgbm.Booster: lambda value, _: Sight(digest(value.model_to_string().encode()))}
