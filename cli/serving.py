"""``elastictm restore`` in kernels: a new one that stays until it is stopped, or one that is running."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from elastictm_cli import kernels, output
from elastictm_cli.consent import check_trusted
from elastictm_cli.losses import check_losses
from elastictm_cli.seeds import seeded_environment
from jupyter_client import AsyncKernelClient, find_connection_file
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import TraitError

from elastictm.errors import ElasticTMError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elastictm_cli.kernels import Report
    from elastictm_cli.options import Permissions


def restore_into(target: str, archive: str, permissions: Permissions, *, json: bool, quiet: bool) -> None:
    """Restore into a kernel that is running; waits until it has finished what it is at.

    Raises:
        UsageError: there is no such kernel.
        ArchiveError: the archive cannot be used, or nobody said that its code may run.
        RestoreFailed: it stopped half way; the kernel's session is as it was.
        RestoredWithLosses: variables did not come back, and that was not allowed.
    """
    try:
        file = find_connection_file(target)
    except OSError as error:
        raise UsageError(
            f"no kernel is known as {target}: give a connection file or a kernel's id; "
            f"the connection files lie in {jupyter_runtime_dir()}"
        ) from error
    check_trusted(archive, trust=permissions.trust)
    report = asyncio.run(_restore_into(file, str(Path(archive).resolve()), permissions))
    if json:
        output.json_result(report.content)
    elif not quiet:
        output.message(report.text)
    check_losses(report.content, allowed=permissions.losses, shown=not (json or quiet))


async def _restore_into(connection_file: str, archive: str, permissions: Permissions) -> Report:
    client = AsyncKernelClient(connection_file=connection_file)
    try:
        client.load_connection_file()
    except (OSError, ValueError, KeyError, TypeError, TraitError) as error:
        raise UsageError(f"{connection_file} is no connection file of a kernel: {error}") from error
    if not client.shell_port:
        raise UsageError(f"{connection_file} is no connection file of a kernel: it names no ports")
    client.start_channels(iopub=False, stdin=False, control=False)
    try:
        return await _restored(client, archive, permissions)
    except kernels.Silent:
        raise UsageError(f"no kernel answers at {connection_file}: it has ended, and the file is an old one") from None
    finally:
        client.stop_channels()


def serve(archive: str, permissions: Permissions, *, json: bool, quiet: bool) -> None:
    """Keep a kernel with the session until it or this process is stopped.

    Raises:
        ArchiveError: the archive cannot be used, or nobody said that its code may run.
        RestoreFailed: it stopped half way.
        RestoredWithLosses: variables did not come back, and that was not allowed.
    """
    check_trusted(archive, trust=permissions.trust)

    def ready(report: Report, connection_file: str) -> None:
        if json:
            output.json_result({**report.content, "connection_file": connection_file})
        else:
            if not quiet:
                output.message(f"{report.text}\n")
            output.result(connection_file)

    folder = Path(jupyter_runtime_dir())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        connection_file = os.fspath(folder / f"kernel-{uuid4()}.json")
        report = asyncio.run(_serve(str(Path(archive).resolve()), connection_file, permissions, ready))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    check_losses(report.content, allowed=permissions.losses, shown=not (json or quiet))


async def _serve(
    archive: str, connection_file: str, permissions: Permissions, ready: Callable[[Report, str], None]
) -> Report:
    kernel = kernels.kernel_manager(connection_file)
    stopped = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    restored = False

    def stop() -> None:
        stopped.set()
        if not restored and task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    # Else the kernel warns of TCP on every start, as Jupyter's kernels do that everybody can connect to.
    environment = seeded_environment(archive) or dict(os.environ)
    await kernel.start_kernel(extra_arguments=["--log-level=ERROR"], env=environment)
    try:
        client = kernel.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            report = await _restored(client, archive, permissions)
        except RuntimeError as error:
            raise ElasticTMError(f"the kernel did not start: {error}") from error
        except kernels.Silent:
            raise ElasticTMError("the kernel died while it restored; it may need more memory than there is") from None
        finally:
            client.stop_channels()
        restored = True
        ready(report, kernel.connection_file)
        while not stopped.is_set() and await kernel.is_alive():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.5)
    finally:
        await kernel.shutdown_kernel()
    return report


async def _restored(client: Any, archive: str, permissions: Permissions) -> Report:
    await kernels.load_recording(client)
    return await kernels.ask_to_restore(
        client, archive, allow_effects=permissions.effects, any_version=permissions.versions
    )
