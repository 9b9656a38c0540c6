"""Which modules were loaded since somebody asked."""

from __future__ import annotations

import sys


class NewModules:
    """Tells which modules come; asked before and after each cell, it goes through a thousand names only if some did."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._sign: tuple[int, str] | None = None

    def names(self) -> frozenset[str]:
        """The names of modules that were not loaded when somebody asked last."""
        # A module that comes stands last, and one that goes makes the number differ.
        sign = len(sys.modules), next(reversed(sys.modules), "")
        if sign == self._sign:
            return frozenset()
        before, self._known, self._sign = self._known, frozenset(sys.modules), sign
        return self._known - before
