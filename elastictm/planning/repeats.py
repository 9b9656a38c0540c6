"""Which cell runs must not run again, and which versions another run would make differently."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from elastictm.ids import RunNumber, Version
from elastictm.model.machine import is_of_machine
from elastictm.model.marks import mark_of
from elastictm.model.records import STILL_RUNNING, CellRun, EffectKind
from elastictm.model.set_order import holds_under
from elastictm.planning.past import Past

_DEEDS: Mapping[EffectKind, str] = MappingProxyType(
    {
        "write": "wrote {}",
        "remove": "removed {}",
        "rename": "renamed {}",
        "network": "used the network: {}",
        "process": "started a process: {}",
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
        mark = mark_of(run.source)
        if run.n == 0:
            found[run.n] = "it was there before recording began"
        elif run.status == "unparsed":
            found[run.n] = f"cell {run.n} is not valid code"
        elif run.status == "interrupted":
            found[run.n] = f"cell {run.n} was interrupted"
        elif STILL_RUNNING in run.unrepeatable:
            # It asked for the save itself: run again, it would write the archive anew.
            found[run.n] = f"cell {run.n} was still running, and may have changed it"
        elif mark == "not-repeatable":
            found[run.n] = f"cell {run.n} is marked # tm: not-repeatable"
        elif not (allow_effects or mark) and (done := deeds(run)):
            found[run.n] = f"cell {run.n} {done[0]}"
        elif runnable is not None and (reason := runnable(run)):
            found[run.n] = f"cell {run.n}: {reason}"
    return found


def deeds(run: CellRun) -> tuple[str, ...]:
    """What a cell run did outside the session that a second run would do again, for people."""
    return tuple(_DEEDS[effect.kind].format(effect.detail) for effect in run.effects if effect.kind in _DEEDS)


def unsteady(past: Past, remade: Collection[Version], hash_seed: str | None = None) -> dict[RunNumber, str]:
    """The cell runs that would give another result if they ran again, each with the reason for people.

    A cell run is not repeatable for reasons of its own, because of what was learned after it ended, or because it read
    what such a cell run made: a version that is loaded gives back what was read, but one without bytes, one that is
    ``remade`` although it has them, and one that was changed outside of cells does not.
    Reasons that a fixed hash seed takes away do not count where ``hash_seed`` is that one.
    That a cell run asks about the machine is told only where there is no other reason.
    """
    learned = {remark.n: remark.text for remark in past.history.remarks}
    found: dict[RunNumber, str] = {}
    for run, inputs in zip(past.runs, past.inputs, strict=True):
        reasons = [reason for reason in run.unrepeatable if holds_under(reason, hash_seed)]
        firm = [reason for reason in reasons if not is_of_machine(reason)]
        if firm or run.n in learned:
            found[run.n] = f"not repeatable: {', '.join(firm) or learned[run.n]} (cell {run.n})"
            continue
        if reasons:
            found[run.n] = f"not repeatable: {', '.join(reasons)} (cell {run.n})"
        for u in inputs.needs:
            if u in past.astray:
                found[run.n] = f"made from {u.name}, which was changed outside of recorded cells"
            elif u in past.hollow:
                found[run.n] = f"made from {u.name}, and what was changed inside {past.hollow[u]} does not travel"
            elif (
                u.n in found
                and (u not in past.loads or u in remade)
                and (run.n not in found or is_of_machine(found[run.n]))
            ):
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
