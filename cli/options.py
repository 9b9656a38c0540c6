"""Arguments and options that several commands have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer
from elastictm_cli import completing

Archive: TypeAlias = Annotated[
    str, typer.Argument(metavar="ARCHIVE", help="The archive, a .tm file.", autocompletion=completing.archives)
]

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages but errors.")]

Trust: TypeAlias = Annotated[
    bool, typer.Option("--trust", "--yes", help="The archive may run code; ask nothing.", show_default=False)
]

AllowEffects: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-effects", help="Cells that write files, use the network or start processes may run again, once."
    ),
]

AnyVersion: TypeAlias = Annotated[
    bool, typer.Option("--any-version", help="Load what another major version of a library has saved.")
]

AllowLosses: TypeAlias = Annotated[
    bool,
    typer.Option("--allow-losses", help="Exit with status 0 even if something is lost or came back as another value."),
]


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the user allows.

    Code of the archive to run, its cells to act on the world outside, variables to be lost, and to be loaded although
    another major version of their library has saved them.
    """

    trust: bool = False
    effects: bool = False
    losses: bool = False
    versions: bool = False
