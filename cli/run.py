"""``elastictm run``: a notebook runs in a recorded kernel, and its session is saved at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from elastictm_cli import completing, output
from elastictm_cli.losses import check_losses
from elastictm_cli.options import AllowLosses, Json, Quiet, Trust

from elastictm.errors import CellFailed

if TYPE_CHECKING:
    from elastictm_cli.execution import Order, Outcome


def run(  # noqa: PLR0913 - each is an option of its own
    notebook: Annotated[
        str,
        typer.Argument(metavar="NOTEBOOK", help="The notebook, an .ipynb file.", autocompletion=completing.notebooks),
    ],
    *,
    save: Annotated[
        str | None, typer.Option(metavar="ARCHIVE", help="Save the session at the end, also after a cell that failed.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--output", metavar="NOTEBOOK", help="Write the notebook with its outputs.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="ARCHIVE", help="Go on from a saved state, at the first cell that has not run."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=1, help="The time that any one cell may take.")
    ] = None,
    trust: Trust = False,
    allow_losses: AllowLosses = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a notebook in a recorded kernel, in the notebook's folder.

    A cell that fails ends the run with status 1; cells tagged raises-exception may fail.
    """
    from elastictm_cli.execution import Order  # noqa: PLC0415 - not for --help
    from elastictm_cli.notebooks import read_notebook, write_notebook  # noqa: PLC0415 - not for --help
    from elastictm_cli.resuming import code_cells  # noqa: PLC0415 - not for --help

    from elastictm.storage.destination import destination  # noqa: PLC0415 - not for --help

    document = read_notebook(notebook)
    # An hour of cells shall not run for a result that has no place to go to.
    archive = str(destination(save, force=force)) if save is not None else None
    if target is not None:
        destination(target, force=force)
    cells = code_cells(document.cells)
    if source is not None:
        cells = _cells_left(source, cells, trust=trust)
    start = str(Path(source).resolve()) if source is not None else None
    order = Order(Path(notebook).resolve().parent, cells, start, archive, force, timeout)
    outcome = _execute(document, order, quiet=quiet)
    if target is not None:
        write_notebook(target, document, force=force)
    _show(notebook, outcome, json=json, quiet=quiet)
    _finish(notebook, outcome, allow_losses=allow_losses, shown=not quiet)


def _cells_left(source: str, cells: list[Any], *, trust: bool) -> list[Any]:
    from elastictm_cli.archived import read_archive  # noqa: PLC0415 - not for --help
    from elastictm_cli.consent import check_trusted  # noqa: PLC0415 - not for --help
    from elastictm_cli.resuming import cells_to_run  # noqa: PLC0415 - not for --help

    _, history, _ = read_archive(source)
    left = cells_to_run(cells, history.runs, source)
    check_trusted(source, trust=trust)
    return left


def _execute(document: Any, order: Order, *, quiet: bool) -> Outcome:
    import asyncio  # noqa: PLC0415 - not for --help

    from elastictm_cli.execution import execute  # noqa: PLC0415 - not for --help
    from rich import progress  # noqa: PLC0415 - not for --help

    from elastictm.model.fitting import elided  # noqa: PLC0415 - not for --help

    console = output.messages_console()
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
    )
    hidden = quiet or not console.is_terminal
    with progress.Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("starting the kernel", total=len(order.cells))

        def telling(what: str, done: int) -> None:
            bar.update(task, completed=done, description=elided(what, 48).replace("[", r"\["))

        try:
            return asyncio.run(execute(document, order, telling))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _show(notebook: str, outcome: Outcome, *, json: bool, quiet: bool) -> None:
    if outcome.restored is not None and not quiet:
        output.message(outcome.restored.text + "\n")
    if json:
        content = outcome.saved.content if outcome.saved is not None else {}
        restored = {"restored": outcome.restored.content} if outcome.restored is not None else {}
        status = "ok" if not (outcome.failure or outcome.stopped_by) else "error"
        output.json_result({**content, **restored, "notebook": notebook, "cells_run": outcome.ran, "status": status})
    elif outcome.saved is not None and not quiet:
        output.result(outcome.saved.text)


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
