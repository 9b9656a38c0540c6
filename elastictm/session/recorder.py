"""The recorder: from the hooks around a cell to one more cell run in the history."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Name, RunNumber
from elastictm.model.names import CodeNames, names_of_cell
from elastictm.model.records import BY_NO_CELL, STILL_RUNNING, CellRun, Effect, VersionRecord
from elastictm.session import generators
from elastictm.session.ambient import may_look_at_figures
from elastictm.session.cells import FinishedCell, described, merged, status_of
from elastictm.session.changes import ChangeDetector, Question
from elastictm.session.clock import Clock, SystemClock
from elastictm.session.effects import EffectWatch, Seen, describe_files
from elastictm.session.host import Host, variables
from elastictm.session.lingering import Lingering
from elastictm.session.own_code import OwnCode
from elastictm.session.reach import reach
from elastictm.session.repeating import Code, reasons_in_code
from elastictm.session.tracked import Mentions, Variables
from elastictm.session.waiting import Waiting
from elastictm.values.kinds import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from elastictm.model.history import History
    from elastictm.session.ambient import OwnModules
    from elastictm.session.circumstances.circumstances import Circumstances
    from elastictm.session.standing import Arrived
    from elastictm.settings import Settings
    from elastictm.values.freeze import Freezer

__all__ = ["Clock", "FinishedCell", "Recorder", "SystemClock"]

_NO_NAMES: Final = CodeNames(frozenset(), frozenset(), frozenset(), frozenset())
_FIRST_LOOK_SECONDS: Final = 2.0
"""How long the first look at a session that is already there may take."""
_FILE_CLOCK_SECONDS: Final = 0.01
"""By how much the clock that stamps files may lag behind."""


@dataclass(slots=True)
class _Budget:
    """The time that recording may take."""

    session: float = 0.0
    spent: float = 0.0

    def allowance(self, settings: Settings) -> float:
        return max(settings.recording_floor, settings.recording_share * self.session - self.spent)


@dataclass(slots=True)
class _Outside:
    """What may have changed the variables between cells.

    ``names`` were changed, or used by code that is no cell run, ``inner`` by such code that the running cell ran;
    ``everything`` tells that nobody knows what ran.
    """

    names: frozenset[Name] = frozenset()
    inner: frozenset[Name] = frozenset()
    everything: bool = False


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
        self._detector = ChangeDetector(Variables(), freezer, clock.elapsed)
        self._budget = _Budget()
        self._random: dict[str, Any] = {}
        self._running = ""
        self._depth = 0
        self._provisional: CellRun | None = None
        self._started: tuple[float, float] | None = None
        self._lingering = Lingering()
        self._waiting = Waiting(host.namespace, lambda: host.callbacks)
        self._outside = _Outside()
        self._own_code = OwnCode(self.modules.names)
        self._blind = False
        self._taken = RunNumber(-1)
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
        self._outside = _Outside()
        self._history = history
        self.look_later()

    def look_around(self, arrived: Iterable[Arrived]) -> None:
        """After going to another state: what is as it was stays known, what ``arrived`` is not looked at."""
        history = self._history
        for group in arrived:
            self._detector.trust(group, history, variables(self._host))
        asked = Question(RunNumber(-1), variables(self._host), frozenset(), (), _FIRST_LOOK_SECONDS)
        self._detector.compare(asked)
        for name, record in history.live.items():
            tracked = self.variables.get(name)
            if tracked is not None and tracked.record.n != record.n:
                tracked.record = replace(tracked.record, n=record.n)
        self._blind = False

    def before(self, source: str) -> None:
        """A cell is about to run: whatever goes wrong in here is noted, and the worst assumed of the cell."""
        if self._started is not None and self._is_inside_cell():
            self._depth += 1  # the cell that is running ran another one
            return
        try:
            self.begin()
            if self._started is not None:
                self._outside.everything = True  # a cell whose end was never told
            if self._blind:
                self.adopt()
            self._look_outside()
            self._lingering.before()
            self._random = generators.look()
            self.modules.patches.foresee(source, self._host.namespace)
        except BaseException as error:  # noqa: BLE001 - see after()
            self._failure("before a cell", error)
            self._blind = True
        self._depth = 0
        self._running = source
        self._watch.start()
        self._started = (self._clock.now(), self._clock.elapsed())

    def start_clock(self) -> None:
        """The cell that was announced begins only now."""
        if self._started is not None and not self._depth:
            self._started = (self._clock.now(), self._clock.elapsed())

    def settled(self) -> History:
        """The history of all that exists now, be it of the cell that is running, or of none that is known."""
        self.begin()
        running = self._started is not None
        if not running:
            self._look_outside()
            if not (self._outside.names or self._outside.everything or self._blind):
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

    def restless(self) -> frozenset[Name]:
        """What threads, tasks and callbacks that cells left behind may have changed since the last cell run ended."""
        found = reach(self._lingering.names(), self.variables)
        return frozenset(self.variables) if found.opaque else found.names | self._called_between()

    def unrecorded(self, code: Callable[[], str]) -> None:
        """Code has run that is no cell run, yet may have changed what its names reach."""
        try:
            names = names_of_cell(self._host.transform(code()), self._host.transform)
            if names is None:
                return
            found = reach(names.loads | names.deletes | names.stores, self.variables)
            used = frozenset(self.variables) if names.opaque or found.opaque else found.names
            if self._started is not None:
                self._outside.inner |= used
            else:
                self._outside.names |= used | self._moved()
        except BaseException as error:  # noqa: BLE001 - see after()
            self._failure("after code that is no cell", error)
            self._outside.everything = True

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
            self._outside = _Outside()
            return self._worst(run, self._failure(f"recording cell run {run.n}", problem))

    def _recorded(self, run: CellRun, cell: FinishedCell, seen: Seen) -> CellRun:
        settings = self._settings()
        names = names_of_cell(cell.code or cell.source, self._host.transform) if cell.parsed else _NO_NAMES
        if names is None:
            names = replace(_NO_NAMES, opaque=("its code could not be read",))
        before = self.variables
        outside, self._outside = self._outside, _Outside()
        reads = reach(names.reads, before)
        loads = reach(names.loads | names.deletes, before)
        left_behind = reach(self._lingering.names(), before).names
        opaque = tuple(dict.fromkeys((*names.opaque, *loads.opaque)))
        held = self.modules.patches.named
        by_library = frozenset(name for name in before if before[name].identity in held) if held else frozenset()
        reached = loads.names | left_behind | outside.names | outside.inner | by_library
        if opaque or outside.everything:
            reached = frozenset(before)
        read_names = frozenset(before) if names.opaque or reads.opaque else reads.names
        versions = {name: before[name].record.version for name in read_names}
        stored = frozenset(before) if names.opaque or names.opaque_stores else names.stores | outside.names
        values = variables(self._host)
        code = Code(run.source, cell.code or cell.source, names, loads)
        shown = reasons_in_code(code, before, values, self._host.transform, self._random, self._own_code)
        # Functions that the cell itself defines may do what its names do not show.
        unknown = opaque or outside.everything or "lambda" in code.python or "def " in code.python
        beside = left_behind | outside.names | outside.inner
        brought = Mentions(loads.mentioned | names.stores, (), loads.unrepeatable, ordered=loads.ordered)
        seconds = self._budget.allowance(settings)
        asked = Question(run.n, values, reached, stored, seconds, None if unknown or beside else brought)
        changes = self._detector.compare(asked)
        self.modules.patches.meet(self.variables)
        written = frozenset(record.name for record in changes.writes)
        live, draws = self._history.live, may_look_at_figures(values, read_names)
        # What a cell changes in place without naming it was there before, and another run needs it.
        versions |= {x: live[x].version for x in changes.beside if x in live and (draws or x in written)}
        reasons = dict.fromkeys((*shown, *_reasons_beside(run, written | frozenset(changes.deletes), outside)))
        if left_behind:
            reasons["a thread was running beside it"] = None
        self._lingering.after(reached | written)
        self._waiting.after(loads.names | written, self._identities)
        named, unheard = self._named_files(run.started, seen, names)
        return replace(
            run,
            reads=tuple(sorted(versions.values())),
            writes=changes.writes,
            deletes=changes.deletes,
            groups=changes.groups,
            created=changes.created,
            files=describe_files({**seen.opened, **named}, settings.digest_limit),
            effects=(*run.effects, *unheard),
            random=generators.changed(self._random),
            settings=self._circumstances.changed(self.freezer),
            unrepeatable=tuple(reasons),
            notes=(*changes.notes, *(f"may touch every variable: {reason}" for reason in opaque)),
        )

    def _named_files(self, started: float, seen: Seen, names: CodeNames) -> tuple[dict[str, str], list[Effect]]:
        """What a cell did to files that its code names but that nobody heard it open, as libraries in C do.

        Files that were opened by another path than the relative one in the code are found where the code says.
        """
        found: dict[str, str] = {}
        effects: list[Effect] = []
        for text in names.constants:
            try:
                path = os.path.abspath(text)  # noqa: PTH100 - as the watch calls files
                if path not in seen.opened and f"{path}.py" in seen.opened:
                    path = f"{path}.py"  # as %run takes it
                if path in seen.opened:
                    if os.path.isabs(seen.opened[path]) and not os.path.isabs(text):  # noqa: PTH117 - text, no path yet
                        found[path] = os.path.relpath(path)
                    continue
                if path in seen.changed or not self._watch.concerns(path):
                    continue
                if not Path(path).is_file():
                    continue
                written = Path(path).stat().st_mtime > started - _FILE_CLOCK_SECONDS
            except (OSError, ValueError):
                continue
            if written:
                effects.append(Effect("write", path))
            else:
                found[path] = text
        return found, effects

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

    def _look_outside(self) -> None:
        """Note what changed, or was in reach of callbacks, since the last cell run ended, and whether by known code."""
        moved = self._moved()
        self._waiting.before(self._identities)
        called = self._called_between()
        known = self._outside.names | called | self._waiting.names
        if moved - known - reach(self._lingering.names(), self.variables).names:
            self._outside.everything = True
        self._outside.names |= moved | called

    def _called_between(self) -> frozenset[Name]:
        """The variables that callbacks could come at since the last cell run ended."""
        if not (self._waiting.names or self._waiting.opaque):
            return frozenset()
        found = reach(self._waiting.names, self.variables)
        return frozenset(self.variables) if found.opaque or self._waiting.opaque else found.names

    def _identities(self) -> dict[int, Name]:
        return {self.variables[name].identity: name for name in self.variables}

    def _moved(self) -> frozenset[Name]:
        """The names that are not bound as they were when the last cell run ended."""
        now = variables(self._host)
        known = self.variables
        moved = {name for name in known if name not in now or id(now[name]) != known[name].identity}
        return frozenset(moved | (now.keys() - set(known)))

    def _is_inside_cell(self) -> bool:
        """Whether code of the user's is running at this moment."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the public functions build much more
        while frame is not None:
            if frame.f_globals is self._host.namespace and frame.f_code.co_name == "<module>":
                return True
            frame = frame.f_back
        return False


def _reasons_beside(run: CellRun, changed: frozenset[Name], outside: _Outside) -> Iterator[str]:
    """What makes a cell run unrepeatable that its code does not show."""
    if run.status == "interrupted":
        yield "interrupted"
    if outside.everything:
        yield "something ran beside the cells"
    elif outside.names & changed:
        yield f"changed outside of cells: {', '.join(sorted(outside.names & changed)[:5])}"
