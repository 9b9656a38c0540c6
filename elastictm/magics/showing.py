"""How reports are shown at a prompt: in the terminal's width and colours, wherever they come from."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from elastictm.model.shown import Shown
from elastictm.session.session import Session


def install(shell: InteractiveShell, session: Session) -> None:  # noqa: ARG001 - as all that is installed
    """Have a shell show reports as its terminal shows them best; a notebook shows their HTML."""
    _formatter(shell).for_type(Shown, _pretty)


def uninstall(shell: InteractiveShell) -> None:
    """Take out what ``install`` put in."""
    _formatter(shell).pop(Shown, None)


def _formatter(shell: InteractiveShell) -> Any:
    return shell.display_formatter.formatters["text/plain"]


def _pretty(report: Shown, printer: Any, cycle: bool) -> None:  # noqa: ARG001, FBT001 - IPython's protocol
    from elastictm.views.terminal import coloured  # noqa: PLC0415 - a session that is only recorded shows nothing

    printer.text(coloured(report))
