"""The process of cells that run aside: a shell that has copies, and nothing else; see `session.futures`."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from elastictm.extension import current_session, find, load
from elastictm.session.futures.doubles import Stem, by_double
from elastictm.session.futures.order import ANSWER, ORDER, Answer, Order, order_of, packed
from elastictm.session.futures.output import OUTPUT
from elastictm.session.futures.sandbox import Sandbox, libraries
from elastictm.session.futures.workers import Died, end_with_parent
from elastictm.session.ipython.sandbox import SandboxStage, sandbox_shell
from elastictm.session.new_modules import NewModules

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECONDS: Final = 3600.0
_IMPORTED: Final = "imported.txt"
_TRIES: Final = 2
"""How often a stem is begun for the same cell: the first may have to import libraries, which start threads."""


def carry_out(data: bytes) -> bytes:
    """Carry out an order; both it and the answer are bytes.

    Where the system can double a process, each run has a double of this one: what it changes in libraries, and the
    threads that it leaves, are gone with it.  What it imported of libraries is imported here, for those that follow.
    Of runs that differ in some values only, what they have in common is prepared once, in a stem.

    Raises:
        Died: the double ended without an answer.
    """
    return _process().carry_out(data, many=True)


def main(home: str) -> None:
    """In a process of its own: carry out the order in a folder, and leave the answer there."""
    end_with_parent()
    Path(home, ANSWER).write_bytes(_process().carry_out(Path(home, ORDER).read_bytes(), many=False))


class _Process:
    """What carries out orders in this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._stem: Stem | None = None
        self._of: Order | None = None
        self._tries = 0

    def carry_out(self, data: bytes, *, many: bool) -> bytes:
        """Carry out an order; ``many`` tells whether others like it are to be expected."""
        order = order_of(data)
        if sys.platform != "linux":
            self._sandbox.forget()
            return packed(self._sandbox.carry_out(order))
        stem = self._stem_for(order) if many and order.chosen else None
        status = None if stem is None else stem.carry_out(data)
        folder = Path(order.folder)
        if status is None and not (folder / OUTPUT).exists():  # else it has begun, and is not to be done twice
            status = by_double(partial(self._leave_answer, _nothing_new(), None, data))
        if not (folder / ANSWER).is_file():
            raise Died(status or 0)
        if _import((folder / _IMPORTED).read_text(encoding="utf-8").split()):
            # Each run would import it once more.
            self._end_stem()
        return (folder / ANSWER).read_bytes()

    def _leave_answer(self, modules: NewModules, prelude: Path | None, data: bytes) -> None:
        """In a double: carry out an order."""
        order = order_of(data)
        try:
            answer = self._sandbox.carry_out(order, prelude)
        except Exception as error:  # noqa: BLE001 - the boundary of the process; whoever waits for the run hears of it
            told = traceback.format_exception(error)[-1].strip()
            answer = Answer("failed", 0.0, 0, f"elastictm failed while it ran the cell aside: {told}")
        Path(order.folder, _IMPORTED).write_text("\n".join(libraries(modules.names())), encoding="utf-8")
        Path(order.folder, ANSWER).write_bytes(packed(answer))

    def _stem_for(self, order: Order) -> Stem | None:
        """The stem of this run and those like it; None where what they have in common cannot be shared."""
        of = replace(order, folder="", seed="", chosen={})
        if of != self._of:
            self._of, self._tries = of, 0
            self._end_stem()
        if self._stem is None and self._tries < _TRIES:
            prelude = Path(order.folder).parent / f"prelude-{os.getpid()}"
            prelude.mkdir(mode=0o700, exist_ok=True)
            self._stem = Stem(
                partial(self._sandbox.prepare, order, prelude),
                partial(self._leave_answer, _nothing_new(), prelude),
                order.crates(),
            )
            if not self._stem.is_good:
                self._tries += 1
                self._end_stem()
        return self._stem

    def _end_stem(self) -> None:
        if self._stem is not None:
            self._stem.end()
            self._stem = None


def _nothing_new() -> NewModules:
    modules = NewModules()
    modules.names()
    return modules


def _import(names: Iterable[str]) -> bool:
    """Import libraries; tells whether there are any that were not there."""
    before = len(sys.modules)
    for name in names:
        with contextlib.suppress(Exception):  # it may want what only that run had; the next one imports it itself
            importlib.import_module(name)
    return len(sys.modules) > before


@functools.cache
def _process() -> _Process:
    """There can be only one shell in a process."""
    shell = sandbox_shell()
    load(shell, keep=False)
    if (settings := find(shell)) is not None:
        # Nobody waits for a prompt here: what the cell did is looked at however long that takes.
        settings.recording_floor = _SECONDS
    session = current_session()
    session.brings_futures = False
    sandbox = Sandbox(session, SandboxStage(shell))
    sandbox.rehearse()
    return _Process(sandbox)
