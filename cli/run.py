"""``elastictm run``: a notebook runs in a recorded kernel, and its session is saved at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from elastictm_cli import completing, output
from elastictm_cli.losses import check_losses
from elastictm_cli.meter import Meter
from elastictm_cli.options import AllowLosses, Json, Quiet, Trust
from elastictm_cli.parameters import given, inject, inject_again

from elastictm.errors import CellFailed, UsageError

if TYPE_CHECKING:
    from elastictm_cli.execution import Order, Outcome


def run(  # noqa: PLR0913 - each is an option of its own
    notebook: Annotated[
        str,
        typer.Argument(
            metavar="NOTEBOOK", help="The notebook, an .ipynb file; - reads it.", autocompletion=completing.notebooks
        ),
    ],
    written: Annotated[
        str | None,
        typer.Argument(metavar="[OUTPUT]", help="The same as --output.", show_default=False),
    ] = None,
    *,
    parameters: Annotated[
        list[str],
        typer.Option(
            "--parameters", "-p", metavar="NAME VALUE", help="Set a variable, before all cells or below parameters."
        ),
    ] = [],  # noqa: B006 - typer's protocol
    raw: Annotated[
        list[str], typer.Option("--parameters_raw", "-r", metavar="NAME VALUE", help="Set one to a text, as it stands.")
    ] = [],  # noqa: B006 - likewise
    files: Annotated[
        list[str], typer.Option("--parameters_file", "-f", metavar="FILE", help="Set those in a JSON or YAML file.")
    ] = [],  # noqa: B006 - likewise
    save: Annotated[
        str | None, typer.Option(metavar="ARCHIVE", help="Save the session at the end, also after a cell that failed.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--output", metavar="NOTEBOOK", help="Write the notebook with its outputs; - prints it."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="ARCHIVE", help="Go on from a saved state, at the first cell that has not run."),
    ] = None,
    cwd: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Run there, not in the notebook's folder.", show_default=False)
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", "-k", metavar="NAME", help="Run in this installed kernel, not in this Python's own."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=1, help="The time that any one cell may take.")
    ] = None,
    bar: Annotated[
        bool | None,
        typer.Option("--progress-bar/--no-progress-bar", help="Show how far it is; on a terminal if not given."),
    ] = None,
    log: Annotated[bool, typer.Option("--log-output", help="Show on standard error what cells show.")] = False,
    trust: Trust = False,
    allow_losses: AllowLosses = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a notebook in a recorded kernel, in the notebook's folder.

    A cell that fails ends the run with status 1; cells tagged raises-exception may fail.
    """
    from elastictm_cli.execution import Order  # noqa: PLC0415 - not for --help
    from elastictm_cli.notebooks import PIPE, read_notebook, write_notebook  # noqa: PLC0415 - not for --help
    from elastictm_cli.resuming import code_cells  # noqa: PLC0415 - not for --help

    from elastictm.storage.destination import destination  # noqa: PLC0415 - not for --help

    if written is not None and target is not None:
        raise UsageError("the notebook with its outputs has two names: give OUTPUT or --output, not both")
    target = target if written is None else written
    if target == PIPE and json:
        raise UsageError("--json and a notebook for standard output exclude each other: give the notebook a name")
    folder = Path(notebook).resolve().parent if cwd is None else Path(cwd).resolve()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} to run in")
    values = given(files, parameters, raw)
    document = read_notebook(notebook)
    # An hour of cells shall not run for a result that has no place to go to.
    archive = str(destination(save, force=force)) if save is not None else None
    if target not in {None, PIPE}:
        destination(target, force=force)
    if values and not inject(document, values) and not quiet:
        output.message("no cell of the notebook is tagged parameters, so they are set before all cells")
    if source is not None:
        cells = _cells_left(source, document, again=not values, trust=trust)
        start = str(Path(source).resolve())
    else:
        cells, start = code_cells(document.cells), None
    order = Order(folder, cells, start, archive, force, timeout, kernel)
    progress = Meter(len(cells), bar=bar is True or (bar is None and not log), lines=bar is True, quiet=quiet)
    outcome = _execute(document, order, progress, log=log)
    if target is not None:
        write_notebook(target, document, force=force)
    _show(notebook, outcome, json=json, quiet=quiet, piped=target == PIPE)
    _finish(notebook, outcome, allow_losses=allow_losses, shown=not quiet)


def _cells_left(source: str, document: Any, *, again: bool, trust: bool) -> list[Any]:
    from elastictm_cli.archived import read_archive  # noqa: PLC0415 - not for --help
    from elastictm_cli.consent import check_trusted  # noqa: PLC0415 - not for --help
    from elastictm_cli.resuming import cells_to_run, code_cells  # noqa: PLC0415 - not for --help

    _, history, _ = read_archive(source)
    if again:
        inject_again(document, history.runs)
    left = cells_to_run(code_cells(document.cells), history.runs, source)
    check_trusted(source, trust=trust)
    return left


def _execute(document: Any, order: Order, progress: Meter, *, log: bool) -> Outcome:
    import asyncio  # noqa: PLC0415 - not for --help

    from elastictm_cli.execution import execute  # noqa: PLC0415 - not for --help

    with progress:
        try:
            return asyncio.run(execute(document, order, progress, progress.log if log else None))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _show(notebook: str, outcome: Outcome, *, json: bool, quiet: bool, piped: bool) -> None:
    if outcome.restored is not None and not quiet:
        output.message(outcome.restored.text + "\n")
    if json:
        content = outcome.saved.content if outcome.saved is not None else {}
        restored = {"restored": outcome.restored.content} if outcome.restored is not None else {}
        status = "ok" if not (outcome.failure or outcome.stopped_by) else "error"
        output.json_result({**content, **restored, "notebook": notebook, "cells_run": outcome.ran, "status": status})
    elif outcome.saved is not None and not quiet:
        (output.message if piped else output.result)(outcome.saved.text)


def _finish(notebook: str, outcome: Outcome, *, allow_losses: bool, shown: bool) -> None:
    """Say how it ended, by the exit status."""
    saved = ""
    if outcome.saved is not None:
        saved = f"\nThe session up to there was saved as {outcome.saved.content['path']}."
    elif outcome.not_saved is not None:
        saved = f"\nThe session was not saved: {outcome.not_saved}"
    if outcome.stopped_by:
        output.message(f"elastictm: {notebook} was stopped in its cell {outcome.ran}.{saved}")
        raise typer.Exit(128 + outcome.stopped_by)
    if outcome.failure:
        raise CellFailed(f"{notebook}: {outcome.failure}{saved}")
    if outcome.not_saved is not None:
        raise outcome.not_saved
    if outcome.restored is not None:
        check_losses(outcome.restored.content, allowed=allow_losses, shown=shown)
