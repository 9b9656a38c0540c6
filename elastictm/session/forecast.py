"""What plans are to be expected, from sizes and times that recording or an archive knows; nothing is frozen for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from elastictm.ids import Name, Version
from elastictm.model.history import HistoryView
from elastictm.model.outlook import FASTEST, SLOWEST, USUAL, Fates, Outlook, Stretch
from elastictm.model.records import Refusal
from elastictm.model.reports import Outcome
from elastictm.planning.alternatives import planned
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import FLAW_SECONDS
from elastictm.planning.explain import explain
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.planning.sweep import Line, jumps, sweep
from elastictm.session.alterations import Alteration, hollow_versions
from elastictm.session.folders import Folders
from elastictm.session.hash_seed import hash_seed
from elastictm.session.shipping import SHIP_AT_MOST, Shipping
from elastictm.storage.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Forecast:
    """A history with what is known of its live variables without looking at them.

    ``sizes`` are bytes and seconds to serialise of what can be stored, ``refusals`` why the rest cannot be.
    ``flaws`` are the variables that come back with less than they had.
    """

    history: HistoryView
    sizes: Mapping[Name, tuple[int, float]]
    refusals: Mapping[Name, Refusal]
    shipping: Shipping
    groups: Sequence[frozenset[Version]]
    hash_seed: str | None
    alpha: float = 1.0
    astray: frozenset[Name] = frozenset()
    flaws: frozenset[Name] = frozenset()
    hollow: Mapping[Version, str] = field(default_factory=dict)
    saved: Fates | None = None

    @classmethod
    def of_session(cls, history: HistoryView, here: Path, alpha: float = 1.0) -> Forecast:
        """Of the session of this process, which is in the folder ``here``."""
        live = history.live
        return cls(
            history,
            {name: (record.size, record.seconds) for name, record in live.items() if record.refusal is None},
            {name: record.refusal for name, record in live.items() if record.refusal is not None},
            Shipping(Folders.here(history.runs, here), SHIP_AT_MOST),
            history.live_groups(),
            hash_seed(),
            alpha,
        )

    @classmethod
    def of_archive(cls, manifest: Manifest, history: HistoryView) -> Forecast:
        """Of the session in an archive, as it was where it was saved."""
        live = history.live
        entries = [entry for entry in manifest.entries if entry.name in live]
        outcomes: dict[Version, Outcome] = {live[Name(e.name)].version: e.outcome for e in entries}
        again = frozenset(manifest.cells_rerun)
        stored = [e.bytes for e in entries if e.outcome == "stored"]
        return cls(
            history,
            {Name(e.name): (e.bytes, e.seconds) for e in entries if e.bytes or e.unit is not None},
            {Name(e.name): Refusal(e.path, e.reason) for e in entries if not e.bytes and e.unit is None and e.reason},
            Shipping(Folders.of(history.runs, Path(manifest.environment.directory)), SHIP_AT_MOST),
            [frozenset(live[Name(x)].version for x in tie if x in live) for tie in manifest.groups],
            manifest.environment.hash_seed,
            astray=frozenset(Name(e.name) for e in entries if e.astray),
            flaws=frozenset(Name(e.name) for e in entries if e.flaw),
            hollow=hollow_versions(history, tuple(map(Alteration.of, manifest.altered))),
            saved=Fates(outcomes, cells=tuple(run.n for run in history.runs if run.n in again), bytes=sum(stored)),
        )

    def at(self, bandwidth: float = USUAL) -> Outlook:
        """What a plan would do at one bandwidth."""
        stretch = self._stretch(bandwidth, bandwidth, self._planned(bandwidth)[1])
        return Outlook((stretch,), self._remake(), self.saved, bandwidth)

    def outlook(self, bandwidth: float = USUAL) -> Outlook:
        """What plans would do at every bandwidth."""
        around = jumps(self.history, self._lines())
        pieces = sweep(lambda speed: self._planned(speed)[1], self._moved, SLOWEST, FASTEST, around)
        stretches = tuple(self._stretch(piece.low, piece.high, piece.plan) for piece in pieces)
        return Outlook(stretches, self._remake(), self.saved, bandwidth)

    def _lines(self) -> dict[Version, Line]:
        """What storing and loading each variable takes."""
        found: dict[Version, Line] = {}
        for name, record in self.history.live.items():
            if name in self.sizes:
                size, seconds = self.sizes[name]
                fixed = (1 + self.alpha) * seconds + FLAW_SECONDS * (name in self.flaws)
                found[record.version] = Line(fixed, (1 + self.alpha) * size)
        return found

    def _planned(self, bandwidth: float) -> tuple[Problem, ReplicationPlan]:
        live = self.history.live
        known = {name for name in live if name in self.sizes or name in self.refusals}
        if self.saved is not None:
            known |= {version.name for version in self.saved.outcomes}
        drawn = partial(
            migration_problem,
            self.history,
            loads={version: line.seconds(bandwidth) for version, line in self._lines().items()},
            missing_files=self.shipping.foreseen(self.history.runs, bandwidth),
            targets=frozenset(live[name].version for name in known),
            astray=frozenset(live[name].version for name in self.astray),
            groups=self.groups,
            hollow=self.hollow,
            hash_seed=self.hash_seed,
        )
        return planned(drawn)

    def _moved(self, plan: ReplicationPlan) -> float:
        """The bytes in a plan's seconds, as often as they count."""
        loaded = sum((1 + self.alpha) * self.sizes[version.name][0] for version in plan.loads)
        return loaded + sum(self._shipped(plan).values())

    def _shipped(self, plan: ReplicationPlan) -> dict[str, int]:
        return self.shipping.shipped(self.history.runs, plan.shipped)

    def _stretch(self, low: float, high: float, plan: ReplicationPlan) -> Stretch:
        """What a plan takes, without what only tells plans apart."""
        moved = self._moved(plan)
        lines = self._lines()
        fixed = sum(lines[version].fixed for version in plan.loads)
        fixed += sum(self.history.run(step.n).rerun_seconds for step in plan.reruns)
        fixed -= FLAW_SECONDS * sum(version.name in self.flaws for version in plan.loads)
        return Stretch(low, high, self._fates(plan), fixed, moved)

    def _fates(self, plan: ReplicationPlan) -> Fates:
        live = {record.version for record in self.history.live.values()}
        outcomes: dict[Version, Outcome] = {loss.version: "lost" for loss in plan.lost}
        made = {version for step in plan.reruns for version in step.writes}
        outcomes.update((version, "stored") for version in plan.loads)
        outcomes.update((version, "rerun") for version in made & live)
        size = sum(self.sizes[version.name][0] for version in plan.loads) + sum(self._shipped(plan).values())
        cells = tuple(step.n for step in plan.reruns)
        return Fates(outcomes, frozenset(made - outcomes.keys()), cells, size)

    def _remake(self) -> dict[Version, float | None]:
        """Seconds to make each variable again."""
        problem, plan = self._planned(USUAL)
        told = explain(self.history, problem, plan, self.sizes, self.refusals)
        return {Version(choice.report.name, choice.n): choice.rerun_seconds for choice in told}
