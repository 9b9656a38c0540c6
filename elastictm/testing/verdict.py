"""Whether a session came back: each variable equal, or else with a loss or a difference that the report tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from elastictm.testing.portrait import differences

_TOLD: Final = ("not repeatable", "could not be compared")
"""How a report says that a variable was made again and may be another one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The variables of a session after a restore, by what became of them.

    ``told`` came back different, and the report says so; ``faults`` are what nobody was told, with what is wrong.
    """

    equal: tuple[str, ...]
    told: tuple[str, ...]
    lost: tuple[str, ...]
    faults: Mapping[str, str]


def judge(before: Mapping[str, str], after: Mapping[str, str], report: Mapping[str, Any]) -> Verdict:
    """Compare the portraits of a session and of its restored copy with the report of the restore."""
    entries = {entry["name"]: entry for entry in _entries(report)}
    faults: dict[str, str] = {}
    lost = [name for name, entry in entries.items() if entry["outcome"] == "lost"]
    for name in lost:
        if not entries[name]["reason"]:
            faults[name] = "lost without a reason"
        if name in after:
            faults[name] = "reported as lost, but it is there"
    for name in before.keys() - entries.keys():
        faults[name] = "not in the report"
    for name in entries.keys() - before.keys():
        faults[name] = "in the report, but there was no such variable"
    excused = {name for name, entry in entries.items() if any(words in entry["reason"] for words in _TOLD)}
    changed = differences(before, after, without=lost)
    told = {name for name in changed if name in excused}
    for name, what in differences(before, after, without={*lost, *told}).items():
        faults.setdefault(name, f"{what}; reported as {entries[name]['outcome'] if name in entries else 'nothing'}")
    equal = [name for name in before if name not in faults and name not in told and name not in lost]
    return Verdict(tuple(equal), tuple(sorted(told)), tuple(sorted(lost)), faults)


def _entries(report: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield from report["variables"]
    yield from report["outputs"]
