"""The command table, and the one place where errors are shown and become an exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from elastictm_cli import diff, enabling, graph, inspection, output, parameters, past, restore, run, verify
from typer.core import TyperGroup

from elastictm.errors import CellFailed, ElasticTMError


class _Commands(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error of elastictm's becomes one line and its exit status."""
        try:
            return super().invoke(ctx)
        except ElasticTMError as error:
            # A failed cell is quoted as it stands; all else is one line.
            text = str(error) if isinstance(error, CellFailed) else " ".join(error.told().split())
            output.message(f"elastictm: {text}")
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    name="elastictm",
    cls=_Commands,
    help="Makes a notebook session durable: saves it, and brings it back elsewhere.",
    epilog="Exit status: 0 done; 1 the user's code failed; 2 wrong usage; "
    "3 an archive that is damaged, too new, or not trusted; 4 restored with losses.",
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain help comes up four times as fast as rich help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's protocol
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes time

        try:
            output.result(f"elastictm {version('elastictm')}")
        except PackageNotFoundError:
            output.result("elastictm, not installed as a package")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Makes a notebook session durable: saves it, and brings it back elsewhere."""


app.command("run", cls=parameters.PairCommand)(run.run)
app.command("restore")(restore.restore)
app.command("inspect")(inspection.inspect)
app.command("graph")(graph.graph)
app.command("verify")(verify.verify)
app.command("diff")(diff.diff)
app.command("sessions")(past.sessions)
app.command("past")(past.past)
app.command("enable")(enabling.enable)
app.command("disable")(enabling.disable)


def main() -> None:
    """Run the command line, as ``elastictm`` or as ``jupyter elastictm``."""
    for stream in (sys.stdout, sys.stderr):
        # A mark that a terminal's encoding lacks shall not stop a report.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    by_jupyter = Path(sys.argv[0]).stem == "jupyter-elastictm"
    app(prog_name="jupyter elastictm" if by_jupyter else "elastictm")
