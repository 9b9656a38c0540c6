"""Which cell runs must not run again, and which versions another run would make differently."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from elastictm.ids import RunNumber, Version
from elastictm.model.records import CellRun, EffectKind
from elastictm.planning.past import Past

_DEEDS: Mapping[EffectKind, str] = MappingProxyType(
    {
        "write": "writes a file",
        "remove": "removes a file",
        "rename": "renames a file",
        "network": "uses the network",
        "process": "starts a process",
    }
)
"""Effects outside the session that a second run would repeat."""


def obstacles(
    runs: Iterable[CellRun], *, allow_effects: bool, runnable: Callable[[CellRun], str | None] | None
) -> dict[RunNumber, str]:
    """The cell runs that must not run again, each with the reason for people.

    Args:
        runs: All cell runs.
        allow_effects: Whether effects outside the session may be repeated.
        runnable: Says why a cell run cannot run here, such as a missing package; None where it can.
    """
    found: dict[RunNumber, str] = {}
    for run in runs:
        if run.n == 0:
            found[run.n] = "it was there before recording began"
        elif run.status == "unparsed":
            found[run.n] = f"cell {run.n} is not valid code"
        elif run.status == "interrupted":
            found[run.n] = f"cell {run.n} was interrupted"
        elif run.effects and not allow_effects and (deed := _deed(run)):
            found[run.n] = deed
        elif runnable is not None and (reason := runnable(run)):
            found[run.n] = f"cell {run.n}: {reason}"
    return found


def _deed(run: CellRun) -> str | None:
    for effect in run.effects:
        if effect.kind in _DEEDS:
            return f"cell {run.n} {_DEEDS[effect.kind]}: {effect.detail}"
    return None


def unsteady(past: Past, remade: Collection[Version]) -> dict[Version, str]:
    """The versions that another run would make differently, each with the reason for people.

    A cell run is not repeatable for reasons of its own, because of what was learned after it ended, or because it read
    such a version: one that is loaded gives back what was read, but one without bytes, one that is ``remade`` although
    it has them, and one that was changed outside of cells does not.
    """
    learned = {remark.n: remark.text for remark in past.history.remarks}
    found = dict.fromkeys(past.astray, "changed outside of recorded cells")
    spreading = found.copy()
    for run in past.runs:
        own = ", ".join(run.unrepeatable) or learned.get(run.n)
        reason = f"not repeatable: {own} (cell {run.n})" if own else None
        if reason is None and spreading:
            source = next((u for u in past.needs(run.n) if u in spreading), None)
            if source is not None:
                via = f"made from {source.name}, which was " if source in past.astray else ""
                reason = via + spreading[source]
        if reason is not None:
            for version in (record.version for record in run.writes):
                found.setdefault(version, reason)
                if version not in past.loads or version in remade:
                    spreading.setdefault(version, reason)
    return found


def immovable(past: Past) -> set[RunNumber]:
    """The cell runs that cannot run again: forbidden ones, and those that need what only such a run could make."""
    found = set(past.forbidden)
    for run in past.runs:
        if any(u.n in found and u not in past.loads for u in past.needs(run.n)):
            found.add(run.n)
    return found
