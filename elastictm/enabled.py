"""What an IPython profile calls in which recording is enabled: it begins with the first cell.

A shell starts no slower for it: all that recording needs is imported while the user looks at the prompt, or at the
latest before the first cell runs.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

_EVENT: Final = "pre_run_cell"
_IDLE_SECONDS: Final = 0.5
"""How long a shell has been there before a thread begins to import; by then it answers its front end."""


def begin(shell: Any) -> None:
    """Record from the first cell on; in a terminal, tell now what an earlier session left, elsewhere with that cell."""
    if any(isinstance(getattr(hook, "__self__", None), _FirstCell) for hook in shell.events.callbacks[_EVENT]):
        return
    # Kernels have no terminal, and scripts that IPython runs nobody to talk to.
    interactive = bool(getattr(shell.parent, "interact", False))
    if interactive:
        _tell_what_is_left(_store(shell))
    _FirstCell(shell).wait(early=interactive or _is_kernel(shell))


class _FirstCell:
    """Waits for the first cell of a shell, and has it recorded."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._early = threading.Timer(_IDLE_SECONDS, _import)
        self._early.daemon = True
        self._early.name = "elastictm-import"

    def wait(self, *, early: bool) -> None:
        """Wait; ``early`` imports in the meantime."""
        self._shell.events.register(_EVENT, self.heard)
        if early:
            self._early.start()

    def heard(self, info: Any) -> None:
        """A cell is about to run."""
        if not info.store_history:
            return
        self._shell.events.unregister(_EVENT, self.heard)
        self._early.cancel()
        try:
            self._record(info)
        except Exception as error:  # noqa: BLE001 - the boundary that keeps recording's troubles out of the user's shell
            _tell(f"this session is not recorded: {type(error).__name__}: {error}")

    def _record(self, info: Any) -> None:
        from elastictm.extension import find, load  # noqa: PLC0415 - starting a shell does without
        from elastictm.session.ipython.shells import is_attended  # noqa: PLC0415 - likewise

        if find(self._shell) is not None:
            return
        hooks = self._shell.events.callbacks[_EVENT]
        known = list(hooks)
        load(self._shell)
        recording = find(self._shell)
        self._shell.extension_manager.loaded.add("elastictm")
        if _is_kernel(self._shell) and is_attended(self._shell) and "%past" not in info.raw_cell:
            _tell_what_is_left(_store(self._shell))
        # The cell began before anybody could hear of it, unless it says itself that it is to be recorded.
        if recording is not None and not recording.session.recorder.has_begun:
            for hook in [hook for hook in hooks if hook not in known]:
                hook(info)


def _import() -> None:
    with suppress(Exception):  # what does not load is told with the first cell
        import_module("elastictm.extension")


def _is_kernel(shell: Any) -> bool:
    return hasattr(shell, "kernel")


def _store(shell: Any) -> str:
    """Where the past is kept, as the user has set it up."""
    return str(shell.config.get("ElasticTM", {}).get("store", ""))


def _tell_what_is_left(folder: str) -> None:
    from elastictm.session.stores import Stores  # noqa: PLC0415 - likewise

    found = Stores(lambda: folder).left_behind()
    if found is not None:
        _tell(found.told())


def _tell(line: str) -> None:
    print(f"elastictm: {line}")  # noqa: T201 - a surface
