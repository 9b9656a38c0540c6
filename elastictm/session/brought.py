"""What a cell takes in of another that ran aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elastictm.ids import Name, Version
    from elastictm.model.records import Aside, Effect, FileRead


@dataclass(frozen=True, slots=True)
class Brought:
    """What was made aside, of these versions of variables, and from these files.

    ``reasons`` say why another run would give another result; ``aside`` is how to run it again, None where that cannot
    be done, for the reasons given.
    """

    reads: frozenset[Version]
    files: tuple[FileRead, ...]
    effects: tuple[Effect, ...]
    reasons: tuple[str, ...]
    aside: Aside | None

    def reasons_for(self, name: str, before: Mapping[Name, Version]) -> tuple[str, ...]:
        """Why a cell that takes it under a name gives another result if it runs again; ``before`` it were these."""
        stale = self._stale(before)
        if self.aside is not None and not stale:
            return self.reasons
        then = "as it was then" if len(stale) == 1 else "as they were then"
        why = f"with {', '.join(stale)} {then}" if stale else ", ".join(self.reasons)
        return (f"it took in what ran aside as {name}{f', {why}' if why else ''}",)

    def aside_for(self, before: Mapping[Name, Version]) -> tuple[Aside, ...]:
        """What runs again with a cell that takes it, where it had these before it."""
        return (self.aside,) if self.aside is not None and not self._stale(before) else ()

    def _stale(self, before: Mapping[Name, Version]) -> list[Name]:
        return sorted(version.name for version in self.reads if before.get(version.name) != version)
