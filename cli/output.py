"""Where text goes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from elastictm.model.progress import Progress
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


def piece(text: str) -> None:
    """Show part of a text beside the result, at once."""
    typer.echo(text, err=True, nl=False)


def shown_message(report: Shown) -> None:
    """Tell of a report beside the result, in the terminal's width and colours if it goes to one."""
    from elastictm.views.terminal import coloured  # noqa: PLC0415 - not for --help

    typer.echo(coloured(report, messages_console()) + "\n", err=True)


@contextmanager
def working(label: str, left: str | Callable[[], str], *, quiet: bool = False) -> Iterator[Progress]:
    """Show on a terminal how work goes on; ``left`` says after Ctrl-C what state things are in.

    Raises:
        Interrupted: the user stopped it.
    """
    from elastictm.errors import Interrupted  # noqa: PLC0415 - not for --help
    from elastictm.model.progress import SILENT  # noqa: PLC0415 - likewise
    from elastictm.views.progress import ProgressBar  # noqa: PLC0415 - likewise

    try:
        if quiet or not sys.stderr.isatty():
            yield SILENT
        else:
            with ProgressBar(label, messages_console()) as bar:
                yield bar
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {left if isinstance(left, str) else left()}") from None


def messages_console() -> Any:
    """Where progress is drawn."""
    from elastictm.views.console import console  # noqa: PLC0415 - only progress needs it

    return console(stderr=True)


def is_terminal() -> bool:
    """Whether a user sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
