"""Grafting: of a group that was loaded, the values that are here already take the place of those that came.

Both are walked in one order, so the pickler's numbers tell which object is which.  The other values are written after
those that came, referring to them by number, and read after those that are here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from elastictm.ids import Name
from elastictm.model.records import Refusal
from elastictm.values.definitions import Purity
from elastictm.values.memory import Export, segments
from elastictm.values.passes import Pass, Sink
from elastictm.values.thaw import Frost, Thawer


def grafted(loaded: Mapping[Name, Any], here: Mapping[Name, Any], thawer: Thawer) -> dict[Name, Any] | None:
    """The values of a loaded group: those that are like what is ``here`` as those very objects, the others with these.

    None where that cannot be: what is not here, or not alike, uses memory of what is, or pickling tells too little.
    """
    try:
        alike = {n: value for n, value in here.items() if _Walk(thawer, loaded[n]).marks == _Walk(thawer, value).marks}
        came, there = _Walk(thawer, *(loaded[name] for name in alike)), _Walk(thawer, *alike.values())
        if not alike or came.marks != there.marks or there.partial:
            return None
        frost = came.frost({name: value for name, value in loaded.items() if name not in alike})
    except Exception:  # noqa: BLE001 - users' objects may raise anything; what was loaded is right as it is
        return None
    if frost is None or not all(map(thawer.has, frost.definitions)):
        return None
    others = thawer.group(frost, [value for _, value in sorted(there.memo.copy().values(), key=itemgetter(0))])
    return None if isinstance(others, Refusal) else {**others, **alike}


class _Walk(Pass):
    """A pickler that went over values, and may go over others that refer to them."""

    def __init__(self, thawer: Thawer, *values: Any) -> None:
        around = thawer.around
        super().__init__(around, Sink(time.perf_counter, None, keep=False), Purity(around.namespace))
        self._standing_for = around.standing_for
        digests: list[str] = []
        for value in values:
            self.sink.start()
            self.dump(self._standing_for(value))
            digests.append(self.sink.hasher.hexdigest())
        self.marks = digests, tuple(self.definitions)
        """What two walks over the same have in common."""

    def frost(self, values: Mapping[Name, Any]) -> Frost | None:
        """Others as they would be read from an archive; None where they use the memory of those before."""
        before = len(self.exports)
        self.sink.kept = []
        for value in values.values():
            self.dump(self._standing_for(value))
        first, more = self.exports[:before], self.exports[before:]
        if _overlap(first, more):
            return None
        memory, slices = segments(more)
        return Frost(tuple(values), b"".join(self.sink.kept), memory, slices, tuple(self.definitions))


def _overlap(some: Sequence[Export], others: Sequence[Export]) -> bool:
    """Whether two lists of memory have a byte in common."""
    joint, one, two = (
        sum(view.nbytes for view in segments(exports)[0]) for exports in ((*some, *others), some, others)
    )
    return joint < one + two
