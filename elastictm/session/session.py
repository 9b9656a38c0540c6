"""One recorded session: its history, its recorder, and what can be asked of it.

Planning and archives are imported when they are first used, so that recording a session does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.errors import ArchiveNotTrusted
from elastictm.ids import is_variable
from elastictm.model.history import History
from elastictm.model.reports import PlanReport, RestoreReport, SaveReport
from elastictm.session.circumstances.circumstances import Circumstances
from elastictm.session.circumstances.process import added_to_import_path
from elastictm.session.circumstances.registry import registered
from elastictm.session.effects import EffectWatch
from elastictm.session.host import Host, variables
from elastictm.session.recorder import Clock, Recorder
from elastictm.session.trust import TrustBook
from elastictm.settings import Settings
from elastictm.values.freeze import Freezer, Surroundings

if TYPE_CHECKING:
    from elastictm.model.rehearsals import RehearsalReport
    from elastictm.session.faith import FaithCheck
    from elastictm.session.first_imports import FirstImports
    from elastictm.session.options import SaveOptions
    from elastictm.session.rehearsal import Live
    from elastictm.session.saving import Draft
    from elastictm.storage.manifest import Manifest
    from elastictm.storage.probe import BandwidthProbe

Progress = Callable[[int, int], None]
"""Called with the number of bytes that were just written, and the total that is expected."""


class Session:
    """A host under recording.

    Responsibilities:
    - own the history and the recorder, and replace both when an archive is restored;
    - plan, save and restore for every surface.
    """

    def __init__(
        self, host: Host, settings: Callable[[], Settings], clock: Clock, ignored_paths: tuple[str, ...] = ()
    ) -> None:
        self.host = host
        self.settings = settings
        self.clock = clock
        self.history = History()
        self._probe: BandwidthProbe | None = None
        self._faith: FaithCheck | None = None
        self._imports: FirstImports | None = None
        self._book = TrustBook()
        self._watch = EffectWatch(ignored_paths)
        members, failures = registered(self._watch.of_imports)
        self.circumstances = Circumstances([*members, *host.circumstances], failures)
        types = {type(value): name for name, value in host.singletons.items()}
        self.recorder = self._recorder(Surroundings(host.namespace, singletons=types, fixtures=host.fixtures))

    def _recorder(self, around: Surroundings) -> Recorder:
        # Time that other programs take from this one is not what a value costs.
        freezer = Freezer(around, self.clock.worked)
        return Recorder(self.host, self.history, freezer, self._watch, self.circumstances, self.settings, self.clock)

    def plan(self, options: SaveOptions, folder: Path | None = None) -> PlanReport:
        """The replication plan of the live state; writes nothing but the probe of the destination's speed."""
        with self._watch.aside():
            self._load_planner()
            return self._draft(options, folder or Path.cwd()).report()

    def save(
        self,
        path: str | Path,
        options: SaveOptions,
        *,
        force: bool = False,
        rehearse: bool = False,
        progress: Progress | None = None,
    ) -> SaveReport:
        """Write the live state as one archive; with ``rehearse``, once a fresh process has restored it as it is.

        Raises:
            DestinationError: it cannot be written there; what was there is intact.
            UsageError: an option makes no sense.
        """
        with self._watch.aside():
            self._load_planner()
            return self._save(path, options, force=force, rehearse=rehearse, progress=progress)

    def _load_planner(self) -> None:
        """Import what planning takes: that its libraries set themselves up is no doing of the session's."""
        with self.circumstances.unmoved():
            import elastictm.session.faith  # noqa: PLC0415 - recording does without
            import elastictm.session.saving  # noqa: F401, PLC0415 - likewise

    def _save(
        self, path: str | Path, options: SaveOptions, *, force: bool, rehearse: bool, progress: Progress | None
    ) -> SaveReport:
        from elastictm.session.saving import Journey, save_report, write  # noqa: PLC0415
        from elastictm.storage.destination import destination  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415
        from elastictm.storage.writer import ArchiveWriter  # noqa: PLC0415

        started = self.clock.elapsed()
        # A path that cannot be written to shall not cost a plan.
        final = destination(path, force=force)
        drafted = self._draft(options, final.parent)
        import_path = added_to_import_path(self.circumstances.now())
        journey = Journey(self._next_count(drafted), self.recorder.freezer.around.sources, import_path)
        total = drafted.predicted_bytes()
        tell = None if progress is None else lambda done: progress(done, total)

        def written(drafted: Draft, target: Path) -> int:
            with ArchiveWriter(target, force=force, bandwidth=drafted.bandwidth, progress=tell) as writer:
                return write(drafted, journey, writer, self.clock.elapsed, self.clock.now())

        report = None
        if rehearse:
            from elastictm.session.learning import Studio  # noqa: PLC0415
            from elastictm.session.rehearsal import Rehearsal  # noqa: PLC0415

            live = self._live()
            studio = Studio(self.history, Rehearsal(self.clock.elapsed, live), live, written)
            drafted, size, report = studio.save(drafted, final, force=force)
        else:
            size = written(drafted, final)
        with ArchiveReader(final) as reader:
            self._book.add(reader.manifest)
        return replace(save_report(drafted, str(path), self.clock.elapsed() - started, size), rehearsal=report)

    def rehearse(self, path: str | Path, *, trust: bool | Callable[[Manifest], bool] = False) -> RehearsalReport:
        """Restore an archive in a fresh process, and compare what comes of it with what was saved and what is here.

        Raises:
            ArchiveError: the archive cannot be used, or nobody said that its code may run.
        """
        from elastictm.session.rehearsal import Rehearsal  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        with self._watch.aside():
            with ArchiveReader(path) as reader:
                self._check_trust(reader.manifest, path, trust)
            return Rehearsal(self.clock.elapsed, self._live()).of(path)

    def _live(self) -> Live:
        from elastictm.session.rehearsal import Live  # noqa: PLC0415

        return Live.of(self.host, self.recorder.freezer)

    def _check_trust(
        self,
        manifest: Manifest,
        path: str | Path,
        trust: bool | Callable[[Manifest], bool],  # noqa: FBT001 - an option
    ) -> None:
        if not (trust is True or self._book.knows(manifest) or (callable(trust) and trust(manifest))):
            raise ArchiveNotTrusted(
                f"{path} was not written here, and restoring it runs code from it: "
                "say that it may, with --trust or trust=True"
            )

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
        from elastictm.session.restoring import Restorer  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        before = [name for name in variables(self.host) if is_variable(name)]
        with ArchiveReader(path) as reader:
            self._check_trust(reader.manifest, path, trust)
            self.recorder.suspended = True
            try:
                restorer = Restorer(
                    reader,
                    self.host,
                    self.clock.elapsed,
                    self.circumstances,
                    allow_effects=allow_effects,
                    any_version=any_version,
                )
                if tell is not None:
                    tell(restorer.differences())
                restored = restorer.run()
            finally:
                self.recorder.suspended = False
        self.history = restored.history
        errors = self.recorder.errors
        self.recorder = self._recorder(restored.around)
        self.recorder.errors = errors
        self.recorder.adopt()
        now = variables(self.host)
        gone = [name for name in before if name not in now]
        if not gone:
            return restored.report
        note = f"the archive's state replaced the one that was here, so these variables are gone: {', '.join(gone)}"
        return replace(restored.report, notes=(*restored.report.notes, note))

    def plan_restore(self, path: str | Path, *, allow_effects: bool = False, any_version: bool = False) -> PlanReport:
        """What a restore would load and re-run here; runs no code from the archive."""
        from elastictm.session.restoring import Restorer  # noqa: PLC0415
        from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415

        with ArchiveReader(path) as reader:
            restorer = Restorer(
                reader,
                self.host,
                self.clock.elapsed,
                self.circumstances,
                allow_effects=allow_effects,
                any_version=any_version,
            )
            return restorer.plan_report()

    def _next_count(self, drafted: Draft) -> int:
        runs = drafted.history.runs
        return max(self.host.execution_count, runs[-1].n + 1 if runs else 1)

    def _draft(self, options: SaveOptions, folder: Path) -> Draft:
        from elastictm.session.faith import FaithCheck  # noqa: PLC0415
        from elastictm.session.first_imports import FirstImports  # noqa: PLC0415
        from elastictm.session.luggage import Luggage  # noqa: PLC0415
        from elastictm.session.saving import draft  # noqa: PLC0415
        from elastictm.session.stock import take_stock  # noqa: PLC0415
        from elastictm.storage.probe import BandwidthProbe  # noqa: PLC0415

        history = self.recorder.settled()
        values = variables(self.host)
        selected = options.select(name for name in values if is_variable(name))
        outputs = options.only is None
        chosen = {
            name: value
            for name, value in values.items()
            if name in selected or (outputs and not is_variable(name) and name not in options.exclude)
        }
        needed = {key for run in history.runs for version in run.settings for key in version.definitions}
        stock = take_stock(chosen, self.recorder.variables, self.recorder.freezer, needed)
        self._faith = self._faith or FaithCheck(self.clock.elapsed)
        stock = self._faith.checked(stock, chosen, self.recorder.freezer, self.settings().faith_budget)
        self._probe = self._probe or BandwidthProbe()
        bandwidth = options.bandwidth or self.settings().bandwidth or self._probe.bandwidth(folder)
        self._imports = self._imports or FirstImports(self.clock.elapsed)
        modules = self.recorder.modules
        imports = self._imports.looked_at(history, modules, self.settings().faith_budget)
        luggage = Luggage.of(history, values, modules, imports, Path.cwd(), options.ship_limit)
        return draft(history, stock, bandwidth, options, luggage)
