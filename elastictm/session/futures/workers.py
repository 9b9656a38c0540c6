"""Workers: processes of this machine in which cells run aside, each by itself, so that ending one troubles no other."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import re
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import psutil

from elastictm.errors import UsageError
from elastictm.model.tables import amount
from elastictm.session.futures.order import Answer, answer_of
from elastictm.session.hash_seed import hash_seed
from elastictm.session.lingering import OWN_THREADS

if TYPE_CHECKING:
    from concurrent.futures import Future

SANDBOX: Final = "elastictm.sandboxing"
"""What carries out orders; it is above this part, and only workers import it."""

_BETWEEN_LOOKS: Final = 0.1
"""Seconds between two looks at how much memory the workers have."""

_IDLE: Final = 3600
"""Seconds after which a worker ends that has nothing to do."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run has no answer."""

    why: str


class Died(Exception):
    """A process that carried out an order ended without an answer, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Job:
    """An order, as bytes, that is to be carried out where there are such resources; and who hears of it.

    ``started`` and ``done`` are called in any thread, each once.
    """

    order: bytes
    started: Callable[[], None]
    done: Callable[[Answer | Failure], None]
    resources: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol):
    """A run that is waited for."""

    def cancel(self) -> None:
        """End it, whatever it is doing; ``done`` hears of it."""
        ...

    def memory(self) -> int:
        """The bytes that its process has now; 0 where nobody knows."""
        ...


class Engine(Protocol):
    """Where orders are carried out; ``far`` where that may be a machine without the files of this one."""

    far: bool

    def submit(self, job: Job) -> Task:
        """Have an order carried out."""
        ...

    def close(self) -> None:
        """End all of it."""
        ...


CANCELLED: Final = Failure("cancelled")


class LocalWorkers:
    """Worker processes of this machine, as many as ``count`` says, warm once they have been used.

    A worker that takes more than ``memory`` bytes is ended; None where there is no limit.
    """

    def __init__(self, count: Callable[[], int], memory: Callable[[], int | None]) -> None:
        self.far = False
        self._count = count
        self._memory = memory
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[_LocalTask] = deque()
        self._workers: list[_Worker] = []
        self._watching: threading.Thread | None = None
        self._closed = threading.Event()
        # Starting a process takes a moment, for which nobody should wait.
        threading.Thread(target=self._dispatch, name=f"{OWN_THREADS}dispatch", daemon=True).start()

    def submit(self, job: Job) -> Task:
        """Have an order carried out as soon as a worker is free.

        Raises:
            UsageError: resources were asked for, which only clusters have.
        """
        if job.resources:
            raise UsageError('resources are those of a cluster: %config ElasticTM.workers = "dask", or tcp://HOST:PORT')
        task = _LocalTask(self, job)
        with self._changed:
            self._waiting.append(task)
            self._changed.notify_all()
        return task

    def close(self) -> None:
        """End all workers; nobody hears how what they did ended."""
        self._closed.set()
        with self._changed:
            workers, self._workers = self._workers, []
            self._waiting.clear()
            for worker in workers:
                worker.task = None
            self._changed.notify_all()
        for worker in workers:
            worker.kill()

    def end(self, task: _LocalTask, failure: Failure) -> None:
        """End a task, be it waiting or running."""
        with self._changed:
            if task in self._waiting:
                self._waiting.remove(task)
                worker = None
            else:
                worker = next((each for each in self._workers if each.task is task), None)
                if worker is None:
                    return  # it has ended meanwhile
                self._workers.remove(worker)
                self._changed.notify_all()
        task.finish(failure)
        if worker is not None:
            worker.kill()

    def memory(self, task: _LocalTask) -> int:
        """The bytes of the process that carries out a task; 0 where none does."""
        with self._changed:
            worker = next((each for each in self._workers if each.task is task), None)
        return 0 if worker is None else worker.memory()

    def _dispatch(self) -> None:
        """Give what waits to workers that are free, or can be begun."""
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._closed.is_set() or (self._waiting and self._has_room()))
                if self._closed.is_set():
                    return
                worker = next((each for each in self._workers if each.task is None), None)
                if worker is None:
                    worker = _Worker()
                    self._workers.append(worker)
                    _end_before_loky(self)
                task = self._waiting.popleft()
                worker.task = task
            self._watch()
            task.job.started()
            worker.run(task, partial(self._done, worker, task))

    def _has_room(self) -> bool:
        return any(each.task is None for each in self._workers) or len(self._workers) < max(1, self._count())

    def _done(self, worker: _Worker, task: _LocalTask, outcome: Answer | Failure) -> None:
        with self._changed:
            if worker.task is not task:
                return  # it was ended
            worker.task = None
            if isinstance(outcome, Failure) and worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()
        if isinstance(outcome, Failure):
            worker.kill()
        task.finish(outcome)

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = threading.Thread(target=self._look, name=f"{OWN_THREADS}workers", daemon=True)
            self._watching.start()

    def _look(self) -> None:
        """End what takes more memory than it may."""
        while not self._closed.wait(_BETWEEN_LOOKS):
            limit = self._memory()
            with self._changed:
                running = [(worker, worker.task) for worker in self._workers if worker.task is not None]
            for worker, task in running if limit is not None else ():
                if limit is not None and task is not None and (size := worker.memory()) > limit:
                    why = f"it took {amount(size)}, more than the {amount(limit)} of ElasticTM.worker_memory"
                    self.end(task, Failure(why))


@dataclass(eq=False)
class _LocalTask:
    workers: LocalWorkers
    job: Job
    _once: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """End it, whatever it is doing."""
        self.workers.end(self, CANCELLED)

    def memory(self) -> int:
        """The bytes that its process has now; 0 where there is none."""
        return self.workers.memory(self)

    def finish(self, outcome: Answer | Failure) -> None:
        """Tell how it ended, once."""
        if self._once.acquire(blocking=False):
            self.job.done(outcome)


class _Worker:
    """One process."""

    def __init__(self) -> None:
        from loky.process_executor import ProcessPoolExecutor  # noqa: PLC0415 - few sessions have futures

        self.task: _LocalTask | None = None
        before = set(threading.enumerate())
        self._executor: Any = ProcessPoolExecutor(
            max_workers=1,
            timeout=_IDLE,
            initializer=_begin,
            # Sets of texts have one order in all workers, that of the session where it is known.
            env={"PYTHONHASHSEED": hash_seed() or "0"},
        )
        self._pid: Future[int] = self._executor.submit(os.getpid)
        for thread in set(threading.enumerate()) - before:
            if type(thread).__module__.startswith("loky.") or thread.name == "QueueFeederThread":
                # They change no variable of the session's.
                thread.name = f"{OWN_THREADS}{thread.name}"

    def run(self, task: _LocalTask, done: Callable[[Answer | Failure], None]) -> None:
        """Carry out an order."""

        def ended(future: Future[bytes]) -> None:
            error = future.exception()
            done(answer_of(future.result()) if error is None else Failure(_reason(error)))

        try:
            self._executor.submit(_carry_out, task.job.order).add_done_callback(ended)
        except Exception as error:  # noqa: BLE001 - a worker that died while it was idle; the reason is kept
            done(Failure(_reason(error)))

    def memory(self) -> int:
        """The bytes that the process has now; 0 where it is gone."""
        process = self._process()
        return 0 if process is None else memory_of(process)

    def kill(self) -> None:
        """End the process at once, with all that it has started."""
        process = self._process()
        if process is not None:
            with suppress(psutil.Error):
                for child in [*process.children(recursive=True), process]:
                    with suppress(psutil.Error):
                        child.kill()
        self._executor.shutdown(wait=False, kill_workers=True)

    def _process(self) -> psutil.Process | None:
        if not self._pid.done() or self._pid.exception() is not None:
            return None
        with suppress(psutil.Error):
            return psutil.Process(self._pid.result())
        return None


_OPEN: Final[weakref.WeakSet[LocalWorkers]] = weakref.WeakSet()


def _end_before_loky(workers: LocalWorkers) -> None:
    """Have workers end when this process is about to: loky, once it is imported, would wait for what they do."""
    _OPEN.add(workers)
    _register()


@functools.cache
def _register() -> None:
    with suppress(RuntimeError):  # it is ending
        threading._register_atexit(_end_all)  # type: ignore[attr-defined]  # noqa: SLF001 - as loky itself, which is asked after those who came later


def _end_all() -> None:
    for workers in list(_OPEN):
        workers.close()


def memory_of(process: psutil.Process) -> int:
    """The bytes that a process has now, or one below it; 0 where it is gone."""
    most = 0
    with suppress(psutil.Error):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                # What doubles have in common with the process that they are of counts once.
                most = max(most, int(each.memory_info().rss))
    return most


def _carry_out(order: bytes) -> bytes:
    """In a worker: carry out an order, and answer."""
    answer: bytes = importlib.import_module(SANDBOX).carry_out(order)
    return answer


def _begin() -> None:
    """In a worker that begins: what interrupts the session is no matter of its own."""
    with suppress(OSError):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What cells do with processes is as in the session: loky's own way is for its workers.
    multiprocessing.set_start_method(None, force=True)
    end_with_parent()


def end_with_parent() -> None:
    """Have this process end once its parent has: nobody would hear of its answer, or could end it."""
    threading.Thread(target=_end_with, args=(os.getppid(),), name=f"{OWN_THREADS}parent", daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_BETWEEN_LOOKS * 10)
    os._exit(1)


def _reason(error: BaseException) -> str:
    """Why a worker gave no answer, in words."""
    if isinstance(error, Died):
        return ended_by(error.status)
    text = str(error)
    found = re.search(r"SIG[A-Z]+\((-\d+)\)", text)
    if found:
        return ended_by(int(found[1]))
    if "EXIT" in text or type(error).__name__ == "TerminatedWorkerError":
        return ended_by(0)
    return f"{type(error).__name__}: {text}"[:1000]


def ended_by(status: int) -> str:
    """Why a process gave no answer, in words, from the status that it ended with."""
    if status == -signal.SIGKILL:
        return "its process was killed (SIGKILL): the machine may have run out of memory"
    if status < 0:
        return f"its process crashed ({signal.Signals(-status).name}), in compiled code most likely"
    return "its process ended before the cell did"


def cores() -> int:
    """How many processes the machine lets this one keep busy."""
    from loky import cpu_count  # noqa: PLC0415 - few sessions have futures

    return int(cpu_count())
