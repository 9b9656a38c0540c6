"""What the runs of one future made, as one: of a single run its variables, of many dicts from the values they had."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from elastictm.ids import Name
from elastictm.session.futures.bringing import Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from elastictm.session.futures.order import Made
    from elastictm.values.freeze import Freezer


class Gathering:
    """Brings what a future made into one process.

    ``objects`` are those that every session has one of, by the names that stand for them; ``lists`` are those of which
    runs had items, if they are here: else they are copies.
    """

    def __init__(
        self,
        made: Made,
        freezer: Freezer,
        objects: Mapping[str, Any],
        lists: Mapping[Name, Sequence[Any]] = MappingProxyType({}),
    ) -> None:
        self._made = made
        self._freezer = freezer
        self._objects = objects
        self._lists = lists

    def variables(self, names: Iterable[Name] | None = None) -> dict[Name, Any]:
        """Variables by name, all if ``names`` is None; of many runs, dicts from the values that each had.

        Raises:
            StateNotKept: a value is not there, or does not load.
        """
        if not self._made.cases:
            return self.of_run(0, names)
        found: dict[Name, Any] = {} if names is None else {name: {} for name in names}
        for index, key in enumerate(self.keys()):
            there = self._there(index)
            wanted = there if names is None else [name for name in names if name in there]
            for name, value in (self.of_run(index, wanted) if wanted else {}).items():
                found.setdefault(name, {})[key] = value
        return found

    def of_run(self, index: int, names: Iterable[Name] | None = None) -> dict[Name, Any]:
        """Variables that one run made, all if ``names`` is None.

        Raises:
            StateNotKept: a value is not there, or does not load.
        """
        with Results(Path(self._made.results[index])) as results:
            return results.bring(results.variables() if names is None else names, self._freezer, self._objects)

    def keys(self) -> list[Any]:
        """The value that each of many runs had, or a tuple of values; none where there is one run only."""
        cases = self._made.cases
        if not cases:
            return []
        lists = self._lists
        if not lists:
            with Results(Path(self._made.inputs)) as inputs:
                lists = inputs.bring([Name(name) for name in cases[0][1]], self._freezer, self._objects)
        keys = [_key([lists[Name(n)][place] for n, place in chosen.items()], case) for case, chosen in cases]
        if len(set(keys)) == len(keys):
            return keys
        # True is equal to 1, and a value may be given twice: their texts, numbered where need be, tell them apart.
        texts = [case for case, _ in cases]
        return [case if texts.count(case) == 1 else f"{case} ({i + 1})" for i, case in enumerate(texts)]

    def _there(self, index: int) -> list[Name]:
        folder = self._made.results[index]
        if not folder:
            return []
        with Results(Path(folder)) as results:
            return results.variables()


def _key(values: Sequence[Any], case: str) -> Any:
    """What a run's results are found under: its value, or a tuple of them; their text where that cannot be a key."""
    key = values[0] if len(values) == 1 else tuple(values)
    try:
        hash(key)
    except TypeError:
        return case
    return key
