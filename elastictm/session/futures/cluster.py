"""Workers of a Dask cluster: one that is begun here, or one whose scheduler runs somewhere.

Dask decides where a cell runs and carries what it reads there, each pack once to each worker.  There it runs in a
process of its own, as on this machine: what a task does in a thread of a worker nobody could end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psutil

from elastictm.errors import UsageError
from elastictm.session.futures.order import ANSWER, ORDER, Answer, answer_of, order_of, packed
from elastictm.session.futures.output import OUTPUT
from elastictm.session.futures.workers import CANCELLED, SANDBOX, Failure, ended_by, memory_of
from elastictm.session.hash_seed import VARIABLE
from elastictm.session.lingering import OWN_THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elastictm.session.futures.workers import Job, Task

_ATTEMPTS: Final = 3
_BETWEEN_LOOKS: Final = 0.2
_SECONDS: Final = 20.0
"""How long a scheduler may take to answer at first."""


class DaskWorkers:
    """A Dask cluster as an engine: ``address`` is that of a scheduler, ``count`` how many workers to begin without one.

    ``resources`` are what each order wants, as Dask's workers name what they have.
    """

    def __init__(self, address: str, count: int) -> None:
        """Connect.

        Raises:
            UsageError: Dask is not installed here, or nobody answers at the address.
        """
        try:
            from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra that few have
        except ImportError:
            raise UsageError('Dask is not installed here: pip install "elastictm[dask]"') from None
        self.far = bool(address)
        before = set(threading.enumerate())
        try:
            self._cluster: Any = None if address else LocalCluster(n_workers=count, threads_per_worker=1)
            self._client: Any = Client(address or self._cluster, timeout=_SECONDS, set_as_default=False)
        except OSError as error:
            raise UsageError(f"no Dask scheduler answers at {address}: {error}") from None
        for thread in set(threading.enumerate()) - before:
            # They change no variable of the session's.
            thread.name = f"{OWN_THREADS}{thread.name}"
        self._sent: dict[tuple[str, int, int], Any] = {}
        self._tasks: dict[str, _DaskTask] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._look, name=f"{OWN_THREADS}dask", daemon=True).start()

    @property
    def dashboard(self) -> str:
        """The address of the cluster's own page."""
        return str(self._client.dashboard_link)

    def submit(self, job: Job) -> Task:
        """Have an order carried out on some worker."""
        crates = order_of(job.order).crates()
        key = f"elastictm-{os.urandom(8).hex()}"

        def begin(attempt: int) -> Any:
            if attempt:
                # A worker that died took along what had been sent to it.
                self._sent.clear()
            files = {
                f"{i}/{each.name}": self._send(each) for i, crate in enumerate(crates) for each in Path(crate).iterdir()
            }
            return self._client.submit(
                carry_out_there,
                key,
                job.order,
                files,
                key=f"{key}-{attempt}",
                pure=False,
                resources=job.resources or None,
            )

        task = _DaskTask(self._client, key, job, begin)
        self._tasks[key] = task
        task.begin()
        return task

    def close(self) -> None:
        """Let go of the cluster; one that was begun here ends."""
        self._closed.set()
        for task in list(self._tasks.values()):
            task.cancel()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _send(self, path: Path) -> Any:
        """A file's bytes as Dask has them; what several futures read is sent once."""
        status = path.stat()
        known = str(status.st_ino), status.st_size, status.st_mtime_ns
        if known not in self._sent:
            self._sent[known] = self._client.scatter(path.read_bytes(), hash=False)
        return self._sent[known]

    def _look(self) -> None:
        """Tell which tasks have begun."""
        while not self._closed.wait(_BETWEEN_LOOKS):
            for key, task in list(self._tasks.items()):
                if task.over.is_set():
                    del self._tasks[key]
                else:
                    task.look()


class _DaskTask:
    """One order on its way."""

    def __init__(self, client: Any, key: str, job: Job, begin: Callable[[int], Any]) -> None:
        from distributed import Event  # noqa: PLC0415 - there is a client

        self.over = threading.Event()
        self._begun: Any = Event(_begun(key), client=client)
        self._cancelled: Any = Event(_ended(key), client=client)
        self._job = job
        self._folder = Path(order_of(job.order).folder)
        self._begin = begin
        self._memory = 0
        # Events come whole and in order, in the thread of the client.
        self._unsubscribe: Callable[[], None] = partial(client.unsubscribe_topic, key)
        client.subscribe_topic(key, self._hear)
        self._attempts = 0
        self._future: Any = None
        self._once = threading.Lock()

    def begin(self) -> None:
        """Give it to Dask, perhaps once more."""
        self._future = self._begin(self._attempts)
        self._attempts += 1
        self._future.add_done_callback(self._ended)

    def look(self) -> None:
        """Tell once it has begun."""
        with contextlib.suppress(Exception):  # a scheduler that is gone is told by the future
            if self._begun.is_set():
                self._job.started()

    def cancel(self) -> None:
        """End it, whatever it is doing."""
        with contextlib.suppress(Exception):
            self._cancelled.set()
        self._finish(CANCELLED)
        with contextlib.suppress(Exception):
            self._future.cancel()

    def memory(self) -> int:
        """The bytes that its process was last heard to have."""
        return self._memory

    def _hear(self, event: tuple[float, tuple[int, bytes, int]]) -> None:
        """Take in what its cell put out so far; in the end all of it comes once more."""
        offset, data, self._memory = event[1]
        path = self._folder / OUTPUT
        with contextlib.suppress(OSError):
            if data and (path.stat().st_size if path.exists() else 0) == offset:
                with path.open("ab") as file:
                    file.write(data)

    def _ended(self, future: Any) -> None:
        if future.status == "finished":
            answer, files = future.result()
            for name, data in files.items():
                target = self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            self._finish(answer_of(answer) if answer else Failure(files.get("why", b"").decode()))
        elif future.status == "error":
            self._finish(Failure(_reason(future.exception())))
        elif self.over.is_set() or self._attempts > _ATTEMPTS:
            self._finish(Failure("the scheduler is gone, or its workers die"))
        else:
            # What it was to read was lost with a worker; if that ran it, who tries again finds so.
            threading.Thread(target=self._again, name=f"{OWN_THREADS}again", daemon=True).start()

    def _again(self) -> None:
        try:
            self.begin()
        except Exception as error:  # noqa: BLE001 - whatever Dask raises where a scheduler is gone; the reason is kept
            self._finish(Failure(f"the scheduler is gone: {_reason(error)}"))

    def _finish(self, outcome: Answer | Failure) -> None:
        if self._once.acquire(blocking=False):
            self.over.set()
            with contextlib.suppress(Exception):  # a scheduler that is gone tells nothing anyway
                self._unsubscribe()
            self._job.done(outcome)


def _begun(key: str) -> str:
    return f"{key}-begun"


def _ended(key: str) -> str:
    return f"{key}-ended"


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "KilledWorker":
        return "its Dask worker died, again and again"
    if isinstance(error, ModuleNotFoundError) and error.name == "elastictm":
        return "elastictm is not installed where it was to run"
    return f"{type(error).__name__}: {error}"[:1000]


def carry_out_there(key: str, order: bytes, files: Mapping[str, bytes]) -> tuple[bytes, dict[str, bytes]]:
    """On a worker of Dask's: run a cell in a process of its own; returns the answer, and the files of the run."""
    from distributed import Event, get_client, get_worker  # noqa: PLC0415 - this is a worker

    client = get_client()
    begun, cancelled = Event(_begun(key), client=client), Event(_ended(key), client=client)
    if begun.is_set():
        # What it did outside must not be done twice.
        return b"", {"why": b"its Dask worker died while it ran, and a cell is not run twice"}
    begun.set()
    with tempfile.TemporaryDirectory(prefix="elastictm-dask-") as text:
        home = Path(text)
        for name, data in files.items():
            target = home / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        run = home / "run"
        run.mkdir()
        told = order_of(order)
        told = told.moved({crate: str(home / str(i)) for i, crate in enumerate(told.crates())})
        here = msgspec.structs.replace(
            told,
            folder=str(run),
            directory=told.directory if Path(told.directory).is_dir() else str(home),
            import_path=tuple(dict.fromkeys((*filter(os.path.isdir, told.import_path), *sys.path))),
        )
        answer = _carried_out(home, packed(here), cancelled, _Telling(run, partial(get_worker().log_event, key)))
        if isinstance(answer, Failure):
            return b"", {"why": answer.why.encode(), **_files(run)}
        return packed(answer), _files(run)


class _Telling:
    """Tells what a run has put out since it was told last, and how much memory its process has."""

    def __init__(self, run: Path, log: Callable[[tuple[int, bytes, int]], None]) -> None:
        self._path = run / OUTPUT
        self._log = log
        self._told = 0
        self._memory = 0

    def tell(self, process: psutil.Process) -> None:
        data, memory = b"", memory_of(process)
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._told)
            data = file.read()
        if data or memory > self._memory:
            self._log((self._told, data, memory))
            self._told, self._memory = self._told + len(data), max(memory, self._memory)


def _carried_out(home: Path, order: bytes, cancelled: Any, telling: _Telling) -> Answer | Failure:
    """Have a process carry out an order; processes of Dask's own may have no worker processes below them."""
    (home / ORDER).write_bytes(order)
    with (home / "printed").open("wb") as printed:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            [sys.executable, "-c", f"from {SANDBOX} import main; main({str(home)!r})"],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            # As on one machine, sets of texts have one order in all runs.
            env={VARIABLE: "0", **os.environ},
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                if cancelled.is_set():
                    return CANCELLED
                telling.tell(psutil.Process(process.pid))
                time.sleep(_BETWEEN_LOOKS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if (home / ANSWER).is_file():
        return answer_of((home / ANSWER).read_bytes())
    return Failure(ended_by(process.returncode))


def _files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their paths there."""
    return dict(_each(folder))


def _each(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
