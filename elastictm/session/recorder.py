"""The recorder: from the hooks around a cell to one more cell run in the history."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import RunNumber
from elastictm.model.history import History
from elastictm.model.names import CodeNames, names_of_cell
from elastictm.model.records import BY_NO_CELL, STILL_RUNNING, CellRun, Effect, VersionRecord
from elastictm.session import generators
from elastictm.session.ambient import may_look_at_figures
from elastictm.session.between import Between, Outside
from elastictm.session.cells import FinishedCell, described, merged, status_of
from elastictm.session.changes import ChangeDetector, Question
from elastictm.session.clock import Clock, SystemClock
from elastictm.session.effects import EffectWatch, Seen, describe_files
from elastictm.session.host import Host, variables
from elastictm.session.named_files import named_files
from elastictm.session.own_code import OwnCode
from elastictm.session.reach import reach
from elastictm.session.repeating import Code, reasons_in_code
from elastictm.session.stars import bound_by_stars
from elastictm.session.tracked import Mentions, Variables
from elastictm.values.kinds import ATOMS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Thread
    from types import FrameType

    from elastictm.ids import Name
    from elastictm.session.ambient import OwnModules
    from elastictm.session.brought import Brought
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.standing import Arrived
    from elastictm.settings import Settings
from elastictm.values.freeze import Freezer

__all__ = ["Clock", "FinishedCell", "Recorder", "SystemClock"]

_NO_NAMES: Final = CodeNames(frozenset(), frozenset(), frozenset(), frozenset())
_FIRST_LOOK_SECONDS: Final = 2.0
"""How long the first look at a session that is already there may take."""


@dataclass(slots=True)
class _Budget:
    """The time that recording may take."""

    session: float = 0.0
    spent: float = 0.0

    def allowance(self, settings: Settings) -> float:
        return max(settings.recording_floor, settings.recording_share * self.session - self.spent)


class Recorder:
    """Records the cell runs of one session.

    Responsibilities:
    - before a cell: note the time and the random state, and listen for effects;
    - after it: find reads, writes, deletions and effects, and append the cell run;
    - keep every error of its own away from the user, and assume the worst instead.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with is passed in
        self,
        host: Host,
        history: History,
        freezer: Freezer,
        watch: EffectWatch,
        circumstances: Circumstances,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self._host = host
        self._history = history
        self._watch = watch
        self._circumstances = circumstances
        self._settings = settings
        self._clock = clock
        self._detector = ChangeDetector(Variables(), freezer, clock.worked)
        self._budget = _Budget()
        self._random: dict[str, Any] = {}
        self._running = ""
        self._depth = 0
        self._provisional: CellRun | None = None
        self._started: tuple[float, float] | None = None
        self._between = Between(host, self.variables)
        self._own_code = OwnCode(self.modules.names)
        self._blind = False
        self._taken = RunNumber(-1)
        self._brought: dict[str, Brought] = {}
        self.errors: list[str] = []
        self.suspended = False

    @property
    def variables(self) -> Variables:
        """What is remembered of the live variables."""
        return self._detector.variables

    @property
    def history(self) -> History:
        """The history that cell runs are appended to."""
        return self._history

    @property
    def modules(self) -> OwnModules:
        """What is remembered of the user's own modules."""
        return self._detector.modules

    @property
    def freezer(self) -> Freezer:
        """What freezes the session's values."""
        return self._detector.freezer

    def threads(self) -> Iterable[tuple[RunNumber, Thread]]:
        """The threads that still run, each with the cell run that left it running."""
        return self._between.threads()

    def begin(self) -> None:
        """Take what exists now for versions of cell run 0, once."""
        if self._history.last is not None:
            return
        run = CellRun(RunNumber(0), "", self._clock.now(), 0.0)
        try:
            asked = Question(run.n, variables(self._host), frozenset(), (), _FIRST_LOOK_SECONDS)
            changes = self._detector.compare(asked)
        except BaseException as error:  # noqa: BLE001 - see after()
            message = self._failure("taking stock of what was there", error)
            self._history.append(replace(run, writes=self._assumed(run.n), notes=(message,)))
            return
        self._history.append(
            replace(
                run,
                writes=changes.writes,
                groups=changes.groups,
                created=changes.created,
                settings=self._circumstances.changed(self.freezer),
                notes=changes.notes,
            )
        )

    def adopt(self) -> None:
        """After a restore: take the variables as they are for the versions that the history says are alive."""
        self._blind = True
        self._started = None
        self.variables.clear()
        asked = Question(RunNumber(-1), variables(self._host), frozenset(), (), _FIRST_LOOK_SECONDS)
        self._detector.compare(asked)
        live = self._history.live
        for name in list(self.variables):
            record = live.get(name)
            if record is None:
                # Without a version in the history it is new to it, and the next cell run will say so.
                self.variables.remove(name)
            else:
                tracked = self.variables[name]
                tracked.record = replace(tracked.record, n=record.n)
        self._blind = False

    def take(self, run: CellRun) -> None:
        """Have a run that was ``settled`` in the history, as one of its own."""
        self._history.append(run)
        self._provisional = None

    def look_later(self) -> None:
        """Another session is here: unless somebody looks at it before, that is done before the next cell."""
        self._blind = True

    def moved(self, history: History, taken: RunNumber) -> None:
        """Another state is here: go on from its history; cell runs on other branches have numbers up to ``taken``."""
        self._taken = taken
        self._started = None
        self._provisional = None
        self._between.outside = Outside()
        self._history = history
        self.look_later()

    def look_around(self, arrived: Iterable[Arrived]) -> None:
        """After going to another state: what is as it was stays known, what ``arrived`` is not looked at."""
        history = self._history
        for group in arrived:
            self._detector.trust(group, history, variables(self._host))
        values = variables(self._host)
        asked = Question(RunNumber(-1), values, self._in_mixed_company(history, values), (), _FIRST_LOOK_SECONDS)
        self._detector.compare(asked)
        for name, record in history.live.items():
            tracked = self.variables.get(name)
            if tracked is not None and tracked.record.n != record.n:
                tracked.record = replace(tracked.record, n=record.n)
        self._blind = False

    def _in_mixed_company(self, history: History, values: Mapping[Name, Any]) -> frozenset[Name]:
        """The variables in groups of which some members stayed and others came: they may share data by now."""
        new = {name for name, value in values.items() if not self.variables.holds(name, value)}
        companies = [{version.name for version in group} for group in history.live_groups()]
        return frozenset().union(*(company for company in companies if not company.isdisjoint(new)))

    @property
    def has_begun(self) -> bool:
        """Whether a cell is known to run."""
        return self._started is not None

    def before(self, source: str) -> None:
        """A cell is about to run: whatever goes wrong in here is noted, and the worst assumed of the cell."""
        if self._started is not None and self._is_inside_cell():
            self._depth += 1  # the cell that is running ran another one
            return
        try:
            self.begin()
            if self._started is not None:
                self._between.outside.everything = True  # a cell whose end was never told
            if self._blind:
                self.adopt()
            self._between.look()
            self._between.begin()
            self._random = generators.look()
            self.modules.patches.foresee(source, self._host.namespace)
        except BaseException as error:  # noqa: BLE001 - see after()
            self._failure("before a cell", error)
            self._blind = True
        self._depth = 0
        self._running = source
        self._watch.start()
        self._brought = {}
        self._started = (self._clock.now(), self._clock.elapsed())

    @contextmanager
    def undrawn(self) -> Iterator[None]:
        """Of the generators of random numbers that are loaded inside, none counts as drawn from by the cell."""
        here = generators.look()
        yield
        self._random |= {name: state for name, state in generators.look().items() if name not in here}

    def start_clock(self) -> None:
        """The cell that was announced begins only now."""
        if self._started is not None and not self._depth:
            self._started = (self._clock.now(), self._clock.elapsed())

    def settled(self) -> History:
        """The history of all that exists now, be it of the cell that is running, or of none that is known."""
        self.begin()
        running = self._started is not None
        if not running:
            self._between.look()
            if not (self._between.outside or self._blind):
                return self._so_far().left_with(self._circumstances.changed(self.freezer, remember=False))
        n = RunNumber(self._host.execution_count - (1 if running else 0))
        source = self._running if running else ""
        cell = FinishedCell(n, source, self._host.transform(source), None, parsed=True)
        now = self._clock.elapsed()
        started, since = self._started or (self._clock.now(), now)
        run = self._made(cell, started, now - since, Seen({}, ()))
        if running or run.writes or run.deletes:
            reason = STILL_RUNNING if running else BY_NO_CELL
            run = replace(run, unrepeatable=(*run.unrepeatable, reason), random=())
            self._provisional = merged(self._provisional, run)
        elif run.settings:
            # The next cell run would not see them again.
            alone = CellRun(run.n, "", run.started, 0.0, settings=run.settings)
            self._provisional = merged(self._provisional, alone)
        return self._so_far()

    def _so_far(self) -> History:
        """The history, with what was found since the last cell run in it."""
        return self._history if self._provisional is None else self._history.followed_by(self._provisional)

    def bring(self, future: str, brought: Brought) -> None:
        """The cell that runs took in what was made aside as a future."""
        self._brought[future] = brought

    def begin_with(self, names: frozenset[Name]) -> History:
        """Variables came in the place of others before any cell has run: the history begins anew, with them."""
        (first,), values = self._history.runs, variables(self._host)
        # What is no plain number or text may share data with anything: all is looked at anew.
        new = names if all(type(values[name]) in ATOMS for name in names) else names.union(self.variables)
        for name in new.intersection(self.variables):
            self.variables.remove(name)
        changes = self._detector.compare(Question(first.n, values, frozenset(), (), _FIRST_LOOK_SECONDS))
        writes = (*(record for record in first.writes if record.name not in new), *changes.writes)
        groups = (group for group in first.groups if not any(version.name in new for version in group))
        self._history = History()
        self._history.append(
            replace(
                first,
                writes=writes,
                groups=(*groups, *changes.groups),
                created=(*first.created, *changes.created),
                notes=(*first.notes, *changes.notes),
            )
        )
        return self._history

    def unrecorded(self, code: Callable[[], str]) -> None:
        """Code has run that is no cell run, yet may have changed what its names reach."""
        try:
            names = names_of_cell(self._host.transform(code()), self._host.transform)
            if names is None:
                return
            self._between.ran(names, inside=self._started is not None)
        except BaseException as error:  # noqa: BLE001 - see after()
            self._failure("after code that is no cell", error)
            self._between.outside.everything = True

    def after(self, cell: FinishedCell) -> None:
        """A cell has run: whatever goes wrong in here is noted, and the worst assumed."""
        if self._depth:
            self._depth -= 1
            return
        began = self._clock.elapsed()
        seen = self._watch.stop()
        if self._started is None:
            # The cell that switched recording on: what it leaves behind existed before the first recorded cell.
            self.begin()
            return
        started, watch_started = self._started
        self._started = None
        self._budget.session += began - watch_started
        run = self._made(cell, started, began - watch_started, seen)
        self._history.append(merged(self._provisional, run))
        self._provisional = None
        self._budget.spent += self._clock.elapsed() - began

    def _made(self, cell: FinishedCell, started: float, seconds: float, seen: Seen) -> CellRun:
        """The record of a cell run: of what is known, or of the worst that could be."""
        code = cell.code if cell.code not in {cell.source, cell.source + "\n"} else None
        error = None if cell.error is None else described(cell.error)
        run = CellRun(
            self._next(cell.n), cell.source, started, seconds, status_of(cell), code, error, effects=seen.effects
        )
        if self._blind:
            return self._worst(run, "it could not be watched")
        try:
            return self._recorded(run, cell, seen)
        except BaseException as problem:  # noqa: BLE001 - the boundary that keeps recording out of the user's cell
            self._between.outside = Outside()
            return self._worst(run, self._failure(f"recording cell run {run.n}", problem))

    def _recorded(self, run: CellRun, cell: FinishedCell, seen: Seen) -> CellRun:
        settings = self._settings()
        names = names_of_cell(cell.code or cell.source, self._host.transform) if cell.parsed else _NO_NAMES
        if names is None:
            names = replace(_NO_NAMES, opaque=("its code could not be read",))
        before = self.variables
        outside, self._between.outside = self._between.outside, Outside()
        reads = reach(names.reads, before)
        loads = reach(names.loads | names.deletes, before)
        left_behind = self._between.left_behind()
        opaque = tuple(dict.fromkeys((*names.opaque, *loads.opaque)))
        held = self.modules.patches.named
        by_library = frozenset(name for name in before if before[name].identity in held) if held else frozenset()
        reached = loads.names | left_behind | outside.names | outside.inner | by_library
        if opaque or outside.everything:
            reached = frozenset(before)
        known = {name: before[name].record.version for name in before}
        read_names = frozenset(before) if names.opaque or reads.opaque else reads.names
        versions = {name: known[name] for name in read_names}
        stars = bound_by_stars(names.stars)
        bound = None if names.opaque or names.opaque_stores or stars is None else names.stores | stars
        stored = frozenset(before) if bound is None else bound | outside.names
        values = variables(self._host)
        code = Code(run.source, cell.code or cell.source, names, loads)
        shown = reasons_in_code(code, before, values, self._host.transform, self._random, self._own_code)
        # Functions that the cell itself defines may do what its names do not show.
        unknown = opaque or outside.everything or "lambda" in code.python or "def " in code.python
        beside = left_behind | outside.names | outside.inner
        brought = Mentions(loads.mentioned | (bound or names.stores), (), loads.unrepeatable, ordered=loads.ordered)
        seconds = self._budget.allowance(settings)
        asked = Question(run.n, values, reached, stored, seconds, None if unknown or beside else brought)
        changes = self._detector.compare(asked)
        self.modules.patches.meet(self.variables)
        written = frozenset(record.name for record in changes.writes)
        live, draws = self._history.live, may_look_at_figures(values, read_names)
        # What a cell changes in place without naming it was there before, and another run needs it.
        versions |= {x: live[x].version for x in changes.beside if x in live and (draws or x in written)}
        versions |= {x: live[x].version for x in changes.in_place if x in live}
        reasons = dict.fromkeys(shown)
        if run.status == "interrupted":
            reasons["interrupted"] = None
        reasons.update(dict.fromkeys(outside.reasons(written.union(changes.deletes))))
        if left_behind:
            reasons["a thread was running beside it"] = None
        deeds: dict[Effect, None] = {}
        for future, taken in self._brought.items():
            versions |= {version.name: version for version in taken.reads if self._history.knows(version)}
            deeds.update(dict.fromkeys(taken.effects))
            reasons.update(dict.fromkeys(taken.reasons_for(future, known)))
        self._between.end(reached | written, loads.names | written, run.n)
        named, unheard = named_files(names.constants, seen, run.started, self._watch.concerns)
        return replace(
            run,
            reads=tuple(sorted(versions.values())),
            writes=changes.writes,
            deletes=changes.deletes,
            groups=changes.groups,
            created=changes.created,
            files=(
                *describe_files({**seen.opened, **named}, settings.digest_limit),
                *(file for taken in self._brought.values() for file in taken.files),
            ),
            effects=(*run.effects, *unheard, *deeds),
            random=generators.changed(self._random),
            settings=self._circumstances.changed(self.freezer),
            unrepeatable=tuple(reasons),
            notes=(*changes.notes, *(f"may touch every variable: {reason}" for reason in opaque)),
            asides=tuple(aside for taken in self._brought.values() for aside in taken.aside_for(known)),
        )

    def _worst(self, run: CellRun, why: str) -> CellRun:
        """A cell run whose recording failed: it may have read and written everything."""
        live = self._history.live
        versions = tuple(sorted(record.version for record in live.values()))
        writes = self._assumed(run.n)
        written = {record.name for record in writes}
        return replace(
            run,
            reads=versions,
            writes=writes,
            deletes=tuple(name for name in live if name not in written),
            unrepeatable=("it was not recorded fully",),
            notes=(f"{why}; every variable is assumed written",),
        )

    def _assumed(self, n: RunNumber) -> tuple[VersionRecord, ...]:
        """Every variable taken for written, unseen; before the next cell they are looked at."""
        self._blind = True
        values = variables(self._host)
        records = {
            name: VersionRecord(name, n, type_name(value), 0, 0.0, assumed=True) for name, value in values.items()
        }
        self._detector.assume(records, values)
        return tuple(records.values())

    def _failure(self, what: str, error: BaseException) -> str:
        message = f"{what} failed: {described(error)}"
        if message not in self.errors:
            self.errors.append(message)
        return message

    def _next(self, count: int) -> RunNumber:
        """The number of this cell run: its execution count, unless the shell's count went back."""
        last = max(self._taken, self._history.last.n if self._history.last is not None else RunNumber(-1))
        return RunNumber(max(count, last + 1))

    def _is_inside_cell(self) -> bool:
        """Whether code of the user's is running at this moment."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the public functions build much more
        while frame is not None:
            if frame.f_globals is self._host.namespace and frame.f_code.co_name == "<module>":
                return True
            frame = frame.f_back
        return False
