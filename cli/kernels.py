"""Kernels that the command line starts or talks to."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from queue import Empty
from typing import Any, Final

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from elastictm import errors
from elastictm.errors import ElasticTMError, UsageError

_MISSED_BEATS: Final = 5
"""Seconds without a sign of life after which a kernel counts as gone."""


class _ThisPython(KernelSpecManager):  # type: ignore[misc]
    """Knows one kernel, that of the Python that runs this, whatever kernelspecs are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002 - jupyter_client's protocol
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def kernel_manager(connection_file: str, transport: str = "tcp", name: str | None = None) -> AsyncKernelManager:
    """A manager for one kernel, not yet started: of this Python, or the installed one of that name.

    With ipc its sockets lie beside the connection file.

    Raises:
        UsageError: no Python kernel has that name.
    """
    where = {"connection_file": connection_file, "transport": transport}
    if name is None:
        return AsyncKernelManager(kernel_spec_manager=_ThisPython(), **where)
    known = KernelSpecManager().get_all_specs()
    found = [each for each, about in known.items() if about["spec"].get("language", "").lower() == "python"]
    if name not in found:
        raise UsageError(f"no Python kernel is called {name!r}; there are: {', '.join(sorted(found)) or 'none'}")
    return AsyncKernelManager(kernel_name=name, **where)


class Silent(Exception):
    """A kernel gives no sign of life."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report that came from a kernel, for programs and for people."""

    content: dict[str, Any]
    text: str


async def load_recording(client: Any) -> None:
    """Start recording in a kernel, without a cell of its own.

    Raises:
        UsageError: the kernel has no elastictm.
    """
    reply = await _reply(client, code="%load_ext elastictm")
    if reply["status"] != "ok":
        said = f"{reply.get('ename', '')}: {reply.get('evalue', '')}"
        raise UsageError(f"recording could not start in the kernel: {said}. Install elastictm where the kernel runs.")


async def ask_to_save(client: Any, path: str, *, force: bool) -> Report:
    """Save a kernel's session; raises what saving raises."""
    return await _ask(client, f"save({path!r}, force={force!r})")


async def ask_to_restore(client: Any, path: str, *, allow_effects: bool = False, any_version: bool = False) -> Report:
    """Restore an archive in a kernel; raises what restoring raises."""
    return await _ask(client, f"restore({path!r}, allow_effects={allow_effects!r}, any_version={any_version!r})")


async def is_idle(client: Any, seconds: float) -> bool:
    """Whether a kernel is done with all that it was asked for, within some seconds."""
    try:
        await asyncio.wait_for(_reply(client), seconds)
    except (asyncio.TimeoutError, TimeoutError):
        return False
    return True


async def _ask(client: Any, call: str) -> Report:
    expression = f"__import__('elastictm_cli.inside', fromlist=['inside']).{call}"
    reply = await _reply(client, expressions={"answer": expression})
    answer = reply.get("user_expressions", {}).get("answer", reply)
    content = answer.get("data", {}).get("application/json")
    if content is None:
        raise ElasticTMError(f"the kernel failed: {answer.get('ename', 'no answer')}: {answer.get('evalue', '')}")
    if "error" in content:
        raise getattr(errors, content["error"], ElasticTMError)(content["message"])
    return Report(content["report"], content["text"])


async def _reply(client: Any, code: str = "", expressions: dict[str, str] | None = None) -> dict[str, Any]:
    """What a kernel answers to silent code and expressions, which are no cell run.

    Raises:
        Silent: the kernel is gone.
    """
    while True:
        request = client.execute(
            code, silent=True, store_history=False, user_expressions=expressions or {}, allow_stdin=False
        )
        content = await _reply_to(client, request)
        if content["status"] != "aborted":
            return content
        # A kernel drops what waits in its queue when a cell fails.
        await asyncio.sleep(0.1)


async def _reply_to(client: Any, request: str) -> dict[str, Any]:
    missed = 0
    while missed < _MISSED_BEATS:
        try:
            reply = await client.get_shell_msg(timeout=1)
        except Empty:
            missed = 0 if await client.is_alive() else missed + 1
            continue
        if reply["parent_header"].get("msg_id") == request:
            content: dict[str, Any] = reply["content"]
            return content
    raise Silent
