"""The passage of a session from one of its states to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elastictm.session.gaps import unknown
from elastictm.session.host import Host, variables
from elastictm.session.modules_kept import stale
from elastictm.session.parking import memory_line, set_aside
from elastictm.session.running import LiveThreads, going_on
from elastictm.session.signposts import there, way
from elastictm.session.standing import what_stands, with_threads

if TYPE_CHECKING:
    from elastictm.ids import RunNumber, Version
    from elastictm.model.tree import StateTree
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.reading import ReadingRoom
    from elastictm.session.recorder import Recorder
    from elastictm.session.restoring import Restored
    from elastictm.session.watch import Watch
    from elastictm.values.freeze import Surroundings


class Passage:
    """Rebuilds states in place of the one that is here.

    ``parked`` are values that no store has, set aside for the way back; ``threads`` run on wherever the session stands.
    """

    def __init__(self, host: Host, clock: Clock) -> None:
        self.parked: dict[Version, Any] = {}
        self.threads = LiveThreads()
        self._host = host
        self._clock = clock

    def go(  # noqa: PLR0913, PLR0917 - what it works with is passed in
        self,
        n: RunNumber,
        room: ReadingRoom,
        tree: StateTree,
        recorder: Recorder,
        circumstances: Circumstances,
        watch: Watch,
        *,
        allow_effects: bool,
    ) -> Restored:
        """Rebuild a state, and stand in it; the report begins with what stays as it is, and the way there.

        Raises:
            UsageError: no cell has run yet.
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        from elastictm.session.prospect import Prospect  # noqa: PLC0415 - recording does without
        from elastictm.session.restoring import Restorer  # noqa: PLC0415 - likewise

        host = self._host
        with watch.shield.open():
            opened = room.opened()
        with opened as stored:
            with watch.shield.open():
                target = room.state(stored, n)
                before = there(tree.at, "no cell has run yet")
                here = room.state(stored, before)
                stays = (*unknown(room.shelves(stored), tree, n, stored), *stale(target, recorder, variables(host)))
                standing = what_stands(target, here, recorder.freezer.around, variables(host), self.parked)
                standing = with_threads(standing, target, self.threads.running())
                parked = set_aside(here, target, variables(host), self.parked)
                prospect = Prospect(target, allow_effects=allow_effects, history=target.history, kept=standing.kept)
            restored = Restorer(prospect, host, self._clock.elapsed, circumstances, watch, standing).run()
        patches, runs = recorder.modules.patches, {run.n for run in target.history.runs}
        stays += tuple(going_on(tree.between(before, n)[0], recorder.threads()))
        stays += (*patches.go(runs, target.manifest.altered), *patches.apart(target.history.live, variables(host)))
        tree.go(n)
        self.parked = parked
        notes = (*stays, *way(tree, before, n), *restored.report.notes)
        return replace(restored, report=replace(restored.report, notes=notes))

    def burden(self, tree: StateTree, around: Surroundings) -> Iterator[str]:
        """A line should what is parked take much of the memory."""
        if not self.parked:
            return
        runs = [tree[n].run for n in {version.n for version in self.parked} if n in tree]
        known = {record.version: record.size for run in runs for record in run.writes}
        yield from filter(None, [memory_line(self.parked, known, around)])
