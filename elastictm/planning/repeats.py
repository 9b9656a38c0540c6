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


def unsteady(past: Past, remade: Collection[Version]) -> dict[RunNumber, str]:
    """The cell runs that would give another result if they ran again, each with the reason for people.

    A cell run is not repeatable for reasons of its own, because of what was learned after it ended, or because it read
    what such a cell run made: a version that is loaded gives back what was read, but one without bytes, one that is
    ``remade`` although it has them, and one that was changed outside of cells does not.
    """
    learned = {remark.n: remark.text for remark in past.history.remarks}
    found: dict[RunNumber, str] = {}
    for run, inputs in zip(past.runs, past.inputs, strict=True):
        if run.unrepeatable or run.n in learned:
            found[run.n] = f"not repeatable: {', '.join(run.unrepeatable) or learned[run.n]} (cell {run.n})"
            continue
        for u in inputs.needs:
            if u in past.astray:
                found[run.n] = f"made from {u.name}, which was changed outside of recorded cells"
            elif u.n in found and (u not in past.loads or u in remade):
                found[run.n] = found[u.n]
    return found


def immovable(past: Past) -> set[RunNumber]:
    """The cell runs that cannot run again: forbidden ones, and those that need what only such a run could make."""
    found = set(past.forbidden)
    for run, inputs in zip(past.runs, past.inputs, strict=True):
        for u in inputs.needs:
            if u.n in found and u not in past.loads:
                found.add(run.n)
    return found
