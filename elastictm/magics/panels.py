"""The panels of the past that one session has open, and what is done for them between its cells."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from typing import Any, Final

from IPython.core.error import UsageError as ShownError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from elastictm.errors import ElasticTMError
from elastictm.magics.panel import Click, Leave, Look, Panel, TakeBack, Wish, anywidget_version, is_on_a_button
from elastictm.model.timeline import Timeline
from elastictm.views.states import states_html

_MOST_OPEN: Final = 4
_REPLACED: Final = "Newer panels are open: run %past again to have one here."
_UNLOADED: Final = "elastictm was unloaded: this is what the panel showed last."
_INTERRUPTED: Final = "interrupted: the session is as it was before"

States = Callable[[bool, bool], tuple[Timeline, bool]]
"""Lists states: all of them or the latest, with waiting for what is being written or without; says whether that is all
that is known of them."""


def moment() -> str:
    """This moment as people write it."""
    return time.strftime("%Y-%m-%d at %H:%M:%S")


class Panels:
    """The panels of one session.

    Responsibilities:
    - open panels where something can show them, and close them;
    - take what buttons ask for, in whatever thread it comes, and do it in the main thread when no cell runs;
    - tell panels in sight when cells have run.
    """

    def __init__(self, shell: InteractiveShell, do: Callable[[list[str]], None], states: States) -> None:
        self._shell = shell
        self._do = do
        self._states = states
        self._open: list[Panel] = []
        self._wishes: deque[tuple[Panel, Click | Look]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running = False
        self._doing = False

    def open(self, *, everything: bool) -> str:
        """Have a panel for the output of the cell that is running; returns its number, or nothing where none can be."""
        widgets = anywidget_version()
        if widgets is None or "comm" not in sys.modules or getattr(self._shell, "kernel", None) is None:
            return ""
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        if not self._open:
            self._running = True
            self._shell.events.register("pre_run_cell", self._begins)
            self._shell.events.register("post_run_cell", self._ended)
        while len(self._open) >= _MOST_OPEN:
            self._open.pop(0).close(_REPLACED)
        panel = Panel(widgets, self._heard)
        panel.everything = everything
        self._open.append(panel)
        return panel.id

    def close(self) -> None:
        """Close all, and leave nothing behind."""
        if not self._open:
            return
        self._shell.events.unregister("pre_run_cell", self._begins)
        self._shell.events.unregister("post_run_cell", self._ended)
        self._wishes.clear()
        for panel in self._open:
            panel.close(_UNLOADED)
        self._open.clear()

    def _begins(self, _info: object) -> None:
        self._running = True

    def _ended(self, _result: object) -> None:
        self._running = False
        if self._wishes:
            self._wake(in_cell=True)
        self._tell_of_cells()

    def _tell_of_cells(self, but: Panel | None = None) -> None:
        """Say once to each panel in sight that what it shows is not new any more."""
        for panel in self._open:
            if panel.in_sight and not panel.told and panel is not but:
                panel.told = True
                panel.send({"moved": True})

    def _heard(self, panel: Panel, wish: Wish) -> None:
        """A script asks for something; with some kernels it comes in a thread beside a cell that runs."""
        if isinstance(wish, Leave):
            panel.in_sight = False
        elif isinstance(wish, TakeBack):
            self._take_back(panel, wish.id)
        else:
            panel.in_sight = True
            self._wishes.append((panel, wish))
            if self._running and isinstance(wish, Click):
                panel.send({"queued": wish.id})
            self._wake()

    def _take_back(self, panel: Panel, known: str) -> None:
        for waiting in tuple(self._wishes):
            if waiting[0] is panel and isinstance(waiting[1], Click) and waiting[1].id == known:
                with suppress(ValueError):  # it has begun meanwhile
                    self._wishes.remove(waiting)
                    panel.send({"cancelled": known})

    def _wake(self, *, in_cell: bool = False) -> None:
        """Do what waits, at once or as soon as no code of the user's runs."""
        later = in_cell or self._running or threading.current_thread() is not threading.main_thread()
        if self._loop is not None and later:
            self._loop.call_soon_threadsafe(self._work)
        else:
            self._work()

    def _work(self) -> None:
        if self._running or self._doing:
            return  # the end of the cell, or who is at it, comes to it
        self._doing = True
        try:
            while self._wishes:
                self._serve(*self._wishes.popleft())
        finally:
            self._doing = False

    def _serve(self, panel: Panel, wish: Click | Look) -> None:
        if panel not in self._open:
            return
        answer: dict[str, object] = {}
        if isinstance(wish, Look):
            panel.everything = wish.everything
        else:
            panel.send({"begun": wish.id})
            answer = {"answer": wish.id, **self._done(panel, wish.words)}
        panel.told = False
        panel.send(answer | self._listed(panel.everything, wait=isinstance(wish, Click)))
        if isinstance(wish, Click):
            self._tell_of_cells(panel)

    def _listed(self, everything: bool, *, wait: bool) -> dict[str, object]:  # noqa: FBT001 - as the panel has it
        try:
            timeline, whole = self._states(everything, wait)
        except ElasticTMError as error:
            return {"html": f'<div class="etm-head">{escape(str(error))}</div>', "made": moment(), "partial": False}
        return {"html": states_html(timeline), "made": moment(), "partial": not whole}

    def _done(self, panel: Panel, words: tuple[str, ...]) -> dict[str, str]:
        """Do what the magic does for these words; what it shows, or why it could not."""
        if not is_on_a_button(words):
            return {"error": f"%past {' '.join(words)}: no button of a panel asks for this"}
        if words in {(), ("--all",)}:
            panel.everything = bool(words)
            return {}
        try:
            with _interruptible(), capture_output() as captured:
                self._do(list(words))
        except ShownError as error:
            return {"error": str(error)}
        except KeyboardInterrupt:
            return {"error": _INTERRUPTED}
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person at the panel
            return {"error": f"{type(error).__name__}: {error}"}
        # What was shown and overwritten later, such as how far it is, is shown as it was at last.
        shown = {(output.transient or {}).get("display_id", i): output for i, output in enumerate(captured.outputs)}
        lines = (line.rpartition("\r")[2] for line in (captured.stdout + captured.stderr).split("\n"))
        printed = "\n".join(lines).strip()
        told = f"<pre>{escape(printed)}</pre>" if printed else ""
        return {"report": "".join(_html(output.data) for output in shown.values()) + told}


@contextmanager
def _interruptible() -> Iterator[None]:
    """Hear an interrupt: between cells, kernels do not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _html(data: dict[str, Any]) -> str:
    """What a notebook would show of an output."""
    html = data.get("text/html")
    return str(html) if html is not None else f"<pre>{escape(str(data.get('text/plain', '')))}</pre>"
