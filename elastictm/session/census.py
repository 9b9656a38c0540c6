"""Which names there are in a namespace to which the shell adds some of its own with each cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

_INPUT: Final = re.compile(r"_i\d+$")
"""Names of inputs; each is added once, and none of them is ever added again."""


class Census:
    """Finds the names of a namespace without going through all that the shell ever put there.

    A namespace keeps the order in which names came: what is new lies behind the last input that was seen.
    """

    def __init__(self, is_shells: Callable[[str], object]) -> None:
        """Prepare; ``is_shells`` says of a name whether it is one of the shell's numbered ones, whatever it holds."""
        self._is_shells = is_shells
        self._names: dict[str, None] = {}
        self._latest = ""
        self._namespace: dict[str, Any] | None = None

    def names(self, namespace: dict[str, Any]) -> Iterable[str]:
        """The names that are not the shell's, in the order in which they came."""
        if namespace is not self._namespace or self._latest not in namespace:
            self._namespace, self._latest, self._names = namespace, "", {}
        new: list[str] = []
        for name in reversed(namespace):
            if name == self._latest:
                break
            new.append(name)
        new.reverse()
        gone = [name for name in self._names if name not in namespace]
        for name in (*gone, *new):
            # One that was deleted and came again is the latest.
            self._names.pop(name, None)
        self._names.update((name, None) for name in new if not self._is_shells(name))
        self._latest = next((name for name in reversed(new) if _INPUT.match(name)), self._latest)
        return tuple(self._names)
