"""How long a cell may be kept waiting while a value is frozen for the past."""

from __future__ import annotations

from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from elastictm.ids import Name
    from elastictm.session.tracked import Group
    from elastictm.settings import Settings


class Patience:
    """Allows a new value the whole time that freezing may take, and later only a share of the session's own time.

    What was looked at after the cell costs no more than that look did; only what took too long to look at is timed.
    """

    def __init__(self, clock: Callable[[], float], settings: Callable[[], Settings]) -> None:
        self._clock = clock
        self._settings = settings
        self._began = clock()
        self._spent = 0.0
        self._costs: dict[Name, tuple[int, float]] = {}

    def allowance(
        self, group: Group, names: Sequence[Name], values: Mapping[Name, Any], *, once: bool = False
    ) -> float | None:
        """Seconds that freezing a group may take: none at all if 0, and as many as it takes if None.

        What was made ``once``, as its cell must not run again, is kept like a new value: it would be lost for good.
        """
        settings = self._settings()
        whole = settings.keeping_seconds
        if group.seconds > whole:
            return 0.0
        if group.digests.keys() == set(group.members) - group.refusals.keys():
            return None
        if once or self._is_new(names, values):
            return whole
        earned = settings.recording_share * (self._clock() - self._began) - self._spent
        left = min(whole, max(settings.recording_floor, earned))
        return left if all(self._costs[name][1] <= left for name in names) else 0.0

    @contextmanager
    def timed(
        self, group: Group, names: Sequence[Name], values: Mapping[Name, Any], *, once: bool = False
    ) -> Iterator[Callable[[], float] | None]:
        """Freeze a group in here, while what this gives says that seconds are left; None where time is no matter."""
        allowed = self.allowance(group, names, values, once=once)
        if allowed is None:
            yield None
            return
        again = not self._is_new(names, values)
        started = self._clock()
        try:
            yield lambda: allowed - (self._clock() - started)
        finally:
            taken = self._clock() - started
            self._spent += taken if again else 0.0
            # What was given up takes longer than that, and nobody knows how much.
            self._costs.update({name: (id(values[name]), taken if taken < allowed else inf) for name in names})

    def _is_new(self, names: Sequence[Name], values: Mapping[Name, Any]) -> bool:
        return any(self._costs.get(name, (0, 0.0))[0] != id(values[name]) for name in names)
