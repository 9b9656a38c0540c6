"""The recorder: from the hooks around a cell to one more cell run in the history."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from elastictm.ids import Name, RunNumber
from elastictm.model.history import History
from elastictm.model.names import CodeNames, names_of_cell
from elastictm.model.records import CellRun, Status, VersionRecord
from elastictm.session import generators
from elastictm.session.changes import ChangeDetector, Changes, Question
from elastictm.session.effects import EffectWatch, Seen, describe_files
from elastictm.session.host import Host, variables
from elastictm.session.reach import Reach, reach
from elastictm.session.tracked import Variables
from elastictm.settings import Settings
from elastictm.values.freeze import Freezer
from elastictm.values.kinds import type_name

_NO_NAMES = CodeNames(frozenset(), frozenset(), frozenset(), frozenset())
_FIRST_LOOK_SECONDS = 2.0
"""How long the first look at a session that is already there may take."""


class Clock(Protocol):
    """Time in seconds: a stopwatch and a calendar."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


@dataclass(frozen=True, slots=True)
class FinishedCell:
    """How a cell run ended, as the shell tells it; ``error`` is what it raised."""

    n: RunNumber
    source: str
    code: str | None
    error: BaseException | None
    parsed: bool


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

    def __init__(  # noqa: PLR0913 - what it works with is passed in
        self,
        host: Host,
        history: History,
        freezer: Freezer,
        watch: EffectWatch,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self._host = host
        self._history = history
        self._watch = watch
        self._settings = settings
        self._clock = clock
        self._detector = ChangeDetector(Variables(), freezer, clock.elapsed)
        self._budget = _Budget()
        self._random: dict[str, Any] = {}
        self._running = ""
        self._provisional: CellRun | None = None
        self._started: tuple[float, float] | None = None
        self._threads: dict[threading.Thread, frozenset[Name]] = {}
        self._known_threads: frozenset[threading.Thread] = frozenset()
        self._outside: frozenset[Name] = frozenset()
        self.errors: list[str] = []
        self.suspended = False

    @property
    def variables(self) -> Variables:
        """What is remembered of the live variables."""
        return self._detector.variables

    @property
    def freezer(self) -> Freezer:
        """What freezes the session's values."""
        return self._detector.freezer

    def begin(self) -> None:
        """Take what exists now for versions of cell run 0, once."""
        if self._history.last is not None:
            return
        values = variables(self._host)
        changes = self._detector.compare(Question(RunNumber(0), values, frozenset(), (), _FIRST_LOOK_SECONDS))
        run = CellRun(RunNumber(0), "", self._clock.now(), 0.0)
        self._history.append(
            replace(run, writes=changes.writes, groups=changes.groups, created=changes.created, notes=changes.notes)
        )

    def adopt(self) -> None:
        """After a restore: take the variables as they are for the versions that the history says are alive."""
        self._started = None
        for name in list(self.variables):
            self.variables.remove(name)
        self._detector.compare(Question(RunNumber(-1), variables(self._host), frozenset(), (), _FIRST_LOOK_SECONDS))
        live = self._history.live
        for name in list(self.variables):
            record = live.get(name)
            if record is None:
                # Without a version in the history it is new to it, and the next cell run will say so.
                self.variables.remove(name)
            else:
                tracked = self.variables[name]
                tracked.record = replace(tracked.record, n=record.n)

    def before(self, source: str) -> None:
        """A cell is about to run."""
        self.begin()
        self._running = source
        self._provisional = None
        self._outside |= self._changed_outside()
        self._known_threads = frozenset(threading.enumerate())
        self._random = generators.look()
        self._watch.start()
        self._started = (self._clock.now(), self._clock.elapsed())

    def settled(self) -> History:
        """The history of all that exists now, with the cell that is running, and with what no cell is known to have made."""
        self.begin()
        outside = self._changed_outside() if self._started is None else frozenset()
        if self._started is None and not outside:
            return self._history
        n = RunNumber(self._host.execution_count - (1 if self._started is not None else 0))
        cell = FinishedCell(n, self._running if self._started is not None else "", None, None, parsed=True)
        now = self._clock.elapsed()
        started, since = self._started or (self._clock.now(), now)
        self._outside |= outside
        run = self._recorded(cell, started, now - since, Seen({}, ()), self._settings())
        reason = "it was still running" if self._started is not None else "no recorded cell made this"
        run = replace(run, unrepeatable=(*run.unrepeatable, reason), random=())
        run = self._provisional = _merged(self._provisional, run)
        return self._history.followed_by(run)

    def unrecorded(self, code: str) -> None:
        """Code has run that is no cell run, yet may have changed what its names reach."""
        names = names_of_cell(code, self._host.transform)
        if names is None:
            return
        found = reach(names.loads | names.deletes | names.stores, self.variables)
        self._outside |= frozenset(self.variables) if names.opaque or found.opaque else found.names

    def after(self, cell: FinishedCell) -> None:
        """A cell has run: whatever goes wrong in here is noted, and the worst assumed."""
        seen = self._watch.stop()
        if self._started is None:
            # The cell that switched recording on: what it leaves behind existed before the first recorded cell.
            self.begin()
            return
        began = self._clock.elapsed()
        started, watch_started = self._started
        self._started = None
        seconds = began - watch_started
        self._budget.session += seconds
        settings = self._settings()
        try:
            run = self._recorded(cell, started, seconds, seen, settings)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary that keeps recording out of the user's cell
            run = self._worst(cell, started, seconds, error)
        self._history.append(_merged(self._provisional, run))
        self._provisional = None
        self._budget.spent += self._clock.elapsed() - began

    def _recorded(self, cell: FinishedCell, started: float, seconds: float, seen: Seen, settings: Settings) -> CellRun:
        n = self._next(cell.n)
        names = names_of_cell(cell.code or cell.source, self._host.transform) if cell.parsed else _NO_NAMES
        if names is None:
            names = replace(_NO_NAMES, opaque=("its code could not be read",))
        before = self.variables
        reads = reach(names.reads, before)
        loads = reach(names.loads | names.deletes, before)
        lingering = self._lingering()
        everything = bool(names.opaque or loads.opaque)
        outside, self._outside = self._outside, frozenset()
        reached = frozenset(before) if everything else loads.names | reach(lingering, before).names | outside
        read_names = frozenset(before) if names.opaque or reads.opaque else reads.names
        versions = tuple(sorted(before[name].record.version for name in read_names))
        values = variables(self._host)
        stored = frozenset(before) if names.opaque or names.opaque_stores else names.stores
        changes = self._detector.compare(
            Question(n, values, reached, stored, self._budget.allowance(settings))
        )
        self._follow_threads(reached | {record.name for record in changes.writes})
        files = describe_files(self._files(seen, names), settings.digest_limit)
        opaque = tuple(dict.fromkeys((*names.opaque, *loads.opaque)))
        return CellRun(
            n=n,
            source=cell.source,
            started=started,
            seconds=seconds,
            status=_status(cell),
            code=cell.code if cell.code not in {cell.source, cell.source + "\n"} else None,
            error=None if cell.error is None else f"{type(cell.error).__name__}: {cell.error}"[:1000],
            reads=versions,
            writes=changes.writes,
            deletes=changes.deletes,
            groups=changes.groups,
            created=changes.created,
            files=files,
            effects=seen.effects,
            random=generators.changed(self._random),
            unrepeatable=self._unrepeatable(names, loads, cell, outside),
            notes=(*changes.notes, *(f"may touch every variable: {reason}" for reason in opaque)),
        )

    def _unrepeatable(
        self, names: CodeNames, loads: Reach, cell: FinishedCell, outside: frozenset[Name]
    ) -> tuple[str, ...]:
        reasons = dict.fromkeys((*names.unrepeatable, *loads.unrepeatable))
        if _status(cell) == "interrupted":
            reasons["interrupted"] = None
        if outside:
            reasons[f"changed outside of cells: {', '.join(sorted(outside)[:5])}"] = None
        if self._lingering():
            reasons["a thread was running beside it"] = None
        return tuple(reasons)

    @staticmethod
    def _files(seen: Seen, names: CodeNames) -> dict[str, str]:
        """The files that a cell opened, and those that its code names: libraries in C open files unheard."""
        found = dict(seen.opened)
        for text in names.constants:
            try:
                path = Path(text)
                if path.is_file():
                    found.setdefault(str(path.absolute()), text)
            except (OSError, ValueError):
                continue
        for effect in seen.effects:
            if effect.kind == "write":
                found.pop(effect.detail, None)
        return found

    def _worst(self, cell: FinishedCell, started: float, seconds: float, error: BaseException) -> CellRun:
        """The cell run when recording it failed: it may have read and written everything."""
        message = f"recording cell run {cell.n} failed: {type(error).__name__}: {error}"
        if message not in self.errors:
            self.errors.append(message)
        n = self._next(cell.n)
        live = self._history.live
        versions = tuple(sorted(record.version for record in live.values()))
        for name in list(self.variables):
            self.variables.remove(name)
        values = variables(self._host)
        writes = tuple(VersionRecord(x, n, type_name(v), 0, 0.0, assumed=True) for x, v in values.items())
        changes = Changes(writes, tuple(name for name in live if name not in values), (), (), ())
        return CellRun(
            n=n,
            source=cell.source,
            started=started,
            seconds=seconds,
            status=_status(cell),
            code=cell.code,
            reads=versions,
            writes=changes.writes,
            deletes=changes.deletes,
            unrepeatable=("it was not recorded fully",),
            notes=(f"{message}; every variable is assumed written",),
        )

    def _next(self, count: int) -> RunNumber:
        """The number of this cell run: its execution count, unless the shell's count went back."""
        last = self._history.last
        return RunNumber(count if last is None or count > last.n else last.n + 1)

    def _changed_outside(self) -> frozenset[Name]:
        """The names that were bound anew since the last cell run ended."""
        now = variables(self._host)
        known = self.variables
        moved = {name for name in known if name not in now or id(now[name]) != known[name].identity}
        return frozenset(moved | (now.keys() - set(known)))

    def _lingering(self) -> frozenset[Name]:
        """The names that threads left behind by earlier cells can reach."""
        alive = {thread: names for thread, names in self._threads.items() if thread.is_alive()}
        self._threads = alive
        return frozenset().union(*alive.values())

    def _follow_threads(self, names: frozenset[Name]) -> None:
        for thread in threading.enumerate():
            if thread not in self._known_threads and thread not in self._threads:
                self._threads[thread] = names


def _merged(provisional: CellRun | None, run: CellRun) -> CellRun:
    """A cell run, with what was found of it while it was still running."""
    if provisional is None:
        return run
    writes = {record.name: record for record in (*provisional.writes, *run.writes)}
    deletes = [name for name in (*provisional.deletes, *run.deletes) if name not in writes or name in run.deletes]
    kept = tuple(record for name, record in writes.items() if name not in run.deletes)
    return replace(
        run,
        reads=provisional.reads,
        writes=kept,
        deletes=tuple(dict.fromkeys(deletes)),
        groups=(*provisional.groups, *run.groups),
        created=(*provisional.created, *run.created),
        notes=tuple(dict.fromkeys((*provisional.notes, *run.notes))),
    )


def _status(cell: FinishedCell) -> Status:
    if not cell.parsed:
        return "unparsed"
    if cell.error is None:
        return "ok"
    return "interrupted" if isinstance(cell.error, KeyboardInterrupt) else "error"
