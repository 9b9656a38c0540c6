"""Keeping the past: what each cell run changed goes into the store, small things at once, large ones in a thread.

The bytes of streams are copies; buffers are views of the session's own memory, which the next cell may change, so it
waits until they are stored.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from elastictm.errors import ArchiveError, ElasticTMError
from elastictm.ids import DefinitionKey, Name, RunNumber
from elastictm.model.records import RandomState
from elastictm.session import generators
from elastictm.session.background import Background
from elastictm.session.environment import describe_environment
from elastictm.session.host import Host, variables
from elastictm.session.modules_kept import ModulesKept
from elastictm.session.packing import packed
from elastictm.session.patience import Patience
from elastictm.session.states import NOT_KEPT, NOT_WANTED
from elastictm.session.stock import NO_TIME, Stock, take_stock_of
from elastictm.storage import manifest as m
from elastictm.storage import pack as p
from elastictm.values.collecting import no_collections
from elastictm.values.freeze import FrozenGroup, Unit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from elastictm.model.records import CellRun
    from elastictm.model.tree import State
    from elastictm.session.recorder import Recorder
    from elastictm.session.tracked import Variables
    from elastictm.session.unwanted import Unwanted
    from elastictm.storage.manifest import Blob
    from elastictm.storage.pack_writer import PackWriter
    from elastictm.storage.store import Store
    from elastictm.values.source import SourceLibrary

_AT_ONCE: Final = 2**20
"""Bytes that are written before the prompt is back."""

UNSURE: Final = f"{NOT_KEPT}: there was no time to see whether its class brings it back as it is"


@dataclass(frozen=True, slots=True)
class _Parcel:
    """Groups that are written together, with the version of each name; ``at`` is the cell run they come from."""

    at: RunNumber
    groups: tuple[FrozenGroup, ...]
    versions: Mapping[Name, RunNumber]

    def put(self, store: Callable[[object], Blob]) -> tuple[p.Kept, ...]:
        """Store the bytes."""
        return tuple(self._kept(group, group.unit, store) for group in self.groups if group.unit is not None)

    def _kept(self, group: FrozenGroup, unit: Unit, store: Callable[[object], Blob]) -> p.Kept:
        parts = [group.parts[name] for name in unit.names]
        return p.Kept(
            at=self.at,
            unit=packed(unit, store),
            ns=tuple(self.versions[name] for name in unit.names),
            sizes=tuple(part.size for part in parts),
            seconds=tuple(part.seconds for part in parts),
            fingerprints=tuple(part.digest for part in parts),
            flaws={name: f"{flaw.path} {flaw.reason}" for name, flaw in group.flaws.items()},
        )


class Keeper:
    """Writes states of one session into its store.

    Responsibilities:
    - freeze what a cell run changed, and write it;
    - have the session's memory stored before anything may change it;
    - stop with one clear line where the store cannot be written.

    ``stopped`` says why nothing is kept any more; empty while all is well.
    ``unweighed`` are bytes that were written since somebody last looked whether all of it is worth its space.
    """

    def __init__(
        self,
        store: Store,
        host: Host,
        patience: Patience,
        faithful: Callable[[Stock, Mapping[Name, Any]], Stock],
        unwanted: Unwanted,
    ) -> None:
        self._store = store
        self._host = host
        self._patience = patience
        self._faithful = faithful
        self._defined: dict[DefinitionKey, tuple[bytes, tuple[DefinitionKey, ...]]] = {}
        self._drawn: dict[str, Any] = {}
        self._texts: dict[str, str] = {}
        self._modules: set[str] | None = None
        self._own = ModulesKept()
        self._background = Background()
        self._unwanted = unwanted
        self.merges = 0
        self.unweighed = 0
        self.stopped = ""
        self._next: RunNumber | None = None

    def keep(self, states: Sequence[State], recorder: Recorder, *, whole: bool) -> bool:
        """Have states on disk, or on their way there, and the bytes of what the last of them changed.

        With ``whole`` it is the bytes of all that is alive: nobody kept what came before.  Returns whether it was done.
        """
        return self._done(lambda: self._keep(states, recorder, whole=whole), states)

    def note(self, states: Sequence[State], pack: p.Pack) -> bool:
        """Have states that changed nothing on disk, and what else a pack says; returns whether it was done."""
        return self._done(lambda: self._note(states, pack), states)

    def resume(self) -> None:
        """Keep again after something went wrong; nobody knows what of the last things was written."""
        self.flush()
        self.stopped, self._background.trouble = "", None
        self._texts.clear()
        self.moved()

    def settle(self) -> None:
        """Wait until no view of the session's memory is needed any more."""
        self._background.settle()
        self._look_for_trouble()

    @property
    def idle(self) -> bool:
        """Whether all is written."""
        return self._background.idle

    def flush(self) -> None:
        """Wait until all is written."""
        self._background.flush()
        self._look_for_trouble()

    def close(self) -> None:
        """Write what is left, and let go of the store."""
        self._background.close()
        self._store.close()

    def moved(self) -> None:
        """The session stands on another line: what definitions and modules look like there is not remembered."""
        self._defined.clear()
        self._drawn.clear()
        self._own.forget()

    def later(self, job: Callable[[], None]) -> None:
        """Have something done that works on the store, after all that waits to be written."""

        def work(_: Callable[[], None]) -> None:
            job()
            self.merges += 1

        self._background.add(work)

    def _done(self, work: Callable[[], None], states: Sequence[State]) -> bool:
        """Do what writes states, unless nothing is kept any more; returns whether it was done."""
        if not self.stopped:
            try:
                work()
            except (OSError, ArchiveError) as error:
                self._next = states[0].n if states else self._next
                self._stop(error)
            else:
                self._next = RunNumber(states[-1].n + 1) if states else self._next
        return not self.stopped

    def _note(self, states: Sequence[State], pack: p.Pack) -> None:
        with self._store.writer() as writer:
            store = _storing(writer)
            writer.commit(replace(pack, states=tuple(_bare(state, store) for state in states)))

    def _keep(self, states: Sequence[State], recorder: Recorder, *, whole: bool) -> None:
        state, values = states[-1], variables(self._host)
        run = state.run
        touched = dict.fromkeys((*(r.name for r in run.writes), *(v.name for group in run.groups for v in group)))
        once = bool(run.unrepeatable or run.effects)
        groups, refusals = self._wanted(values if whole else touched, recorder, values, once=once)
        needed = {key for each in states for version in each.run.settings for key in version.definitions}
        timed = partial(self._timed, recorder.variables, values, once=once)
        with no_collections():
            stock, late = take_stock_of(groups, values, recorder.variables, recorder.freezer, needed, timed)
        refusals.update({name: (name, NO_TIME) for name in late})
        stock = self._faithful(stock, values)
        refusals.update({name: (r.path, r.reason) for name, r in stock.refusals().items()})
        versions = {name: record.n for name, record in recorder.history.live.items()}
        small, large = _parted([group for group in stock.groups if group.parts])
        sources = recorder.freezer.around.sources
        with self._store.writer() as writer:
            store = _storing(writer)
            drawn = self._newly_drawn(whole=whole)
            record = replace(
                _bare(state, store),
                definitions=self._definitions(stock, store),
                refusals={str(name): refusal for name, refusal in refusals.items()},
                generators={now.generator: store(now.state) for now in drawn},
                groups=stock.ties,
                modules=self._own.sources(recorder, store),
                altered=self._own.altered(states, recorder, values),
            )
            kept = _Parcel(run.n, small, versions).put(store)
            named = (name for each in states for version in each.run.settings for name in version.sources)
            texts = self._new_texts(stock, sources, named)
            written = writer.commit(
                p.Pack(
                    states=(*(_bare(each, store) for each in states[:-1]), record),
                    kept=kept,
                    sources=store(msgspec.json.encode(texts)) if texts else m.NOTHING,
                )
            )
        self.unweighed += written.bytes
        if large:
            parcel = _Parcel(run.n, large, versions)
            self._background.add(lambda stored: self._write(parcel, stored))
        if self._has_new_modules(stock):
            # Looking through all that is installed takes a moment.
            self._background.add(self._describe)
        if self._store.merge_due():
            self._background.add(lambda _: self._merge())

    def _merge(self) -> None:
        """Have fewer files, with all that is in them."""
        due = self._store.merge_due()  # asked for again: an earlier job may have merged them
        if due:
            with suppress(ArchiveError):  # a damaged pack is told by who reads it, and not proposed again
                self._store.merge(due, lambda _: True)
                self.merges += 1

    def _write(self, parcel: _Parcel, stored: Callable[[], None]) -> None:
        """Write large groups; ``stored`` is called once their memory is not needed any more."""
        with self._store.writer() as writer:
            kept = parcel.put(_storing(writer))
            stored()
            self.unweighed += writer.commit(p.Pack(kept=kept)).bytes

    def _wanted(
        self, touched: Iterable[Name], recorder: Recorder, values: Mapping[Name, Any], *, once: bool
    ) -> tuple[list[list[Name]], dict[Name, tuple[str, str]]]:
        """The groups that names are in, and what of them is not to be kept."""
        tracked = recorder.variables
        groups: list[list[Name]] = []
        refusals: dict[Name, tuple[str, str]] = {}
        for group in tracked.groups_of(name for name in touched if name in values):
            names = [name for name in group.members if name in values]
            unwanted = [name for name in names if self._unwanted.has(name, values[name])]
            refusals.update({name: (name, NOT_WANTED) for name in unwanted})
            names = [name for name in names if name not in unwanted]
            # Of an assumed group, what is small is kept whatever the others take.
            if not group.within and self._patience.allowance(group, names, values, once=once) == 0.0:
                refusals.update({name: (name, NO_TIME) for name in names})
            elif names:
                groups.append(names)
        return groups, refusals

    def _timed(
        self, tracked: Variables, values: Mapping[Name, Any], names: Sequence[Name], *, once: bool
    ) -> AbstractContextManager[Callable[[], float] | None]:
        return self._patience.timed(tracked[names[0]].group, names, values, once=once)

    def _newly_drawn(self, *, whole: bool) -> tuple[RandomState, ...]:
        """The states of the random generators that no state before on this line has."""
        known = {} if whole else self._drawn
        self._drawn = generators.look()
        return generators.packed({name: state for name, state in self._drawn.items() if known.get(name) != state})

    def _definitions(self, stock: Stock, store: Callable[[object], Blob]) -> tuple[m.Definition, ...]:
        found: list[m.Definition] = []
        for key, unit in stock.definitions.items():
            content = unit.stream, unit.definitions
            if self._defined.get(key) != content:
                self._defined[key] = content
                found.append(m.Definition(key, packed(unit, store)))
        return tuple(found)

    def _new_texts(self, stock: Stock, sources: SourceLibrary, others: Iterable[str]) -> dict[str, str]:
        units = [*stock.definitions.values(), *(group.unit for group in stock.groups if group.unit is not None)]
        named = {name for unit in units for name in unit.sources}.union(others)
        texts = {name: text for name in named if (text := sources.text(name)) is not None}
        texts = {name: text for name, text in texts.items() if self._texts.get(name) != text}
        self._texts.update(texts)
        return texts

    def _has_new_modules(self, stock: Stock) -> bool:
        """Whether values name libraries that no state before did; of the first states they always do."""
        units = [*stock.definitions.values(), *(group.unit for group in stock.groups if group.unit is not None)]
        modules = {name for unit in units for name in unit.modules}
        known = self._modules is not None and modules <= self._modules
        self._modules = (self._modules or set()) | modules
        return not known

    def _describe(self, stored: Callable[[], None]) -> None:
        """Note which libraries there are, and in which versions; no cell waits for it."""
        stored()
        home = Path(self._store.about.directory)
        with self._store.writer() as writer:
            writer.commit(p.Pack(environment=describe_environment(self._modules or (), home)))

    def _look_for_trouble(self) -> None:
        if self._background.trouble is not None and not self.stopped:
            self._stop(self._background.trouble)

    def _stop(self, error: BaseException) -> None:
        self.stopped = f"the past is no longer kept: {error} Once that is mended, %past saving on goes on with it."
        if self._next is not None:
            # A full disk, say, may have room for that much; nobody has it told otherwise should the kernel end.
            with suppress(OSError, ElasticTMError):
                self._note((), p.Pack(pause=p.Pause(self._next, str(error).partition(". ")[0])))


def _bare(state: State, store: Callable[[object], Blob]) -> p.StateRecord:
    """A state without what is kept of it."""
    run = state.run
    return p.StateRecord(
        state.n, state.parent, store(msgspec.json.encode(run)), state.lapses, imported=_parts_imported(run)
    )


def _parts_imported(run: CellRun) -> tuple[str, ...]:
    """The parts of packages that a cell run imported by their whole names."""
    if "import" not in run.source:
        return ()
    from elastictm.session.baggage import parts_imported  # noqa: PLC0415 - few cells import anything

    return tuple(dict.fromkeys(name for name in parts_imported(run.code or run.source) if name in sys.modules))


def _storing(writer: PackWriter) -> Callable[[object], Blob]:
    """Stores streams, in which a change moves all that follows, otherwise than memory, in which it does not."""
    return lambda data: writer.put(data, flowing=isinstance(data, bytes))


def _parted(groups: Collection[FrozenGroup]) -> tuple[tuple[FrozenGroup, ...], tuple[FrozenGroup, ...]]:
    """The groups that are written at once, and those that take longer."""
    small: list[FrozenGroup] = []
    left = _AT_ONCE
    for group in sorted(groups, key=_size):
        left -= _size(group)
        if left < 0:
            break
        small.append(group)
    chosen = {id(group) for group in small}
    return tuple(small), tuple(group for group in groups if id(group) not in chosen)


def _size(group: FrozenGroup) -> int:
    return sum(part.size for part in group.parts.values())
