"""What is to be seen of the places where Patsy evaluates formulas: their names, not how their code was compiled."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Sight

LIBRARY: Final = "patsy.eval"


def text(_value: Any, _library: ModuleType) -> str | None:
    """No text: such a place holds names."""
    return None


def looks(places: ModuleType) -> dict[type, Look]:
    """The look for places, whose flags are those of whoever unpickles a model, and mean nothing in a formula."""
    return {places.EvalEnvironment: lambda value, _: Sight("", [Inner("names", value._namespaces)], whole=True)}  # noqa: SLF001 - public nowhere
