"""The process of cells that run aside: a shell that has copies, and nothing else; see `session.futures`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from elastictm.extension import current_session, find, load
from elastictm.session.futures.order import ANSWER, ORDER, order_of, packed
from elastictm.session.futures.sandbox import Sandbox
from elastictm.session.futures.workers import end_with_parent
from elastictm.session.ipython.sandbox import SandboxStage, sandbox_shell

_SECONDS: Final = 3600.0


def carry_out(data: bytes) -> bytes:
    """Carry out an order; both it and the answer are bytes."""
    return packed(_sandbox().carry_out(order_of(data)))


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
