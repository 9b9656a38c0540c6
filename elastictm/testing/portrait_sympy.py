"""What is to be seen of SymPy's expressions: what they say, and nothing of what was found out about them."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from elastictm.testing.portrait_walk import Inner, Look, Sight, Walk

LIBRARY: Final = "sympy"


def text(_value: Any, _library: ModuleType) -> str | None:
    """No text: an expression may hold the session's own functions."""
    return None


def looks(sympy: ModuleType) -> dict[type, Look]:
    """The looks for expressions, matrices and rings."""
    return {
        sympy.Basic: _expression,
        sympy.MatrixBase: lambda value, _: Sight(
            f"{value.shape}", [Inner("-", item) for item in value.flat()], whole=True
        ),
        sympy.polys.rings.PolyRing: lambda value, _: Sight(repr(value), whole=True),
        sympy.polys.rings.PolyElement: lambda value, _: Sight(
            repr(value.items()), [Inner("ring", value.ring)], whole=True
        ),
    }


def _expression(value: Any, _walk: Walk) -> Sight:
    inside = [Inner("-", part) for part in value.args]
    if not inside:
        # An atom; a symbol is the same only with all that it was said to be.
        inside = [Inner("content", repr(value)), Inner("said", getattr(value, "_assumptions_orig", None))]
    # Its cache decides whether equal ones are one object.
    return Sight("", inside, "none", whole=True)
