"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elastictm.model.shown import Shown


def result(text: str) -> None:
    """Print what the user asked for; colours are taken out where it does not go to a terminal."""
    typer.echo(text)


def shown_result(report: Shown) -> None:
    """Print a report that the user asked for, in the terminal's width and colours if it goes to one."""
    from elastictm.views.terminal import coloured  # noqa: PLC0415 - not for --help

    typer.echo(coloured(report))


def json_result(value: Mapping[str, Any]) -> None:
    """Print what a program asked for."""
    typer.echo(json.dumps(value, indent=2))


def message(text: str) -> None:
    """Tell the user something beside the result."""
    typer.echo(text, err=True)


def shown_message(report: Shown) -> None:
    """Tell of a report beside the result, in the terminal's width and colours if it goes to one."""
    from elastictm.views.terminal import coloured  # noqa: PLC0415 - not for --help

    typer.echo(coloured(report, messages_console()) + "\n", err=True)


def messages_console() -> Any:
    """Where progress is drawn."""
    from elastictm.views.console import console  # noqa: PLC0415 - only progress needs it

    return console(stderr=True)


def is_terminal() -> bool:
    """Whether a user sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
