"""The past of one session: its states, what is kept of them, and going to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elastictm.errors import ArchiveError, DestinationError, UsageError
from elastictm.ids import Name, RunNumber, Version
from elastictm.model.records import BY_NO_CELL, CellRun
from elastictm.model.tables import amount
from elastictm.model.texts import counted
from elastictm.model.timeline import Costs, Timeline, listed, timeline
from elastictm.model.tree import State, StateTree
from elastictm.session.futures.places import left_in
from elastictm.session.gaps import assumed
from elastictm.session.host import Host, variables
from elastictm.session.keeping import Keeper
from elastictm.session.passage import Passage
from elastictm.session.patience import Patience
from elastictm.session.reading import ReadingRoom
from elastictm.session.signposts import found, tagged, there
from elastictm.session.unwanted import Unwanted, told
from elastictm.session.upkeep import Upkeep
from elastictm.storage import pack as p
from elastictm.storage.about import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from elastictm.model.history import History
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.clock import Clock
    from elastictm.session.recorder import Recorder
    from elastictm.session.restoring import Restored
    from elastictm.session.stock import Stock
    from elastictm.session.stores import Found, Stores
    from elastictm.session.watch import Watch
    from elastictm.settings import Settings
    from elastictm.storage import manifest as m
    from elastictm.storage.crate import CrateWriter
    from elastictm.storage.lending import Lender
    from elastictm.storage.reader import ArchiveReader
    from elastictm.storage.store import Store
    from elastictm.storage.writer import ArchiveWriter


class Past:
    """The states of one session.

    Responsibilities:
    - take in each cell run, and have it kept in a store that is made for the first of them;
    - find the state that a word names;
    - go to a state, and know where the session stands.

    Only once a store is made there is a ``ReadingRoom``, where its states are read, and an ``Upkeep``, which bounds it.
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
        self.upkeep: Upkeep | None = None
        self.trouble = ""
        self._host = host
        self._stores = stores
        self._store: Store | None = None
        self._clock = clock
        self._settings = settings
        self._faithful = faithful
        self._passage = Passage(host, clock)
        self._patience = Patience(clock.elapsed, settings)
        self._news: list[str] = []
        self._room: ReadingRoom | None = None
        self._counted = 0
        self._unkept: list[State] = []
        self._whole = True
        self._lapses: tuple[Name, ...] = ()
        self._brought: frozenset[RunNumber] = frozenset()
        self.unwanted = Unwanted()
        self._told_lines: set[str] = set()

    @property
    def name(self) -> str:
        """What people call the session; empty before the first cell."""
        return self._store.about.id if self._store is not None else ""

    @property
    def folder(self) -> str:
        """Where it is kept; empty before the first cell."""
        return str(self._store.folder) if self._store is not None else ""

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
            self._passage.threads.meet(run, self._host.namespace)
            if run.writes or run.deletes:
                # What was parked may share data with what the cell changed.
                self._passage.parked.clear()
        if not self.saving:
            self._whole = True
        elif self._whole or self._unkept[-1].is_new:
            # What changed nothing is kept together with the next state that did.
            self._keep(recorder)

    def resume(self, store: Store, tree: StateTree, restored: Restored) -> None:
        """Go on with the states of a session that has ended; the session stands in one of them."""
        self.tree = tree
        # What is damaged there is kept once more.
        self._whole = bool(store.damaged)
        self._keep_in(store)
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
                self.keeper, self._store, self._room, self.upkeep = None, None, None, None
                self._unkept = list(self.tree)

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
        marks: dict[str, int | None] = dict.fromkeys(self.tree.forget(chosen))
        freed = "0 B freed"
        if self.keeper is not None and self.upkeep is not None and chosen:
            self.keeper.flush()
            self.keeper.note((), p.Pack(marks=marks, forgotten=tuple(chosen)))
            freed = self.upkeep.clean()
            self.room().forget()
        return f"{counted(len(chosen), 'state')} forgotten, {freed}"

    def leave_out(self, what: Iterable[object]) -> tuple[str, ...]:
        """Keep no bytes of these objects, or variables; returns in lines what that does, or what is left out."""
        chosen = list(what)
        self.unwanted.add(chosen)
        return tuple(told(chosen, variables(self._host).keys(), self.tree)) if chosen else (self.unwanted.listed(),)

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
            if not any(made) and not left_in(self._store.folder):
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
        from elastictm.session.travelling import packed  # noqa: PLC0415 - recording does without

        past = packed(self.room(), self.tree, writer)
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
        if self.upkeep is not None:
            self.upkeep.bound()

    def crate(self, folder: Path) -> CrateWriter:
        """What packs values for another process; what the store has of them is not copied."""
        assert self._store is not None  # noqa: S101 - it has a folder
        if self.keeper is not None:
            self.keeper.flush()
        return self._store.crate(folder)

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
        keeper = self.keeper
        if keeper is None:
            try:
                keeper = self._keep_in(self._stores.create(self._clock.now()))
            except (DestinationError, OSError) as error:
                self.trouble = f"the past is not kept: {error} Once that is mended, %past saving on begins with it."
                return
        whole, self._whole = self._whole, True  # what is interrupted or fails is kept with the next state
        if not keeper.keep(self._unkept, recorder, whole=whole):
            return
        if whole and len(self.tree) > 1:
            self._note_all(keeper)
        self._unkept.clear()
        self._whole = False
        if self.upkeep is not None:
            self.upkeep.weigh()

    def _keep_in(self, store: Store) -> Keeper:
        """Keep states in a store from now on."""
        self._store = store
        self.keeper = Keeper(store, self._host, self._patience, self._faithful, self.unwanted)
        self._room = ReadingRoom(store, self.keeper, self.tree, self._host)
        self.upkeep = Upkeep(store, self._stores, self.keeper, self.tree, self._settings, self._tell)
        return self.keeper

    def _tell(self, lines: Iterable[str]) -> None:
        self._news += lines

    def fit(self) -> Iterator[str]:
        """Have the budget hold at once; tells what that took, and what takes up more than there is room for."""
        if self.upkeep is None:
            yield "it holds from the first state of this session on"
            return
        yield from self.upkeep.fit()
        yield from self.news()

    def too_much(self, budget: int) -> list[Found]:
        """The pasts of sessions that ended for which a budget would have no room."""
        return self._stores.oldest(self._stores.size - budget)

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

    @property
    def is_written(self) -> bool:
        """Whether nothing is on its way to the disk, so that listing states waits for nothing."""
        return self._room is None or self._room.is_quiet

    def timeline(self, *, everything: bool = False, in_passing: bool = False) -> Timeline:
        """The states, with what going to each of them costs; ``in_passing`` as far as that is soon known."""
        written, fares = self._room.seen() if self._room is not None else ({}, {})
        guessed: RunNumber | None = None
        unread = ""
        missing: tuple[str, ...] = ()
        if self._room is not None and (not in_passing or self.is_written):
            wanted = {state.n for state in listed(self.tree, everything=everything)}
            try:
                written, missing = self._room.written()
                fares, guessed = self._room.fared(self._at_hand(), wanted, self._clock.elapsed, in_passing=in_passing)
            except ArchiveError as error:
                unread = f"what was kept cannot be read: {error}"
        rerun = {n: fare.rerun for n, fare in fares.items() if fare.rerun}
        costs = Costs(written, rerun, {n: fare.lost for n, fare in fares.items() if fare.lost})
        shown = timeline(self.name, self.tree, self._clock.now(), costs, everything=everything)
        off = "" if self.saving or self._trouble() else self.switched()
        guess = "" if guessed is None else f"what going to states up to {guessed} takes is a guess"
        doubts = assumed(self.tree[state.n] for state in shown.states)
        notes = (*filter(None, [self._trouble(), unread, guess]), *doubts)
        return replace(shown, notes=notes, gaps=(*missing, *filter(None, [off])))

    def _at_hand(self) -> set[Version]:
        """The versions that going to another state need not get from anywhere."""
        live = self.tree.history(self.tree.at).live if self.tree.at is not None else {}
        here = {record.version for name, record in live.items() if name not in self._lapses}
        return here | set(self._passage.parked) | set(self._passage.threads.running())

    def tag(self, name: str, n: RunNumber | None) -> str:
        """Call a state by a name from now on, with None the name goes; returns in words what was done.

        Raises:
            UsageError: the name cannot be told from other words, or is not there to go.
        """
        n, words = tagged(self.tree, name, n)
        self._note(p.Pack(marks={name: n}))
        return words

    def room(self) -> ReadingRoom:
        """Where the states that were kept are read.

        Raises:
            UsageError: nothing was kept.
        """
        if self._room is None:
            raise UsageError(self.trouble or "nothing of this session was kept yet: no cell has run, or saving is off")
        return self._room

    def go(
        self, n: RunNumber, recorder: Recorder, circumstances: Circumstances, watch: Watch, *, allow_effects: bool
    ) -> Restored:
        """Rebuild a state in place of the one that is here.

        Raises:
            ArchiveError: what was kept cannot be read.
            RestoreFailed: it stopped half way; the session is as it was.
        """
        room = self.room()
        restored = self._passage.go(n, room, self.tree, recorder, circumstances, watch, allow_effects=allow_effects)
        if self.keeper is not None:
            self.keeper.moved()
        self._arrive(restored)
        self._news += self._passage.burden(self.tree, recorder.freezer.around)
        return restored

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

    def _note_all(self, keeper: Keeper) -> None:
        """Have on disk what the store was not told while nothing was kept, or another one was."""
        tree = self.tree
        learned = tuple(p.Learned(remark.n, remark.text) for remark in tree.remarks)
        pack = p.Pack(marks=dict(tree.tags), forgotten=tuple(sorted(tree.forgotten)), remarks=learned)
        if pack != p.Pack():
            keeper.note((), pack)

    def leave(self, recorder: Recorder) -> None:
        """Have a state of what is here now, should something have changed it since the last cell ended."""
        last = next(reversed(recorder.settled().runs), None)
        if last is None:
            return
        if last.n in self.tree and last.settings != self.tree[last.n].run.settings:
            # Nothing but settings was changed; they have a state of their own.
            n = RunNumber(max(self._host.execution_count, (self.tree.latest or 0) + 1))
            last = CellRun(n, "", self._clock.now(), 0.0, settings=last.settings, unrepeatable=(BY_NO_CELL,))
        if last.n not in self.tree and (last.writes or last.deletes or last.settings):
            recorder.take(last)
            self.follow(recorder.history, recorder)
