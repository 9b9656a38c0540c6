"""Notebooks that are run, saved, and restored under other Pythons, with every variable accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from elastictm.testing.places import Kernel
from elastictm.testing.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A notebook, with the variables that cannot come back, or not as they were, and what the report says of each."""

    path: Path
    losses: Mapping[str, str]

    def complaints(self, verdict: Verdict, report: Mapping[str, Any]) -> list[str]:
        """What became of the variables that nobody expected: an empty list if all are accounted for."""
        found = [f"{name}: {fault}" for name, fault in sorted(verdict.faults.items())]
        entries = {entry["name"]: entry for entry in (*report["variables"], *report["outputs"])}
        for name in (*verdict.lost, *verdict.told):
            reason = entries[name]["reason"]
            if name not in self.losses:
                found.append(f"{name}: {entries[name]['outcome']}, {reason}")
            elif self.losses[name] not in reason:
                found.append(f"{name}: expected {self.losses[name]!r}, the report says {reason!r}")
        return found


@dataclass(frozen=True, slots=True)
class Saved:
    """Archives of one session, by the policy that they were saved with, and the portrait of its variables."""

    exhibit: Exhibit
    archives: Mapping[str, Path]
    portrait: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back, and what about it nobody expected."""

    verdict: Verdict
    complaints: tuple[str, ...]


def save(exhibit: Exhibit, python: str, folder: Path, policies: Sequence[str]) -> Saved:
    """Run a notebook in a kernel that is recorded, and save it with each policy.

    Raises:
        AssertionError: a cell raised, or one did not that should; the portrait or the recorder is not to be trusted.
    """
    with closing(Kernel(folder / "work", folder / "home", python)) as place:
        # A crowded machine must not change what is found.
        place.run("%config ElasticTM.recording_floor = 600")
        for cell in nbformat.read(exhibit.path, 4).cells:
            if cell.cell_type == "code":
                error = place.run(cell.source).error
                if (error is not None) != ("raises-exception" in cell.metadata.get("tags", [])):
                    raise AssertionError(f"{exhibit.path.stem}: {cell.id}: {error}")
        archives = {policy: folder / f"{policy}.tm" for policy in policies}
        for policy, path in archives.items():
            place.save(path, policy=policy)
        portrait = place.portrait(detail=True)
        if place.portrait(detail=True) != portrait:
            raise AssertionError(f"{exhibit.path.stem}: looking at the variables changes them")
        if place.recorder_errors():
            raise AssertionError(f"{exhibit.path.stem}: {place.recorder_errors()}")
    return Saved(exhibit, archives, portrait)


def restore(saved: Saved, policy: str, python: str, folder: Path) -> Restored:
    """Restore an archive in a fresh kernel, and compare every variable with what it was."""
    with closing(Kernel(folder / "work", folder / "home", python)) as place:
        report = place.restore(saved.archives[policy])
        verdict = judge(saved.portrait, place.portrait(detail=True), report)
    return Restored(verdict, tuple(saved.exhibit.complaints(verdict, report)))
