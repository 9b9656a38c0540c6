"""The past of one session: its states, what is kept of them, and going to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from elastictm.errors import ArchiveDamaged, ArchiveError, DestinationError, UsageError
from elastictm.ids import Name, RunNumber, Version
from elastictm.model.records import BY_NO_CELL, CellRun
from elastictm.model.sessions import StateContents
from elastictm.model.tables import amount
from elastictm.model.timeline import Costs, Timeline, timeline
from elastictm.model.tree import State, StateTree
from elastictm.session.gaps import gaps, unknown
from elastictm.session.host import Host, variables
from elastictm.session.keeping import Keeper
from elastictm.session.lookback import StateVariables
from elastictm.session.modules_kept import stale
from elastictm.session.parking import set_aside
from elastictm.session.patience import Patience
from elastictm.session.signposts import check_tag, found, there, way
from elastictm.session.standing import what_stands
from elastictm.session.states import Shelves, StateReader, contents
from elastictm.storage import pack as p
from elastictm.storage.about import FILE
from elastictm.values.freeze import Surroundings

if TYPE_CHECKING:
    from elastictm.model.difference import DifferenceReport
    from elastictm.model.history import History
    from elastictm.model.reports import RestoreReport
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.recorder import Recorder
    from elastictm.session.restoring import Restored, Watch
    from elastictm.session.stock import Stock
    from elastictm.session.stores import Found, Stores
    from elastictm.session.thrift import Thrift
    from elastictm.settings import Settings
    from elastictm.storage import manifest as m
    from elastictm.storage.lending import Lender
    from elastictm.storage.reader import ArchiveReader
    from elastictm.storage.store import Store
    from elastictm.storage.store_reader import StoreReader
    from elastictm.storage.writer import ArchiveWriter

_WEIGHED_EVERY: Final = 32 * 10**6
"""Bytes of values after which somebody looks whether all that is kept is worth its space."""

_WEIGHED_AT_LEAST: Final = 10**5
"""Bytes of values for which nobody looks, however small the budget is."""


class Past:
    """The states of one session.

    Responsibilities:
    - take in each cell run, and have it kept in a store that is made for the first of them;
    - find the state that a word names;
    - rebuild a state out of what is here and what was kept.
    """

    def __init__(
        self,
        host: Host,
        stores: Stores,
        clock: Clock,
        settings: Callable[[], Settings],
        faithful: Callable[[Stock, Mapping[Name, Any]], Stock],
    ) -> None:
        self.tree = StateTree()
        self.saving = True
        self.paused = RunNumber(0)
        self.keeper: Keeper | None = None
        self.trouble = ""
        self._host = host
        self._stores = stores
        self._store: Store | None = None
        self._clock = clock
        self._settings = settings
        self._faithful = faithful
        self._patience = Patience(clock.elapsed, settings)
        self._news: list[str] = []
        self._shelves = Shelves()
        self._merges = 0
        self._counted = 0
        self._unkept: list[State] = []
        self._whole = True
        self._lapses: tuple[Name, ...] = ()
        self._parked: dict[Version, Any] = {}
        self._brought: frozenset[RunNumber] = frozenset()
        self._unwanted: dict[int, object] = {}
        self._told_lines: set[str] = set()

    @property
    def name(self) -> str:
        """What people call the session; empty before the first cell."""
        return self._store.about.id if self._store is not None else ""

    def follow(self, history: History, recorder: Recorder) -> None:
        """Take in the cell runs that are new in the history of the line that the session is on."""
        new = history.since(self._counted)
        if not new:
            return
        self._counted += len(new)
        lapses = {lapse.n: lapse.names for lapse in history.lapses} if self.tree.at is None else {}
        for run in new:
            parent = self.tree.at
            lost = self._lapses or (lapses.get(parent, ()) if parent is not None else ())
            state = State(run, parent, lost)
            self._lapses = ()
            self.tree.append(state)
            self._unkept.append(state)
            if run.writes or run.deletes:
                # What was parked may share data with what the cell changed.
                self._parked.clear()
        if not self.saving:
            self._whole = True
        elif self._whole or self._unkept[-1].is_new:
            # What changed nothing is kept together with the next state that did.
            self._keep(recorder)

    def resume(self, store: Store, tree: StateTree, restored: Restored) -> None:
        """Go on with the states of a session that has ended; the session stands in one of them."""
        self._store, self.tree = store, tree
        # What is damaged there is kept once more.
        self._whole = bool(store.damaged)
        self.keeper = Keeper(store, self._host, self._patience, self._faithful, self._unwanted)
        self._arrive(restored)

    def switch(self, on: bool) -> None:  # noqa: FBT001 - a switch
        """Keep states from now on, in a new store where the old one is gone, or keep none."""
        if not on and self.saving:
            self.paused = RunNumber((self.tree.latest or 0) + 1)
            self._note(p.Pack(pause=p.Pause(self.paused)))
        self.saving = on
        if not on or not self._trouble():
            return
        self._told_lines.discard(self._trouble())
        self.trouble, self._whole = "", True
        if self.keeper is not None and self._store is not None:
            self.keeper.resume()
            folder = self._store.folder
            if folder.parent != self._stores.root.absolute() or not (folder / FILE).is_file():
                self.keeper.close()
                self.keeper, self._store, self._shelves, self._unkept = None, None, Shelves(), list(self.tree)

    def switched(self) -> str:
        """Whether states are kept, in words."""
        if self.saving:
            return self._trouble() or "saving is on"
        return self._trouble() or (
            f"saving is off since cell {self.paused}: what cells do since then is gone once this kernel ends; "
            "%past saving on keeps all that is here again"
        )

    def here(self) -> RunNumber:
        """The state that the session stands in.

        Raises:
            UsageError: no cell has run yet.
        """
        return there(self.tree.at, "no cell has run yet")

    def clear(self, cells: tuple[RunNumber, RunNumber] | None) -> str:
        """Forget the states of a range of cells, or all but the one that is here; returns what was freed, in words."""
        first, last = cells or (RunNumber(0), self.tree.latest or RunNumber(0))
        here = {self.tree.at, self.tree.standing()}
        chosen = [state.n for state in self.tree if first <= state.n <= last and state.n not in here]
        self.tree.forget(chosen)
        freed = "0 B freed"
        if self.keeper is not None and chosen:
            self.keeper.flush()
            self.keeper.note((), p.Pack(forgotten=tuple(chosen)))
            freed = self._thrift().clean()
            self._shelves = Shelves()
        return f"{len(chosen)} states forgotten, {freed}"

    def leave_out(self, what: Iterable[object]) -> tuple[str, ...]:
        """Keep no bytes of these objects, or of the variables with these names; returns what that does, in lines.

        With nothing it returns what is left out.
        """
        from elastictm.session.unwanted import listed, told  # noqa: PLC0415 - recording does without

        chosen = list(what)
        self._unwanted.update({id(each): each for each in chosen})
        lines = tuple(told(chosen, variables(self._host).keys(), self.tree))
        return lines if chosen else (listed(self._unwanted.values()),)

    def give_up(self, error: Exception) -> None:
        """Keep nothing any more, and say why."""
        self.trouble = f"the past is no longer kept: {type(error).__name__}: {error}; %past saving on tries again"
        if self.keeper is not None and self._unkept:
            self.keeper.note((), p.Pack(pause=p.Pause(self._unkept[0].n, f"{type(error).__name__}: {error}")))
        self.saving = False

    def close(self) -> None:
        """Write what is on its way, and let go of the store; one that holds no doing of this session's cells goes."""
        if self.keeper is not None and self._store is not None:
            if self._unkept and not any(state.is_new for state in self._unkept):
                self._note(p.Pack())
            self._unkept.clear()
            self.keeper.close()
            own = (state for state in self.tree if state.parent is not None and state.n not in self._brought)
            made = (state.run.writes or state.run.deletes for state in own)
            if not any(made):
                self._stores.remove(self._store.folder)

    def news(self) -> Iterator[str]:
        """What the user should know and was not told yet, in lines."""
        news, self._news = [*self._news, *filter(None, [self._trouble()])], []
        for line in news:
            if line not in self._told_lines:
                self._told_lines.add(line)
                yield line

    def put(self, writer: ArchiveWriter) -> m.Past:
        """Put all states into an archive, those aside that were cleared.

        Raises:
            UsageError: nothing was kept.
            ArchiveDamaged: what was kept cannot be read.
            DestinationError: the archive cannot be written.
        """
        from elastictm.session.travelling import states_to_go_to  # noqa: PLC0415 - recording does without
        from elastictm.storage.bundle import put_past  # noqa: PLC0415 - likewise

        try:
            with self._opened() as stored:
                past = put_past(stored, states_to_go_to(self.tree), writer)
        except ArchiveError as error:
            raise ArchiveDamaged(f"the past cannot travel, save without --with-past: {error}") from error
        if self._store is not None:
            self._news += [f"states that cannot be read do not travel: {damage}" for damage in self._store.damaged]
        return past

    def take_in(self, archive: ArchiveReader, restored: Restored) -> None:
        """Go on with the states that came with the archive that was restored.

        Raises:
            ArchiveError: they cannot be read.
            DestinationError: no store can be made.
        """
        from elastictm.session.travelling import unpacked  # noqa: PLC0415 - recording does without

        store, tree, counted = unpacked(archive, self._stores, self._clock.now(), restored.history)
        self.resume(store, tree, restored)
        # What runs came last have no state yet, and the next one has the bytes of all that is here.
        self._counted, self._whole = counted, True
        self._brought = frozenset(run.n for run in restored.history.runs) | {state.n for state in tree}
        self.bound()

    def lender(self) -> Lender | None:
        """What of the store an archive can use; None where there is none."""
        return None if self._store is None else self._store.lender()

    def _trouble(self) -> str:
        """Why nothing is kept any more; empty while all is well."""
        return self.trouble or (self.keeper.stopped if self.keeper is not None else "")

    def settle(self) -> None:
        """Before a cell runs: wait until its memory may change."""
        if self.keeper is not None:
            self.keeper.settle()

    def _keep(self, recorder: Recorder) -> None:
        if self.trouble:
            return
        if self.keeper is None:
            try:
                self._store = self._stores.create(self._clock.now())
            except (DestinationError, OSError) as error:
                self.trouble = f"the past is not kept: {error} Once that is mended, %past saving on begins with it."
                return
            self.keeper = Keeper(self._store, self._host, self._patience, self._faithful, self._unwanted)
        # What is interrupted or fails is kept with the next state.
        whole, self._whole = self._whole, True
        if not self.keeper.keep(self._unkept, recorder, whole=whole):
            return
        if whole and len(self.tree) > 1:
            self._note_all()
        self._unkept.clear()
        self._whole = False
        if self.keeper.unweighed > _WEIGHED_AT_LEAST and self.keeper.unweighed > self._weighed_every():
            self.bound()

    def _weighed_every(self) -> int:
        chosen = self._settings().budget
        return _WEIGHED_EVERY if chosen is None else min(_WEIGHED_EVERY, chosen // 4)

    def fit(self) -> Iterator[str]:
        """Have the budget hold at once; tells what that took, and what takes up more than there is room for."""
        if self.keeper is None:
            yield "it holds from the first state of this session on"
            return
        before = self.bytes
        self.bound()
        self.keeper.flush()
        freed = before - self.bytes
        if freed > 0:
            yield f"dropped {amount(freed)} of this session: what was in it, cells can make again"
        yield from self.news()

    def too_much(self, budget: int) -> list[Found]:
        """The pasts of sessions that ended for which a budget would have no room."""
        return self._stores.oldest(self._stores.size - budget)

    def bound(self) -> None:
        """Have what is not worth its bytes dropped, by and by."""
        if self.keeper is None or self._store is None:
            return
        self.keeper.unweighed = 0
        thrift = self._thrift()

        def work() -> None:
            self._news += thrift.run()

        self.keeper.later(work)

    def _thrift(self) -> Thrift:
        from elastictm.session.thrift import Thrift  # noqa: PLC0415 - recording small things does without

        assert self._store is not None  # noqa: S101 - who asks has looked
        return Thrift(self._store, self._stores, self.tree.copy(), self._stores.budget(self._settings().budget))

    @property
    def bytes(self) -> int:
        """What this session's past takes on disk."""
        return self._store.size if self._store is not None else 0

    def spent(self) -> str:
        """How much of its budget the past takes, in words."""
        budget = self._stores.budget(self._settings().budget)
        total, own = amount(self._stores.size), amount(self.bytes)
        return f"the past takes {total} of {amount(budget)}, {own} of it for this session"

    def find(self, word: str) -> RunNumber:
        """The state that a word names: a number, a tag, ``undo`` or ``redo``.

        Raises:
            UsageError: there is no such state.
        """
        return found(self.tree, word)

    def timeline(self, *, everything: bool = False) -> Timeline:
        """The states, with what going to each of them costs."""
        written: Mapping[RunNumber, int] = {}
        unread = ""
        missing: tuple[str, ...] = ()
        if self.keeper is not None:
            try:
                with self._opened() as stored:
                    shelves = self._refreshed(stored)
                    written = shelves.bytes
                    if stored.is_damaged or self.tree.lost:
                        missing = gaps(shelves, shelves.tree(stored), stored)
            except ArchiveError as error:
                unread = f"what was kept cannot be read: {error}"
        shown = timeline(self.name, self.tree, self._clock.now(), Costs(written), everything=everything)
        off = "" if self.saving or self._trouble() else self.switched()
        return replace(
            shown, notes=tuple(filter(None, [self._trouble(), unread])), gaps=(*missing, *filter(None, [off]))
        )

    def tag(self, name: str, n: RunNumber | None) -> str:
        """Call a state by a name from now on, with None the name goes; returns in words what was done.

        Raises:
            UsageError: the name cannot be told from other words, or is not there to go.
        """
        check_tag(self.tree, name, n)
        before = self.tree.tags.get(name)
        if n is not None:
            n = self.tree.changed(n)  # which has a line of its own where states are listed
        self.tree.tag(name, n)
        self._note(p.Pack(marks={name: n}))
        if n is None:
            return f"state {before} is no longer called {name}"
        moved = "" if before in (None, n) else f"; before, that was state {before}"
        return f"state {n} is now called {name}{moved}"

    def variables(self, n: RunNumber) -> StateVariables:
        """The variables of a state, without going there."""
        with self._opened() as stored:
            return StateVariables(self.reader(stored, n), self._host, self._opened)

    def difference(self, a: RunNumber, b: RunNumber) -> DifferenceReport:
        """What differs between two states."""
        from elastictm.session.differing import difference  # noqa: PLC0415 - recording does without

        histories = self.tree.history(a), self.tree.history(b)
        return difference((a, b), histories, (self.variables(a), self.variables(b)), self._clock.elapsed)

    def contents(self, n: RunNumber) -> StateContents:
        """What a state holds."""
        with self._opened() as stored:
            return contents(self.reader(stored, n))

    def reader(self, reader: StoreReader, n: RunNumber) -> StateReader:
        """A state as an archive."""
        return StateReader(reader, self._refreshed(reader), self.tree, n, self.name)

    def _refreshed(self, reader: StoreReader) -> Shelves:
        merges = self.keeper.merges if self.keeper is not None else 0
        if merges != self._merges:
            # Packs that were merged have other numbers.
            self._shelves, self._merges = Shelves(), merges
        self._shelves.refresh(reader)
        return self._shelves

    def sift(self, error: ArchiveDamaged) -> None:
        """Find all that is damaged, and do without it."""
        with self._opened() as stored:
            stored.tell(error)
            self._refreshed(stored).sift(stored)

    def _opened(self) -> StoreReader:
        """The store, with all in it that is on its way there.

        Raises:
            UsageError: nothing was kept.
        """
        if self._store is None or self.keeper is None:
            raise UsageError(self.trouble or "nothing of this session was kept yet: no cell has run, or saving is off")
        self.keeper.flush()
        return self._store.reader()

    def go(
        self,
        n: RunNumber,
        recorder: Recorder,
        circumstances: Circumstances,
        watch: Watch,
        *,
        allow_effects: bool = False,
    ) -> tuple[Restored, RestoreReport]:
        """Rebuild a state in place of the one that is here.

        Raises:
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        from elastictm.session.prospect import Prospect  # noqa: PLC0415 - recording does without
        from elastictm.session.restoring import Restorer  # noqa: PLC0415 - likewise

        with watch.shield.open():
            watch.progress.stage("having all that was kept on disk", None, "")
            self._leave(recorder)
            stored = self._opened()
        with stored:
            with watch.shield.open():
                target = self.reader(stored, n)
                here = self.reader(stored, there(self.tree.at, "no cell has run yet"))
                stays = (*unknown(self._shelves, self.tree, n, stored), *stale(target, recorder, variables(self._host)))
                standing = what_stands(target, here, recorder.freezer.around, variables(self._host), self._parked)
                parked = set_aside(here, target, variables(self._host), self._parked)
                prospect = Prospect(target, allow_effects=allow_effects, history=target.history, kept=standing.kept)
            restored = Restorer(prospect, self._host, self._clock.elapsed, circumstances, watch, standing).run()
        before = there(self.tree.at, "")
        runs = {run.n for run in target.history.runs}
        patches = recorder.modules.patches
        stays += (
            *patches.go(runs, target.manifest.altered),
            *patches.apart(target.history.live, variables(self._host)),
        )
        self.tree.go(n)
        if self.keeper is not None:
            self.keeper.moved()
        self._arrive(restored)
        self._parked = parked
        if self._parked:
            self._weigh(recorder.freezer.around)
        return restored, replace(restored.report, notes=(*stays, *way(self.tree, before, n), *restored.report.notes))

    def _arrive(self, restored: Restored) -> None:
        """Stand in a state that was rebuilt, and have that on disk, with what was learned on the way."""
        report, history = restored.report, restored.history
        self._counted = len(history)
        self._lapses = tuple(r.name for r in (*report.variables, *report.outputs) if r.outcome == "lost")
        known = set(self.tree.remarks)
        new = tuple(p.Learned(remark.n, remark.text) for remark in history.remarks if remark not in known)
        self.tree.remark(history.remarks)
        self._note(p.Pack(at=self.tree.at, remarks=new))

    def _note(self, pack: p.Pack) -> None:
        """Have on disk what a pack says, and the states that it may speak of."""
        if self.keeper is not None and self.saving and self.keeper.note(self._unkept, pack):
            self._unkept.clear()

    def _note_all(self) -> None:
        """Have on disk what the store was not told while nothing was kept, or another one was."""
        assert self.keeper is not None  # noqa: S101 - who asks has looked
        tree = self.tree
        learned = tuple(p.Learned(remark.n, remark.text) for remark in tree.remarks)
        told = p.Pack(marks=dict(tree.tags), forgotten=tuple(sorted(tree.forgotten)), remarks=learned)
        if told != p.Pack():
            self.keeper.note((), told)

    def _leave(self, recorder: Recorder) -> None:
        """Have a state of what is here now, should something have changed it since the last cell ended."""
        history = recorder.settled()
        last = history.runs[-1] if history.runs else None
        if last is None:
            return
        if last.n in self.tree and last.settings != self.tree[last.n].run.settings:
            # Nothing but settings was changed; they have a state of their own.
            n = RunNumber(max(self._host.execution_count, (self.tree.latest or 0) + 1))
            last = CellRun(n, "", self._clock.now(), 0.0, settings=last.settings, unrepeatable=(BY_NO_CELL,))
        if last.n not in self.tree and (last.writes or last.deletes or last.settings):
            recorder.take(last)
            self.follow(recorder.history, recorder)

    def _weigh(self, around: Surroundings) -> None:
        """Have it told should what is parked take much of the memory."""
        from elastictm.session.parking import memory_line  # noqa: PLC0415 - most sessions park nothing

        runs = [self.tree[n].run for n in {version.n for version in self._parked} if n in self.tree]
        known = {record.version: record.size for run in runs for record in run.writes}
        self._news += filter(None, [memory_line(self._parked, known, around)])
