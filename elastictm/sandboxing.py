"""The process of cells that run aside: a shell that has copies, and nothing else; see `session.futures`."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Final

from elastictm.extension import current_session, find, load
from elastictm.session.futures.order import ANSWER, ORDER, order_of, packed
from elastictm.session.futures.sandbox import Sandbox, libraries
from elastictm.session.futures.workers import Died, end_with_parent
from elastictm.session.ipython.sandbox import SandboxStage, sandbox_shell

_SECONDS: Final = 3600.0
_ANSWER: Final = "answer.bin"
_IMPORTED: Final = "imported.txt"


def carry_out(data: bytes) -> bytes:
    """Carry out an order; both it and the answer are bytes.

    Where the system can double a process, each run has a double of this one: what it changes in libraries, and the
    threads that it leaves, are gone with it.  What it imported of libraries is imported here, for those that follow.

    Raises:
        Died: the double ended without an answer.
    """
    sandbox, order = _sandbox(), order_of(data)
    if sys.platform != "linux":
        return packed(sandbox.carry_out(order))
    folder = Path(order.folder)
    known = frozenset(sys.modules)
    # A collection in the double would write to all that it has in common with this process.
    gc.freeze()
    double = os.fork()
    if not double:
        try:
            end_with_parent()
            answer = packed(sandbox.carry_out(order))
            (folder / _IMPORTED).write_text("\n".join(libraries(known)), encoding="utf-8")
            (folder / _ANSWER).write_bytes(answer)
        finally:
            os._exit(0)
    _, status = os.waitpid(double, 0)
    if not (folder / _ANSWER).is_file():
        raise Died(os.waitstatus_to_exitcode(status))
    for name in (folder / _IMPORTED).read_text(encoding="utf-8").split("\n"):
        with contextlib.suppress(Exception):  # it may want what only that run had; the next one imports it itself
            importlib.import_module(name)
    return (folder / _ANSWER).read_bytes()


def main(home: str) -> None:
    """In a process of its own: carry out the order in a folder, and leave the answer there."""
    end_with_parent()
    Path(home, ANSWER).write_bytes(carry_out(Path(home, ORDER).read_bytes()))


@functools.cache
def _sandbox() -> Sandbox:
    """The sandbox of this process, whose shell there can be only one of."""
    shell = sandbox_shell()
    load(shell, keep=False)
    if (settings := find(shell)) is not None:
        # Nobody waits for a prompt here: what the cell did is looked at however long that takes.
        settings.recording_floor = _SECONDS
    return Sandbox(current_session(), SandboxStage(shell))
