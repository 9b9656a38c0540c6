"""The departure of a session: what was drafted becomes an archive, rehearsed if that is asked for."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from elastictm.session.circumstances.process import added_to_import_path
from elastictm.session.saving import Journey, write
from elastictm.storage.writer import ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from elastictm.model.progress import Progress
    from elastictm.model.rehearsals import RehearsalReport
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.host import Host
    from elastictm.session.packing import Put
    from elastictm.session.past import Past
    from elastictm.session.recorder import Recorder
    from elastictm.session.saving import Draft
    from elastictm.storage import manifest as m


@dataclass(frozen=True, slots=True)
class Departure:
    """One session's live state on its way into an archive.

    What the store of ``past`` has compressed is borrowed; the states of ``travelling`` go along, as does what
    ``futures`` puts.
    """

    host: Host
    recorder: Recorder
    circumstances: Circumstances
    clock: Clock
    past: Past | None
    travelling: Past | None
    futures: Callable[[Put], tuple[m.KeptFuture, ...]]
    progress: Progress

    def depart(
        self, drafted: Draft, final: Path, *, force: bool, rehearse: bool
    ) -> tuple[Draft, int, RehearsalReport | None]:
        """Write what was drafted; returns what is in the archive in the end, its size, and what a rehearsal found.

        Raises:
            DestinationError: it cannot be written there; what was there is intact.
            UsageError: nothing was kept that could travel.
        """
        import_path = added_to_import_path(self.circumstances.now())
        sources = self.recorder.freezer.around.sources
        journey = Journey(self._next_count(drafted), sources, import_path, progress=self.progress)

        def written(drafted: Draft, target: Path) -> int:
            lender = None if self.past is None else self.past.lender()
            self.progress.stage("writing", drafted.predicted_bytes())
            with (
                lender or nullcontext(),
                ArchiveWriter(target, force=force, bandwidth=drafted.bandwidth, progress=self.progress) as writer,
            ):
                if lender is not None:
                    writer.borrow(lender)
                along = None if self.travelling is None else self.travelling.put(writer)
                futures = self.futures(writer.put)
                whole = replace(journey, past=along, futures=futures)
                return write(drafted, whole, writer, self.clock.elapsed, self.clock.now())

        if not rehearse:
            return drafted, written(drafted, final), None
        from elastictm.session.learning import Studio  # noqa: PLC0415 - few saves are rehearsed
        from elastictm.session.rehearsal import Live, Rehearsal  # noqa: PLC0415 - likewise

        live = Live.of(self.host, self.recorder.freezer)
        studio = Studio(self.recorder.history, Rehearsal(self.clock.elapsed, live, self.progress), live, written)
        return studio.save(drafted, final, force=force)

    def _next_count(self, drafted: Draft) -> int:
        runs = drafted.history.runs
        return max(self.host.execution_count, runs[-1].n + 1 if runs else 1)
