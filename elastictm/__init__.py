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

The functions here act on the session of the shell that runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elastictm.api import history, plan, restore, save, unhook

__all__ = ["history", "load_ipython_extension", "plan", "restore", "save", "unhook", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    # What a name needs is imported when it is first used, so that importing elastictm costs next to nothing.
    if name in {"history", "plan", "restore", "save", "unhook"}:
        from elastictm import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Start recording: ``%load_ext elastictm``."""
    from elastictm.extension import load  # noqa: PLC0415

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Stop recording and leave no trace: ``%unload_ext elastictm``."""
    from elastictm.extension import unload  # noqa: PLC0415

    unload(shell)
