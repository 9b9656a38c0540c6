"""Threads that run on while their session goes from state to state: they are what they are, wherever it stands."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from elastictm.ids import RunNumber, Version
    from elastictm.model.records import CellRun
    from elastictm.model.tree import State


class LiveThreads:
    """Knows which versions of variables were threads, without keeping these alive.

    A thread has no bytes and goes no way back, so a later version of it is the same object, as long as it runs.
    """

    def __init__(self) -> None:
        self._known: dict[Version, weakref.ref[threading.Thread]] = {}

    def meet(self, run: CellRun, namespace: Mapping[str, Any]) -> None:
        """Take in what a cell run has written."""
        for record in run.writes:
            if record.refusal is not None:
                value: Any = namespace.get(record.name)
                # Any object may answer for its class, or raise when it is asked.
                if issubclass(type(value), threading.Thread):
                    self._known[record.version] = weakref.ref(value)

    def running(self) -> dict[Version, Any]:
        """The versions whose threads still run."""
        found = {version: reference() for version, reference in self._known.items()}
        return {version: thread for version, thread in found.items() if thread is not None and thread.is_alive()}


def going_on(undone: Iterable[State], threads: Iterable[tuple[RunNumber, threading.Thread]]) -> Iterator[str]:
    """A line for each thread that goes on though the cell that started it is undone."""
    cells = {state.n for state in undone}
    for n, thread in threads:
        if n in cells:
            yield f"the thread {thread.name} of cell {n} still runs: it goes on, and sees the variables of this state"
