"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping


def result(text: str) -> None:
    """Print what the user asked for; colours are taken out where it does not go to a terminal."""
    typer.echo(text)


def json_result(value: Mapping[str, Any]) -> None:
    """Print what a program asked for."""
    typer.echo(json.dumps(value, indent=2))


def message(text: str) -> None:
    """Tell the user something beside the result."""
    typer.echo(text, err=True)


def piece(text: str) -> None:
    """Show part of a text beside the result, at once."""
    typer.echo(text, err=True, nl=False)


def messages_console() -> Any:
    """Where progress is drawn."""
    from elastictm.views.console import console  # noqa: PLC0415 - only progress needs it

    return console(stderr=True)


def is_terminal() -> bool:
    """Whether a user sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
