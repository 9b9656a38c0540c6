"""What libraries remember of values that are like others: objects of an earlier attempt in place of those to come."""

from __future__ import annotations

import sys


def forget() -> None:
    """Have sympy forget the expressions that it has met: it would hand them out where like ones are loaded."""
    cache = sys.modules.get("sympy.core.cache")
    if cache is not None:
        cache.clear_cache()
