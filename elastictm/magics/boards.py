"""Boards: tables of futures in a notebook that stay up to date where they stand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from IPython.display import DisplayHandle, display

from elastictm.session.lingering import OWN_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from elastictm.model.futures import FutureList

_SECONDS: Final = 1.0
"""Between two updates while something runs: times go on."""


class Boards:
    """The tables that were shown last; in a terminal they stand as they were printed."""

    def __init__(self, shell: InteractiveShell, table: Callable[[], FutureList]) -> None:
        self._table = table
        self._is_notebook = hasattr(shell, "kernel")
        self._shown: dict[str, tuple[DisplayHandle, Callable[[FutureList], FutureList]]] = {}
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, what: str, part: Callable[[FutureList], FutureList]) -> None:
        """Show a part of the table; what was shown as the same thing before stays as it is now."""
        table = part(self._table())
        if not self._is_notebook:
            display(table)
            return
        handle = display(table, display_id=True)
        self._shown[what] = handle, part
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._follow, name=f"{OWN_THREADS}boards", daemon=True)
            self._thread.start()

    def change(self) -> None:
        """Something is otherwise: it is shown soon."""
        self._changed.set()

    def close(self) -> None:
        """Update nothing any more."""
        self._shown.clear()
        self._changed.set()

    def _follow(self) -> None:
        """Update what is shown until all has ended."""
        while self._shown:
            self._changed.wait(_SECONDS)
            self._changed.clear()
            whole = self._table()
            for what, (handle, part) in list(self._shown.items()):
                table = part(whole)
                # Whether this is a notebook, what makes text for terminals finds out in cells only.
                handle.update({"text/plain": table.to_text(), "text/html": table.to_html()}, raw=True)
                if all(line.ended for line in table.futures):
                    self._shown.pop(what, None)
