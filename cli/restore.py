"""``elastictm restore``: a saved session in a prompt, for one piece of code, or in a kernel."""

from __future__ import annotations

from typing import Annotated

import typer
from elastictm_cli.options import AllowEffects, AllowLosses, AnyVersion, Archive, Json, Permissions, Quiet, Trust

from elastictm.errors import UsageError


def restore(  # noqa: PLR0913 - each is an option of its own
    archive: Archive,
    *,
    code: Annotated[
        str | None,
        typer.Option("-c", metavar="CODE", help="Run code in the restored session, and exit with its status."),
    ] = None,
    kernel: Annotated[
        bool,
        typer.Option(
            "--kernel", help="Start a kernel with the session, print its connection file, keep it until stopped."
        ),
    ] = False,
    notebook: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Write the session's cells as a notebook whose first cell restores it."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(metavar="CONNECTION_FILE_OR_KERNEL_ID", help="Restore into a kernel that is running."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be loaded and re-run here, and what differs.")
    ] = False,
    trust: Trust = False,
    allow_effects: AllowEffects = False,
    any_version: AnyVersion = False,
    allow_losses: AllowLosses = False,
    force: Annotated[bool, typer.Option("--force", help="With --notebook: replace a file that exists.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring a saved session back: at an IPython prompt, unless an option says otherwise."""
    modes = {"-c": code is not None, "--kernel": kernel, "--notebook": notebook, "--into": into, "--plan": plan}
    given = [option for option, wanted in modes.items() if wanted]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other: give one of them")
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - not for --help

    permissions = Permissions(trust=trust, effects=allow_effects, losses=allow_losses, versions=any_version)
    # What cannot be used is told of before anything is started for it.
    ArchiveReader(archive).close()
    if plan:
        from elastictm_cli.prompt import show_plan  # noqa: PLC0415 - brings IPython along

        show_plan(archive, permissions, json=json)
    elif notebook is not None:
        from elastictm_cli.writing import write_restoring_notebook  # noqa: PLC0415 - not for --help

        write_restoring_notebook(archive, notebook, permissions, force=force, quiet=quiet)
    elif kernel or into is not None:
        from elastictm_cli.serving import restore_into, serve  # noqa: PLC0415 - brings jupyter_client along

        if into is not None:
            restore_into(into, archive, permissions, json=json, quiet=quiet)
        else:
            serve(archive, permissions, json=json, quiet=quiet)
    else:
        from elastictm_cli.seeds import start_again_under_seed  # noqa: PLC0415 - not for --help

        start_again_under_seed(archive)
        from elastictm_cli.prompt import restore_here  # noqa: PLC0415 - brings IPython along

        restore_here(archive, code, permissions, json=json, quiet=quiet)
