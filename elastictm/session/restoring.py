"""Restoring: an archive's state is rebuilt in a namespace, or the namespace is left as it was.

The plan is made again with what is found here.  Each attempt loads what the plan loads, re-runs what it re-runs, and
learns from what fails: bytes that do not load count as absent, a cell that fails counts as not to be run, and the next
attempt plans without them, from freshly loaded values; a cell that gives another value of something that has bytes
counts as not repeatable.  What was learned only grows, so the attempts end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from elastictm.errors import ArchiveDamaged, RestoreFailed
from elastictm.ids import DefinitionKey, Name, output_number
from elastictm.model.history import History
from elastictm.model.reports import RestoreReport
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.problem import Problem
from elastictm.session import generators
from elastictm.session.account import Account
from elastictm.session.circumstances.circumstances import Circumstances
from elastictm.session.circumstances.staging import Staging
from elastictm.session.fit import additions
from elastictm.session.host import Host, clear, place, variables
from elastictm.session.packing import definition_units
from elastictm.session.prospect import Prospect
from elastictm.session.replay import Replay, TryAgain
from elastictm.session.standing import Arrived, Present, Standing, used_by_reruns
from elastictm.session.unpacking import forget_own, import_parts, unpack
from elastictm.session.watch import Watch
from elastictm.values.caches import forget
from elastictm.values.freeze import Surroundings
from elastictm.values.thaw import Thawer


@dataclass(frozen=True, slots=True)
class Restored:
    """A session as it was brought back: what it continues with, the report, and groups that nothing changed since."""

    history: History
    around: Surroundings
    report: RestoreReport
    arrived: tuple[Arrived, ...] = ()


class Restorer:
    """Brings the state of one archive into a host.

    Responsibilities:
    - attempt, learn from what fails, and put everything back where nothing helps;
    - report every variable's outcome.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is restored, where, and who looks on
        self,
        prospect: Prospect,
        host: Host,
        clock: Callable[[], float],
        circumstances: Circumstances,
        watch: Watch,
        standing: Standing | None = None,
    ) -> None:
        self._prospect = prospect
        self._watch = watch
        self._shield, self._progress = watch.shield, watch.progress
        self._foreseen: tuple[float, int] | None = None
        self._arrive: Callable[[], None] = lambda: None
        self._saved = prospect.saved
        self._lessons = prospect.lessons
        self._workroom = prospect.workroom
        self._standing = standing
        self._host = host
        self._clock = clock
        self._started = clock()
        self._circumstances = circumstances

    def run(self) -> Restored:
        """Rebuild the state.

        Raises:
            RestoreFailed: it could not be done; the namespace is as it was.
            KeyboardInterrupt: the user stopped it; the namespace is as it was.
        """
        aside = {name: value for name, value in variables(self._host).items() if output_number(name) is None}
        random_before, settings_before = generators.now(), self._circumstances.now()
        reader, modules = self._saved.reader, frozenset(sys.modules)
        try:
            with self._shield.open():
                if self._standing is None:
                    # What lies there may be what values come from; the settings put it where it was in the end.
                    sys.path += additions(reader.manifest.environment)
                    self._prospect.arrival = unpack(reader)
                else:
                    # A session that was recovered in another state may not have had all modules before.
                    self._prospect.arrival = replace(unpack(reader), notes=())
                restored = self._attempts(modules)
            self._arrive()
        except BaseException as error:
            self._prospect.arrival.take_back()
            forget_own(modules)
            clear(self._host, but=aside)
            for name, value in aside.items():
                place(self._host, name, value)
            generators.restore(random_before)
            self._circumstances.apply(settings_before)
            if isinstance(error, (KeyboardInterrupt, SystemExit, RestoreFailed, ArchiveDamaged)):
                raise
            text = f"{type(error).__name__}: {error}"
            raise RestoreFailed(f"restoring {reader.name} failed, the session is as it was: {text}") from error
        return restored

    def _attempts(self, modules: Collection[str]) -> Restored:
        """Attempt until one succeeds, each with own modules as an import makes them, those aside that were there."""
        while True:
            self._progress.stage("planning", None, "")
            problem, plan = self._prospect.plan()
            self._foreseen = self._foreseen or (plan.seconds, self._saved.bytes(plan.loads))
            try:
                return self._attempt(problem, plan)
            except TryAgain:
                self._lessons.spare_what_was_done()
                forget_own(modules)

    def _attempt(self, problem: Problem, plan: ReplicationPlan) -> Restored:
        saved, around = self._saved, self._surroundings()
        thawer = Thawer(around, definition_units(saved.reader), {**self._host.fixtures, **self._host.singletons})
        if self._standing is not None:
            for key, definition in self._standing.definitions.items():
                thawer.register(key, definition)
                # An attempt that was given up may have made others.
                around.definitions.bind(key, definition)
        replay = Replay(saved, self._host, self._lessons, plan, self._present(problem, plan), self._watch)
        clear(self._host, but=replay.stays())
        forget()
        replay.load(thawer)
        unimported = import_parts(saved.manifest.imported)
        clear(self._host, but=replay.stays())
        staging = Staging(saved.history.runs, self._circumstances, thawer)
        with self._workroom.entered([saved.runs[step.n] for step in plan.reruns]) as go:
            replay.execute(staging, go)
        staging.finish()
        for key, definition in thawer.definitions.items():
            around.definitions.bind(key, definition)
        # Own modules that are in place stay as they are; who goes to a state tells that.
        accounted = saved if self._standing is None else replace(saved, altered=())
        self._progress.stage("comparing what cells made again", None, "")
        account = Account(accounted, self._host, self._lessons, problem, plan, self._clock)
        unlike = account.unlike(around, replay.outputs)
        self._learn(account, unlike)
        notes = (*self._prospect.arrival.notes, *unimported, *thawer.notes, *self._workroom.notes)
        report = account.report(unlike, notes)
        self._arrive = partial(self._arrived, replay, staging)
        report = replace(
            report,
            seconds=self._clock() - self._started,
            differences=self._prospect.differences(),
            settings=staging.reports,
            predicted_seconds=self._foreseen[0] if self._foreseen else None,
            predicted_bytes=self._foreseen[1] if self._foreseen else None,
        )
        # Cells that ran may have changed what was loaded.
        return Restored(saved.history, around, report, () if plan.reruns else tuple(replay.arrived))

    def _arrived(self, replay: Replay, staging: Staging) -> None:
        """Have the shell and the settings go on from what was rebuilt."""
        saved = self._saved
        if self._standing is None:
            sources = {int(run.n): (run.source, run.code or run.source) for run in saved.history.runs if run.n}
            self._host.resume(sources, replay.outputs, saved.manifest.execution_count)
        else:
            self._host.show(replay.outputs)
        self._circumstances.adopt(staging.known)

    def _present(self, problem: Problem, plan: ReplicationPlan) -> Present:
        """What is in place; cells that run again work with what was loaded, not with what is here."""
        others = {} if self._standing is None else self._standing.others
        used = {self._saved.entry(v).unit for v in used_by_reruns(problem, plan, plan.loads)} if others else set()
        free = {v: value for v, value in others.items() if self._saved.entry(v).unit not in used}
        return Present(self._prospect.kept, free)

    def _learn(self, account: Account, unlike: Collection[Name]) -> None:
        """Give up an attempt that made variables otherwise than they were, if another would load them.

        Raises:
            TryAgain: it would, and lose no more, and run no other cells.
        """
        saved, bare = self._saved, self._lessons.unloadable()
        known = {remark.n for remark in saved.history.remarks}
        stored = (name for name in sorted(unlike) if saved.entries[name].unit not in {None, *bare})
        learned = [remark for remark in map(account.remark, stored) if remark.n not in known]
        if not learned or self._lessons.done:
            return
        _, other = self._prospect.plan(saved.history.remarked(learned))
        cells, before = ({step.n for step in plan.reruns} for plan in (other, account.plan))
        if cells <= before and len(other.lost) <= len(account.plan.lost):
            for remark in learned:
                saved.history.remark(remark)
            raise TryAgain

    def _surroundings(self) -> Surroundings:
        """What is around the values of the session, before any of them is here."""
        if self._standing is not None:
            for filename, text in self._saved.texts.items():
                self._standing.around.sources.add(filename, text)
            return self._standing.around
        singletons = {type(value): name for name, value in self._host.singletons.items()}
        around = Surroundings(self._host.namespace, singletons=singletons, fixtures=self._host.fixtures)
        for filename, text in self._saved.texts.items():
            around.sources.add(filename, text)
        around.definitions.reserve([DefinitionKey(d.key) for d in self._saved.manifest.definitions])
        return around
