"""Running the cells of a notebook in a recorded kernel."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

from elastictm_cli import kernels
from elastictm_cli.seeds import seeded_environment
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from elastictm.errors import ElasticTMError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from elastictm_cli.kernels import Report
    from elastictm_cli.resuming import CodeCell

_LINE: Final = "-" * 18
_SECONDS_TO_STOP: Final = 30
"""How long a cell that ran out of its time may take to stop when it is interrupted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run and to save; all paths are absolute, ``timeout`` is in seconds for each cell.

    ``kernel`` is the name of an installed kernel, if it is not to be one of this Python.
    """

    folder: Path
    cells: Sequence[CodeCell]
    restore: str | None = None
    save: str | None = None
    force: bool = False
    timeout: int | None = None
    kernel: str | None = None


@dataclass(slots=True)
class Outcome:
    """How far a run came."""

    ran: int = 0
    restored: Report | None = None
    saved: Report | None = None
    failure: str = ""
    not_saved: ElasticTMError | None = None
    stopped_by: int | None = None


class Watcher(Protocol):
    """Is told how a run goes on."""

    def starting(self, cell: CodeCell) -> None:
        """A cell is about to run."""

    def stage(self, what: str) -> None:
        """Something else begins that may take long."""


async def execute(notebook: Any, order: Order, watcher: Watcher, shown: Callable[[str], None] | None = None) -> Outcome:
    """Run cells of a notebook, whose outputs change in place; a cell that fails ends the run, but not the save.

    ``shown`` gets what cells show, as text and at once.

    Raises:
        ElasticTMError: the kernel could not be started, or died; or the archive to go on from could not be restored.
    """
    with TemporaryDirectory(prefix="elastictm-") as folder:
        # Nobody else has business with this kernel: its sockets lie in a folder that only this user may enter.
        kernel = kernels.kernel_manager(f"{folder}/kernel.json", "ipc", order.kernel)
        client = _Client(notebook, km=kernel, timeout=order.timeout, log=_silent_log())
        client.shown = shown
        try:
            # What runs here is no part of what the user typed at prompts.
            arguments = ["--HistoryManager.hist_file=:memory:"]
            seeded = seeded_environment(order.restore) if order.restore is not None else None
            environment = seeded or dict(os.environ)
            await kernel.start_kernel(cwd=str(order.folder), extra_arguments=arguments, env=environment)
            await client.async_start_new_kernel_client()
            return await _Run(client, kernel, order, watcher).run()
        except kernels.Silent:
            raise ElasticTMError("the kernel died between two cells; what it held is lost") from None
        except RuntimeError as error:
            raise ElasticTMError(f"the kernel did not start: {error}") from error
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            await _end(kernel)


class _Client(NotebookClient):  # type: ignore[misc]
    """Tells of outputs as they come."""

    shown: Callable[[str], None] | None = None

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Take in a message with an output."""
        taken = super().output(outs, msg, display_id, cell_index)
        if self.shown is not None:
            content = msg["content"]
            plain = content.get("data", {}).get("text/plain")
            failed = f"{content['ename']}: {content['evalue']}\n" if "ename" in content else ""
            self.shown(content.get("text", failed) if plain is None else f"{plain}\n")
        return taken


async def _end(kernel: Any) -> None:
    # Not shutdown_kernel, which interrupts first: a kernel that has nothing to do logs that as an error.
    if kernel.has_kernel:
        await kernel.request_shutdown()
        await kernel.finish_shutdown()
    await kernel.cleanup_resources()


class _Run:
    """One run of a notebook in a kernel that is there.

    Responsibilities:
    - record from the first cell on, after a restore if one was ordered;
    - run cell after cell, until one fails or the user stops it;
    - save whatever is there at the end.
    """

    def __init__(self, client: NotebookClient, kernel: Any, order: Order, watcher: Watcher) -> None:
        self._client = client
        self._kernel = kernel
        self._order = order
        self._watcher = watcher
        self._cell_runs = False
        self._outcome = Outcome()

    async def run(self) -> Outcome:
        with self._stoppable():
            await kernels.load_recording(self._client.kc)
            if self._order.restore is not None:
                self._watcher.stage(f"restoring {self._order.restore}")
                self._outcome.restored = await kernels.ask_to_restore(self._client.kc, self._order.restore)
            for cell in self._order.cells:
                self._watcher.starting(cell)
                await self._run_cell(cell)
                if self._outcome.failure or self._outcome.stopped_by:
                    break
            self._client.set_widgets_metadata()
            if self._order.save is not None and self._outcome.not_saved is None:
                await self._save(self._order.save)
        return self._outcome

    async def _run_cell(self, cell: CodeCell) -> None:
        self._cell_runs = True
        try:
            await self._client.async_execute_cell(self._client.nb.cells[cell.index], cell.index)
        except (CellExecutionError, CellTimeoutError) as error:
            self._outcome.failure = str(error).strip()
            if isinstance(error, CellTimeoutError):
                await self._kernel.interrupt_kernel()
        except DeadKernelError:
            self._outcome.failure = f"the kernel died while it ran this cell:\n{_LINE}\n{cell.source}\n{_LINE}"
            self._outcome.not_saved = ElasticTMError("what the kernel held is lost")
        finally:
            self._cell_runs = False
        self._outcome.ran += 1

    async def _save(self, path: str) -> None:
        try:
            if self._outcome.failure and not await kernels.is_idle(self._client.kc, _SECONDS_TO_STOP):
                raise ElasticTMError(f"the cell did not stop within {_SECONDS_TO_STOP} seconds, so nothing was saved")  # noqa: TRY301 - handled like other failures to save
            self._watcher.stage(f"saving {path}")
            self._outcome.saved = await kernels.ask_to_save(self._client.kc, path, force=self._order.force)
        except ElasticTMError as error:
            self._outcome.not_saved = error

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM interrupts the cell that runs, another one or one between cells ends it all."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        pending: list[asyncio.Future[None]] = []

        def stop(number: int) -> None:
            if self._cell_runs and self._outcome.stopped_by is None:
                pending.append(asyncio.ensure_future(self._kernel.interrupt_kernel()))
            elif task is not None:
                task.cancel()
            self._outcome.stopped_by = number

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _silent_log() -> logging.Logger:
    """Where nbclient may write what the user is told in other words."""
    log = logging.getLogger("elastictm_cli.execution")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log
