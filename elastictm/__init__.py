"""elastictm makes a notebook session durable.

Layers, each importing only from those before it::

    errors  ids  settings      words
    model                      records, the history, reports: pure
    planning                   from a history to a replication plan: pure
    values                     live objects: freezing, thawing, sharing
    storage                    bytes: archives; never unpickles
    session                    recording, saving, restoring; ``session.ipython`` alone knows IPython
    views                      reports and histories as text, HTML and graphs
    magics  extension  cli     what users type
    sandboxing  rehearsing     processes beside the session

The functions here act on the session of the shell that runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elastictm.api import (
        ans,
        clear_past,
        dontsave,
        future,
        history,
        past,
        plan,
        restore,
        save,
        saving,
        unhook,
        vars,  # noqa: A004 - the name is fixed
    )

__all__ = [
    "ans",
    "clear_past",
    "dontsave",
    "future",
    "history",
    "load_ipython_extension",
    "past",
    "plan",
    "restore",
    "save",
    "saving",
    "unhook",
    "unload_ipython_extension",
    "vars",
]
_HOOKS = {"load_ipython_extension", "unload_ipython_extension"}


def __getattr__(name: str) -> Any:
    # What a name needs is imported when it is first used, so that importing elastictm costs next to nothing.
    if name in __all__ and name not in _HOOKS:
        from elastictm import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Start recording: ``%load_ext elastictm``."""
    from elastictm.extension import load  # noqa: PLC0415

    load(shell, announce=True)


def unload_ipython_extension(shell: Any) -> None:
    """Stop recording and leave no trace: ``%unload_ext elastictm``."""
    from elastictm.extension import unload  # noqa: PLC0415

    unload(shell)
