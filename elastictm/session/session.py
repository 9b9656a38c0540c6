"""One recorded session: its history, its recorder, and what can be asked of it.

Planning and archives are imported when they are first used, so that recording a session does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elastictm.errors import ArchiveDamaged, UsageError
from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.history import History
from elastictm.model.progress import SILENT, Progress
from elastictm.model.reports import PlanReport, RestoreReport, SaveReport
from elastictm.session.cells import FinishedCell
from elastictm.session.circumstances.circumstances import Circumstances
from elastictm.session.circumstances.registry import registered
from elastictm.session.effects import EffectWatch
from elastictm.session.futures.places import left_in
from elastictm.session.host import Host, variables
from elastictm.session.past import Past
from elastictm.session.recorder import Clock, Recorder
from elastictm.session.scruples import Scruples
from elastictm.session.stores import Found, Stores
from elastictm.session.trust import TrustBook
from elastictm.session.watch import put_in_order
from elastictm.settings import Settings
from elastictm.values.freeze import Freezer, Surroundings

if TYPE_CHECKING:
    from elastictm.model.overview import Standing
    from elastictm.model.records import Aside
    from elastictm.model.rehearsals import RehearsalReport
    from elastictm.model.sessions import SessionList
    from elastictm.model.timeline import Timeline
    from elastictm.session.drafting import Drafting
    from elastictm.session.futures.futures import Futures
    from elastictm.session.options import SaveOptions
    from elastictm.session.packing import Put
    from elastictm.session.restoring import Restored
    from elastictm.session.saving import Draft
    from elastictm.session.stock import Stock
    from elastictm.storage.manifest import KeptFuture, Manifest


class Session:
    """A host under recording.

    Responsibilities:
    - own the history and the recorder, and replace both when an archive is restored;
    - plan, save and restore for every surface.
    """

    def __init__(
        self,
        host: Host,
        settings: Callable[[], Settings],
        clock: Clock,
        ignored_paths: tuple[str, ...] = (),
        *,
        stores: Stores | None = None,
    ) -> None:
        self.host = host
        self.settings = settings
        self.clock = clock
        self.history = History()
        self._drafting: Drafting | None = None
        self.tell: Callable[[str], None] = lambda _: None
        self.progress: Progress = SILENT
        self.budget: int | None = None
        self.brings_futures = True
        self._book = TrustBook()
        self._watch = EffectWatch(ignored_paths)
        members, failures = registered(self._watch.of_imports)
        self.circumstances = Circumstances([*members, *host.circumstances], failures)
        self._scruples = Scruples(self.circumstances, settings, clock)
        self.recorder = self.new_recorder(self.circumstances)
        self._stores = stores
        self.past: Past | None = None
        self.past = self._new_past()

    def new_recorder(self, circumstances: Circumstances, around: Surroundings | None = None) -> Recorder:
        """A recorder of the history; it knows nothing yet but what is ``around``, if that is given."""
        if around is None:
            types = {type(value): name for name, value in self.host.singletons.items()}
            around = Surroundings(self.host.namespace, singletons=types, fixtures=self.host.fixtures)
        # Time that other programs take from this one is not what a value costs.
        freezer = Freezer(around, self.clock.worked)
        return Recorder(self.host, self.history, freezer, self._watch, circumstances, self.settings, self.clock)

    def _new_past(self, *, saving: bool = True) -> Past | None:
        if self._stores is None:
            return None
        past = Past(self.host, self._stores, self.clock, self._bounds, self.faithful)
        past.saving = saving
        if self.past is not None:
            # Objects are gone with the state that they were of; names stay unwanted whatever state comes.
            past.unwanted.add(self.past.unwanted.names())
        return past

    def _bounds(self) -> Settings:
        settings = self.settings()
        return settings if self.budget is None else replace(settings, budget=self.budget)

    def faithful(self, stock: Stock, values: Mapping[Name, Any]) -> Stock:
        """What of some groups comes back as it is, as far as can be told in a moment."""
        return self._scruples.spared(stock, values, self.recorder.freezer)

    def before(self, source: str) -> None:
        """A cell is about to run, or goes on after it has begun with loading elastictm."""
        self.recorder.before(source)
        if self.past is not None:
            # A cell that loads elastictm may set the folder next, and where nothing is there yet nothing can be missed.
            if self.history.live or len(self.history) > 1:
                self._follow()
            self.past.settle()
            # None of this is the cell's time.
            self.recorder.start_clock()

    def after(self, cell: FinishedCell) -> None:
        """A cell has run."""
        self.recorder.after(cell)
        self._follow()

    def _follow(self) -> None:
        """Have the past take in what the history has of late; what goes wrong there is no matter of the cell's."""
        if self.past is None or self.recorder.suspended:
            return
        try:
            with self._watch.aside():
                self.past.follow(self.history, self.recorder)
        except Exception as error:  # noqa: BLE001 - the boundary that keeps the past out of the user's cell
            self.past.give_up(error)
        for line in self.past.news():
            self.tell(line)

    def go(self, word: str, *, allow_effects: bool = False) -> RestoreReport:
        """Rebuild the state that a word names: a cell's number, a tag, ``undo`` or ``redo``.

        Raises:
            UsageError: there is no such state.
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        past = self.known_past()
        n = past.find(word)
        with self.unnoticed():
            import elastictm.session.restoring  # noqa: F401, PLC0415 - recording does without
        with put_in_order(self.recorder, self.progress, self.again) as watch:

            def gone() -> Restored:
                with watch.shield.open():
                    watch.progress.stage("having all that was kept on disk", None, "")
                    past.leave(self.recorder)
                return past.go(n, self.recorder, self.circumstances, watch, allow_effects=allow_effects)

            try:
                restored = gone()
            except ArchiveDamaged as error:
                past.room().sift(error)
                restored = gone()
            self.history = restored.history
            self.recorder.moved(restored.history, past.tree.latest or RunNumber(0))
            with watch.last_looks():
                self.recorder.look_around(restored.arrived)
        return restored.report

    def timeline(self, *, everything: bool = False, in_passing: bool = False) -> Timeline:
        """The states of this session, all of them or the latest; see ``Past.timeline``.

        Raises:
            UsageError: none are kept.
        """
        past = self.known_past()
        with self.unnoticed():
            return past.timeline(everything=everything, in_passing=in_passing)

    def known_past(self) -> Past:
        """The states of this session.

        Raises:
            UsageError: none are kept.
        """
        if self.past is None:
            raise UsageError("this session keeps no past")
        return self.past

    def unrecorded(self, code: Callable[[], str]) -> None:
        """Code has run that is no cell run; what runs for a restore is nobody's business."""
        if not self.recorder.suspended:
            self.recorder.unrecorded(code)

    def aside(self) -> AbstractContextManager[None]:
        """A block whose doings are the program's own, and not the cell's."""
        return self._watch.aside()

    def plan(self, options: SaveOptions, folder: Path | None = None) -> PlanReport:
        """The replication plan of the live state; writes nothing but the probe of the destination's speed."""
        with self._watch.aside():
            self._load_planner()
            return self._draft(options, folder or Path.cwd()).report()

    def save(
        self, path: str | Path, options: SaveOptions, *, force: bool = False, rehearse: bool = False
    ) -> SaveReport:
        """Write the live state as one archive; with ``rehearse``, once a fresh process has restored it as it is.

        Raises:
            DestinationError: it cannot be written there; what was there is intact.
            UsageError: an option makes no sense.
        """
        with self._watch.aside():
            self._load_planner()
            return self._save(path, options, force=force, rehearse=rehearse)

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """What is imported inside sets up its settings and generators, which is no doing of the session's."""
        with self.circumstances.unmoved(), self.recorder.undrawn():
            yield

    def _load_planner(self) -> None:
        """Import what planning takes."""
        with self.unnoticed():
            import elastictm.session.faith  # noqa: PLC0415 - recording does without
            import elastictm.session.saving  # noqa: F401, PLC0415 - likewise

    def _save(self, path: str | Path, options: SaveOptions, *, force: bool, rehearse: bool) -> SaveReport:
        from elastictm.session.departure import Departure  # noqa: PLC0415
        from elastictm.session.saving import Took, save_report  # noqa: PLC0415
        from elastictm.storage.destination import destination  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        started = self.clock.elapsed()
        # A path that cannot be written to shall not cost a plan.
        final = destination(path, force=force)
        travelling = self.known_past() if options.with_past else None
        futures, stay = self._futures_along(options)
        departure = Departure(
            self.host, self.recorder, self.circumstances, self.clock, self.past, travelling, futures, self.progress
        )
        planned = self._draft(options, final.parent)
        until_planned = self.clock.elapsed() - started
        drafted, size, report = departure.depart(planned, final, force=force, rehearse=rehearse)
        with ArchiveReader(final) as reader:
            self._book.add(reader.manifest)
            past = reader.manifest.past
        took = Took(self.clock.elapsed() - started, until_planned)
        saved = save_report(drafted, str(path), took, size, past)
        return replace(saved, rehearsal=report, notes=(*stay, *saved.notes))

    def _futures_along(self, options: SaveOptions) -> tuple[Callable[[Put], tuple[KeptFuture, ...]], tuple[str, ...]]:
        """What puts the futures into an archive that travel with it, and what of them does not, in lines."""
        if not self.has_futures:
            return lambda _: (), ()
        from elastictm.session.futures.travelling import packed  # noqa: PLC0415 - few sessions have futures

        along, stay = self.futures.along(options.futures)
        return lambda put: packed(along, put), stay

    def rehearse(self, path: str | Path, *, trust: bool | Callable[[Manifest], bool] = False) -> RehearsalReport:
        """Restore an archive in a fresh process, and compare what comes of it with what was saved and what is here.

        Raises:
            ArchiveError: the archive cannot be used, or nobody said that its code may run.
        """
        from elastictm.session.rehearsal import Live, Rehearsal  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        with self._watch.aside():
            with ArchiveReader(path) as reader:
                self._book.require(reader.manifest, path, trust)
            live = Live.of(self.host, self.recorder.freezer)
            return Rehearsal(self.clock.elapsed, live, self.progress).of(path)

    def restore(
        self,
        path: str | Path,
        *,
        trust: bool | Callable[[Manifest], bool] = False,
        allow_effects: bool = False,
        any_version: bool = False,
        tell: Callable[[tuple[str, ...]], None] | None = None,
    ) -> RestoreReport:
        """Bring an archive's state into this session, in place of the one it has.

        Cells with effects outside the session run again only if ``allow_effects`` says so, and what another major
        version of a library has saved is loaded only if ``any_version`` does.
        ``tell`` is called first, with what differs between there and here.

        Raises:
            ArchiveError: the archive cannot be used, or nobody said that its code may run.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        from elastictm.session.prospect import Prospect  # noqa: PLC0415
        from elastictm.session.restoring import Restorer  # noqa: PLC0415
        from elastictm.session.travelling import arrival  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        before = [name for name in variables(self.host) if is_variable(name)]
        with ArchiveReader(path) as reader:
            self._book.require(reader.manifest, path, trust)
            with put_in_order(self.recorder, self.progress, self.again) as watch:
                with watch.shield.open():
                    if self.past is not None and self.past.keeper is not None:
                        self.past.keeper.flush()
                    prospect = Prospect(reader, allow_effects=allow_effects, any_version=any_version)
                    if tell is not None:
                        tell(prospect.differences())
                restored = Restorer(prospect, self.host, self.clock.elapsed, self.circumstances, watch).run()
                self._adopt(restored)
                if self.past is not None:
                    self.past.close()
                    self.past = self._new_past(saving=self.past.saving)
                with watch.last_looks():
                    self.recorder.adopt()
            report = restored.report
            if reader.manifest.past is not None:
                with self._watch.aside():
                    told = arrival(self.past, reader, restored)
                report = replace(report, notes=(*report.notes, told))
            self._follow()
            if reader.manifest.futures and self.brings_futures:
                with self._watch.aside():
                    report = replace(report, notes=(*report.notes, self.futures.arrive(reader)))
        return self._with_what_is_gone(report, before)

    @property
    def has_futures(self) -> bool:
        """Whether any cell ran aside so far."""
        return "futures" in vars(self)

    @cached_property
    def futures(self) -> Futures:
        """The cells of this session that run aside."""
        from elastictm.session.futures.engines import engine  # noqa: PLC0415 - likewise
        from elastictm.session.futures.futures import Futures  # noqa: PLC0415 - recording does without

        return Futures(self, lambda: engine(self.settings))

    def again(self, asides: Sequence[Aside]) -> AbstractContextManager[None]:
        """Have cells run aside once more, on the variables as they are now, for one that takes what they make."""
        if not asides:
            return nullcontext()
        from elastictm.session.futures.again import again  # noqa: PLC0415 - recording does without

        return again(self, asides)

    def recover(self, session: str | None, state: str | None, *, allow_effects: bool = False) -> RestoreReport:
        """Bring a state of another session here, its last one if none is named, and go on from there.

        Without a name it is the latest session of this notebook or folder that has ended.  The states of a session that
        has ended become the states of this one; of one that is alive only this state is copied.

        Raises:
            UsageError: there is no such session, or no such state.
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        with self.unnoticed():
            from elastictm.session.recovery import Recovery  # noqa: PLC0415 - recording does without

        stores, past = self._stores, self.known_past()
        assert stores is not None  # noqa: S101 - who keeps a past has them
        before = [name for name in variables(self.host) if is_variable(name)]
        recovery = Recovery(stores.find(session) if session else stores.latest(but=past.name), past)
        with put_in_order(self.recorder, self.progress, self.again) as watch:
            with watch.shield.open():
                if past.keeper is not None:
                    past.keeper.flush()
            restored = recovery.run(
                state, self.host, self.clock, self.circumstances, watch, allow_effects=allow_effects
            )
            self._adopt(restored)
            past.close()
            self.past = self._new_past()
            if recovery.taken is not None and self.past is not None:
                self.past.resume(recovery.taken, recovery.tree, restored)
                if left_in(Path(self.past.folder)):
                    self.futures.read_back(Path(self.past.folder))
            with watch.last_looks():
                self.recorder.adopt()
        self._follow()
        return self._with_what_is_gone(restored.report, before)

    def close(self) -> None:
        """Write what is on its way to the disk, and end what runs aside, which is told."""
        if self.has_futures and (lost := self.futures.close()):
            self.tell(f"these futures had not ended, and are lost: {', '.join(lost)}")
        if self.past is not None:
            self.past.close()

    def left_behind(self) -> Found | None:
        """The latest session of this notebook or folder that has ended; None where there is none."""
        return self._stores.left_behind() if self._stores is not None else None

    def standing(self) -> Standing:
        """How recording stands."""
        from elastictm.model.overview import Standing  # noqa: PLC0415 - recording does without
        from elastictm.session.environment import program_version  # noqa: PLC0415 - likewise

        past, runs, left = self.past, self.history.runs, self.left_behind()
        return Standing(
            version=program_version(),
            age=self.clock.now() - runs[0].started if runs else 0.0,
            cells=sum(run.n > 0 for run in runs),
            states=sum(state.n not in past.tree.forgotten for state in past.tree) if past is not None else 0,
            bytes=past.bytes if past is not None else 0,
            store=past.folder if past is not None else "",
            saving=past.switched() if past is not None else "no past is kept",
            left=left.told() if left is not None else "",
            errors=tuple(self.recorder.errors),
        )

    def sessions(self) -> SessionList:
        """The sessions that keep a past beside this one."""
        self.known_past()
        assert self._stores is not None  # noqa: S101 - who keeps a past has them
        from elastictm.session.archivist import session_list  # noqa: PLC0415 - recording does without

        return session_list(self._stores, self.clock.now())

    def session_names(self) -> tuple[str, ...]:
        """What the sessions that keep a past are called, the latest first."""
        return () if self._stores is None else tuple(found.about.id for found in self._stores.sessions())

    def saving(self, on: bool) -> None:  # noqa: FBT001 - a switch
        """Keep the past from now on, or keep nothing."""
        self.known_past().switch(on)
        if on:
            self._follow()

    def clear(self, cells: tuple[RunNumber, RunNumber] | None) -> str:
        """Forget the states of a range of cells, or all but the one that is here; returns in words what was freed."""
        past = self.known_past()
        with self.unnoticed():
            import elastictm.session.thrift  # noqa: F401, PLC0415 - recording does without
        return past.clear(cells)

    def spend(self, budget: int) -> tuple[str, ...]:
        """Have the past of all sessions take no more bytes on disk from now on; returns in lines what that took."""
        past = self.known_past()
        with self.unnoticed():
            import elastictm.session.thrift  # noqa: F401, PLC0415 - recording does without
        self.budget = budget
        return tuple(past.fit())

    def dontsave(self, what: Iterable[object]) -> tuple[str, ...]:
        """Keep no bytes of these objects, or of the variables with these names, from now on; what that does."""
        return self.known_past().leave_out(what)

    def _adopt(self, restored: Restored) -> None:
        """Go on from what was restored."""
        self.history = restored.history
        errors = self.recorder.errors
        self.recorder = self.new_recorder(self.circumstances, restored.around)
        self.recorder.errors = errors
        self.recorder.look_later()

    def _with_what_is_gone(self, report: RestoreReport, before: Sequence[Name]) -> RestoreReport:
        now = variables(self.host)
        gone = [name for name in before if name not in now]
        if not gone:
            return report
        note = f"the archive's state replaced the one that was here, so these variables are gone: {', '.join(gone)}"
        return replace(report, notes=(*report.notes, note))

    def plan_restore(self, path: str | Path, *, allow_effects: bool = False, any_version: bool = False) -> PlanReport:
        """What a restore would load and re-run here; runs no code from the archive."""
        from elastictm.session.prospect import Prospect  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        with ArchiveReader(path) as reader:
            return Prospect(reader, allow_effects=allow_effects, any_version=any_version).report()

    def _draft(self, options: SaveOptions, folder: Path) -> Draft:
        from elastictm.session.drafting import Drafting  # noqa: PLC0415 - recording does without

        self._drafting = self._drafting or Drafting(self.host, self.settings, self.clock, self._scruples)
        return self._drafting.draft(self.recorder, options, folder, self.progress)
