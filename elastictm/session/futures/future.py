"""One future: a cell that runs aside, once or once for each of some values."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.futures import FutureLine, FutureStatus
from elastictm.session.futures.order import INPUTS, RESULTS, Answer, Attribute, Made
from elastictm.session.futures.output import OutputReader
from elastictm.session.futures.workers import CANCELLED, Failure

if TYPE_CHECKING:
    from elastictm.session.futures.workers import Task

RECORD: Final = "future.json"
"""What a future's folder says of it."""

ANSWER: Final = "answer.json"
"""How a run ended, in its folder."""

_TAKEN: Final = "taken.json"
"""What of it the session has taken, in a future's folder."""

NAME: Final = re.compile(r"[^\W\d][\w.-]*\Z")
"""What a future can be called."""


class Ask(Struct, frozen=True):
    """What somebody asks for: that a cell run aside, begun by cell ``n``.

    ``each`` are expressions of lists by the names that runs have one item of each under, ``after`` what it waits for,
    ``resources`` what it wants of a cluster; ``seed``, in hexadecimal digits, fixes what it draws.
    """

    name: str
    n: int
    source: str
    seed: str
    each: dict[str, str] = msgspec.field(default_factory=dict)
    after: tuple[str, ...] = ()
    resources: dict[str, float] = msgspec.field(default_factory=dict)


class Record(Ask, frozen=True, kw_only=True):
    """A future as it is written down, with the versions of variables that it has copies of.

    ``cases`` are the runs, each with what it is called and which items of some variables it has.
    ``attributes`` are what modules are to have, ``notes`` tell what a run has otherwise than this session.
    """

    started: float
    reads: tuple[tuple[str, int], ...]
    cases: tuple[tuple[str, dict[str, int]], ...]
    attributes: tuple[Attribute, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class Run:
    """One run; what changes is changed under the lock of all futures."""

    folder: Path
    case: str
    chosen: Mapping[str, int]
    status: FutureStatus = "waiting"
    began: float | None = None
    ended: float | None = None
    answer: Answer | None = None
    why: str = ""
    task: Task | None = None
    peak: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def end(self, outcome: Answer | Failure, now: float) -> None:
        """It has ended; that is written down."""
        self.ended = now
        if isinstance(outcome, Answer):
            self.answer, self.status, self.why = outcome, outcome.status, outcome.error
        else:
            self.status = "cancelled" if outcome is CANCELLED else "failed"
            self.why = "" if outcome is CANCELLED else outcome.why
        with suppress(OSError):  # a folder that is gone: it cannot be taken, which is told then
            (self.folder / ANSWER).write_bytes(msgspec.json.encode((self.status, self.why, self.answer)))
        self.over.set()

    def read_back(self) -> None:
        """Be as it was when the process ended that had it: what had not ended then never will."""
        try:
            told = (self.folder / ANSWER).read_bytes()
        except OSError:
            self.status, self.why = "failed", "the kernel ended before it did"
        else:
            self.status, self.why, self.answer = msgspec.json.decode(told, type=tuple[FutureStatus, str, Answer | None])
        self.over.set()

    def memory(self) -> int:
        """The most memory that its process was seen to have so far, in bytes."""
        if self.answer is not None:
            return self.answer.peak
        if self.task is not None and not self.over.is_set():
            self.peak = max(self.peak, self.task.memory())
        return self.peak

    def seconds(self, now: float) -> float:
        """How long it ran so far."""
        if self.answer is not None and self.began is None:
            return self.answer.seconds
        return 0.0 if self.began is None else max(0.0, (self.ended or now) - self.began)


@dataclass(eq=False)
class Future:
    """A future of this session, or of one that was recovered.

    ``lists`` are the very lists of which its runs have items, where this session has made them.
    """

    folder: Path
    record: Record
    runs: Sequence[Run]
    taken: set[Name] = field(default_factory=set)
    lists: Mapping[Name, Sequence[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.record.name

    @property
    def began(self) -> RunNumber:
        """The cell that began it."""
        return RunNumber(self.record.n)

    @property
    def reads(self) -> dict[Name, Version]:
        """The versions that it has copies of, by name."""
        return {Name(name): Version(Name(name), RunNumber(n)) for name, n in self.record.reads}

    @property
    def inputs(self) -> Path:
        """The crate with what it reads."""
        return self.folder / INPUTS

    @property
    def many(self) -> bool:
        """Whether it runs once for each of some values."""
        return any(case for case, _ in self.record.cases)

    @property
    def ended(self) -> bool:
        """Whether all its runs are as they are for good."""
        return all(run.over.is_set() for run in self.runs)

    @property
    def status(self) -> FutureStatus:
        """How it stands as a whole: what keeps it from having finished is what counts."""
        found = {run.status for run in self.runs}
        order: tuple[FutureStatus, ...] = ("running", "waiting", "failed", "cancelled")
        if "running" in found or ("waiting" in found and "finished" in found):
            return "running"
        return next((status for status in order if status in found), "finished")

    @property
    def verdict(self) -> str:
        """How it has ended, as it follows its name in a sentence."""
        return f"{'was' if self.status == 'cancelled' else 'has'} {self.status}"

    @property
    def took(self) -> float:
        """Seconds from when its first run began until its last one had ended."""
        began = [run.began for run in self.runs if run.began is not None]
        ended = [run.ended for run in self.runs if run.ended is not None]
        if began and len(ended) == len(self.runs):
            return max(0.0, max(ended) - min(began))
        return sum(run.answer.seconds for run in self.runs if run.answer is not None)

    def made(self) -> tuple[Name, ...]:
        """The variables that any of its runs made."""
        answers = (run.answer for run in self.runs if run.answer is not None)
        return tuple(dict.fromkeys(Name(name) for answer in answers for name in answer.made))

    def refused(self) -> dict[Name, str]:
        """The variables that its runs made and that could not be stored, with the reasons."""
        answers = (run.answer for run in self.runs if run.answer is not None)
        return {Name(name): why for answer in answers for name, why in answer.refused.items()}

    def lines(self, now: float) -> list[FutureLine]:
        """A line for each run."""
        return [
            FutureLine(
                self.name,
                run.case,
                run.status,
                run.seconds(now),
                run.memory(),
                tuple(map(Name, run.answer.made)) if run.answer is not None else (),
                run.why,
                taken=bool(self.taken),
            )
            for run in self.runs
        ]

    @property
    def results(self) -> Made:
        """Where it lies what it made."""
        crates = (run.folder / RESULTS for run in self.runs)
        places = tuple(str(crate) if crate.is_dir() else "" for crate in crates)
        return Made(places, str(self.inputs), self.record.cases if self.many else ())

    def output(self, index: int = 0) -> OutputReader:
        """What one of its runs put out."""
        return OutputReader(self.runs[index].folder)

    def take(self, names: Iterable[Name]) -> None:
        """Some of what it made was taken; that is written down."""
        self.taken.update(names)
        (self.folder / _TAKEN).write_bytes(msgspec.json.encode(sorted(self.taken)))

    def write_down(self) -> None:
        """Have on disk what it is, and a folder for each of its runs."""
        for run in self.runs:
            run.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / RECORD).write_bytes(msgspec.json.encode(self.record))


def made_of(folder: Path, record: Record) -> Future:
    """A future as it begins."""
    runs = [Run(folder / str(i), case, chosen) for i, (case, chosen) in enumerate(record.cases)]
    return Future(folder, record, runs)


def read_back(folder: Path) -> Future | None:
    """The future in a folder; None where there is none that can be read."""
    try:
        record = msgspec.json.decode((folder / RECORD).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None
    future = made_of(folder, record)
    for run in future.runs:
        run.read_back()
    with suppress(OSError, msgspec.MsgspecError):
        future.taken.update(map(Name, msgspec.json.decode((folder / _TAKEN).read_bytes(), type=list[str])))
    return future
