"""The futures of a session: begun on copies of what their cells read, watched, ended, and taken in."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from elastictm.errors import UsageError
from elastictm.model.futures import FutureList
from elastictm.session.first_imports import FirstImports
from elastictm.session.futures.future import Ask, Future, made_of, read_back
from elastictm.session.futures.inputs import Inputs
from elastictm.session.futures.order import Order, derived, packed
from elastictm.session.futures.places import FUTURES
from elastictm.session.futures.roster import Roster
from elastictm.session.futures.taking import Taken, Taking
from elastictm.session.futures.travelling import unpacked
from elastictm.session.futures.workers import CANCELLED, Failure, Job
from elastictm.storage.destination import refused

if TYPE_CHECKING:
    from elastictm.ids import Name
    from elastictm.model.records import Aside
    from elastictm.session.futures.future import Run
    from elastictm.session.futures.order import Answer, Made
    from elastictm.session.futures.workers import Engine
    from elastictm.session.options import Along
    from elastictm.session.session import Session
    from elastictm.storage.reader import ArchiveReader


class Futures:
    """The futures of one session.

    Responsibilities:
    - pack what a cell reads, and have it run by the engine, once or once for each of some values;
    - know how each stands, across threads, and tell of those that ended;
    - bring in what they made.
    """

    def __init__(self, session: Session, engine: Callable[[], Engine], *, lasting: bool = True) -> None:
        """They run on what ``engine`` gives; ``lasting`` ones are kept with the past, and checked when taken."""
        self._session = session
        self._roster = Roster()
        self._lock = self._roster.lock
        self._make_engine = engine
        self._lasting = lasting
        self._imports = FirstImports(session.clock.elapsed)
        self._engine: Engine | None = None
        self.taking = Taking(session, self._roster.line, checks=lasting)
        self._news: list[str] = []
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.on_change: Callable[[Future, bool], None] = lambda _future, _over: None

    def start(
        self,
        name: str,
        source: str,
        *,
        each: Mapping[str, str] = MappingProxyType({}),
        after: Sequence[str] = (),
        resources: Mapping[str, float] = MappingProxyType({}),
    ) -> Future:
        """Begin a future; returns at once.

        Args:
            name: What it is called; it is given a name if that is empty.
            source: The cell, without the line that sends it aside.
            each: Expressions of lists, by the names that the cell has an item under; it runs for each combination.
            after: Futures that it is to wait for, and whose variables it sees.
            resources: What it wants of a cluster's worker, such as one ``gpu``.

        Raises:
            UsageError: the name or the cell cannot be used, or a variable cannot be copied, which is named.
        """
        if not self._session.brings_futures:
            raise UsageError("a cell that runs aside cannot have another one run aside")
        n = self._session.host.execution_count - (1 if self._session.recorder.has_begun else 0)
        seed = f"{secrets.randbits(128):x}"
        return self._start(Ask(self._roster.free(name), n, source, seed, dict(each), tuple(after), dict(resources)))

    def repeat(self, aside: Aside) -> None:
        """Have a cell run aside as it did in another session, and wait until it has ended.

        Raises:
            UsageError: it cannot be begun here.
        """
        if self._roster.known([aside.name]):
            return  # another one waited for it as well
        after = tuple(other.name for other in aside.after)
        self._start(Ask(aside.name, int(aside.n), aside.source, aside.seed, dict(aside.each), after, {}))
        self.wait(aside.name)

    def beside(self) -> Futures:
        """Futures of no one's, that run where these run."""
        return Futures(self._session, self._ready, lasting=False)

    def _start(self, ask: Ask) -> Future:
        line = self._roster.line(ask.after)
        made = frozenset(each for other in line for each in other.made())
        inputs = Inputs(self._session, ask.source, ask.each, made, self._imports)
        folder = self._folder() / f"{ask.name}-{ask.n}-{secrets.token_hex(2)}"
        inputs.pack(folder, ask.n, modules=self._ready().far or not self._lasting, lasting=self._lasting)
        future = made_of(folder, inputs.record(ask, self._session.clock.now()))
        future.lists = inputs.lists
        try:
            future.write_down()
        except OSError as error:
            raise refused(str(folder), error) from error
        self._roster.add(future)
        try:
            self._go_on()
        except UsageError:
            # The engine is none of the kind that it takes.
            self._roster.remove(future)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return future

    def find(self, name: str) -> Future:
        """The future with a name.

        Raises:
            UsageError: there is none.
        """
        return self._roster.find(name)

    def table(self) -> FutureList:
        """All of them, as they stand."""
        now = self._session.clock.elapsed()
        with self._lock:
            return FutureList(tuple(line for future in self._roster.all() for line in future.lines(now)))

    def take(self, name: str, names: Sequence[str] = (), prefix: str = "", *, force: bool = False) -> Taken:
        """Bring a future's variables into the session, those named or all; tells what they are called here.

        Raises:
            UsageError: it has not finished, or a variable was changed here since it began.
            StateNotKept: a value does not load here.
        """
        return self.taking.take(self.find(name), names, prefix, force=force)

    def made(self) -> dict[str, tuple[Name, ...]]:
        """The variables that each of them made."""
        return {future.name: future.made() for future in self._roster.all()}

    def cancel(self, name: str) -> str:
        """End a future, with all its runs that have not ended; tells what was done.

        Raises:
            UsageError: there is none.
        """
        future = self.find(name)
        with self._lock:
            running = [run for run in future.runs if not run.over.is_set()]
        if not running:
            return f"{name} has ended already: {future.status}"
        for run in running:
            if run.task is not None:
                run.task.cancel()
            else:
                self._ended(future, run, CANCELLED)
        return f"{name} is cancelled"

    def wait(self, name: str, timeout: float | None = None) -> Future:
        """Wait until a future has ended; an interrupt ends the waiting and nothing else.

        Raises:
            UsageError: there is none.
            TimeoutError: it took longer.
        """
        future = self.find(name)
        until = None if timeout is None else time.monotonic() + timeout
        for run in future.runs:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not run.over.wait(left):
                raise TimeoutError(f"{name} has not ended within {timeout} s; it goes on")
        with self._lock:
            self._news = [each for each in self._news if each != name]
        return future

    def read_back(self, folder: Path) -> None:
        """Know the futures that a session left in its folder."""
        for place_of in sorted((folder / FUTURES).glob("*/")):
            future = read_back(place_of)
            if future is not None and not self._roster.known([future.name]):
                self._roster.add(future)

    def along(self, how: Along) -> tuple[list[Future], tuple[str, ...]]:
        """The futures that travel with a save, and what does not, in lines.

        What has ended and was not taken travels; what has not ended is waited for, begins again there, or stays behind.
        """
        futures = self._roster.all()
        if how == "wait":
            for future in futures:
                self.wait(future.name)
        left = [future for future in futures if not future.ended and how == "drop"]
        lines = (
            f"LOST: the future {future.name}, which is {future.status}: --futures wait has it end first, "
            "--futures rerun begin again there"
            for future in left
        )
        wanted = (f for f in futures if f not in left and (not f.ended or not f.taken.issuperset(f.made())))
        return [future for future in wanted if future.status != "cancelled"], tuple(lines)

    def arrive(self, archive: ArchiveReader) -> str:
        """Know the futures that came with an archive, and begin those again that had not ended; tells which.

        Raises:
            ArchiveDamaged: one cannot be read.
            DestinationError: they cannot be written here.
        """
        found = list(unpacked(archive, self._folder()))
        for future in found:
            self._roster.add(future)
        told = ", ".join(f"{f.name} ({f.status if f.ended else 'begun again'})" for f in found)
        self._go_on()
        return f"futures that came along: {told}"

    def news(self) -> Iterator[str]:
        """What ended since somebody asked, or waited for it, in lines."""
        with self._lock:
            news, self._news = self._news, []
        yield from map(_told, self._roster.known(news))

    def close(self) -> tuple[str, ...]:
        """End what runs; returns the names of futures that are lost by that."""
        with self._lock:
            lost = tuple(future.name for future in self._roster.all() if not future.ended)
            engine, self._engine = self._engine, None
        for name in lost:
            self.cancel(name)
        if engine is not None and self._lasting:
            engine.close()
        if self._temporary is not None:
            self._temporary.cleanup()
        return lost

    def forget(self, name: str) -> str:
        """Let go of a future that has ended, with what it made; tells so.

        Raises:
            UsageError: there is none, or it has not ended.
        """
        future = self.find(name)
        if not future.ended:
            raise UsageError(f"{name} is {future.status}: %future cancel {name} ends it")
        self._roster.remove(future)
        shutil.rmtree(future.folder, ignore_errors=True)
        return f"{name} is forgotten"

    def _folder(self) -> Path:
        """Where futures are kept: with the past, if there is one, as they are to survive the kernel."""
        past = self._session.past
        if self._lasting and past is not None and past.folder and not past.trouble:
            return Path(past.folder) / FUTURES
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="elastictm-futures-")
        return Path(self._temporary.name)

    def _go_on(self) -> None:
        """Have all run that waits for nothing any more."""
        with self._lock:
            for future in self._roster.all():
                others = self._roster.line(future.record.after)
                failed = [other.name for other in others if other.ended and other.status != "finished"]
                for run in future.runs:
                    if run.status != "waiting" or run.task is not None:
                        continue
                    if failed:
                        self._ended(future, run, Failure(f"{failed[0]}, which it was to wait for, has not finished"))
                    elif all(other.ended for other in others):
                        self._submit(future, run, tuple(other.results for other in others))

    def _ready(self) -> Engine:
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def _submit(self, future: Future, run: Run, earlier: tuple[Made, ...]) -> None:
        record = future.record
        seed = derived(record.seed, str(list(future.runs).index(run)))
        order = Order(
            str(run.folder),
            str(future.inputs),
            record.source,
            record.n,
            f"{seed:x}",
            str(Path.cwd()),
            tuple(os.path.abspath(entry) for entry in sys.path),  # noqa: PTH100 - an empty entry is the working folder
            earlier,
            dict(run.chosen),
            record.attributes,
        )
        run.task = self._ready().submit(
            Job(
                packed(order),
                lambda: self._started(run),
                lambda outcome: self._ended(future, run, outcome),
                record.resources,
            )
        )

    def _started(self, run: Run) -> None:
        with self._lock:
            if run.status == "waiting":
                run.status, run.began = "running", self._session.clock.elapsed()

    def _ended(self, future: Future, run: Run, outcome: Answer | Failure) -> None:
        with self._lock:
            if run.over.is_set():
                return
            run.end(outcome, self._session.clock.elapsed())
            over = future.ended
            if over and future.status != "cancelled":
                self._news.append(future.name)
        self.on_change(future, over)
        self._go_on()


def _told(future: Future) -> str:
    """A line on a future that has ended."""
    if future.status == "finished":
        made = ", ".join(future.made()) or "no variables"
        return f"{future.name} has finished: %future take {future.name} brings in {made}"
    why = next((run.why for run in future.runs if run.why), "")
    return f"{future.name} has failed{f': {why}' if why else ''}. %future out {future.name} shows more"
