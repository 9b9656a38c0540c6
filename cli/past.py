"""``elastictm sessions`` and ``elastictm past``: what sessions kept of their past, also those whose kernel is gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from elastictm_cli import completing, output
from elastictm_cli.options import Json

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from elastictm.model.reports import SaveReport
    from elastictm.model.sessions import StateContents
    from elastictm.model.timeline import Timeline

Store = Annotated[
    str, typer.Option("--store", metavar="FOLDER", help="Where the past is kept, if not in the user's data folder.")
]


def sessions(*, store: Store = "", json: Json = False) -> None:
    """List the sessions that keep a past, the latest first."""
    import time  # noqa: PLC0415 - not for --help

    from elastictm.session.archivist import Archivist  # noqa: PLC0415 - not for --help

    found = Archivist(store).sessions(time.time())
    if json:
        output.json_result(found.to_json())
    else:
        output.shown_result(found)


def past(  # noqa: PLR0913 - each is an option of its own
    session: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            help="A session's name, or how it begins or ends.",
            autocompletion=completing.sessions,
        ),
    ],
    state: Annotated[
        str | None,
        typer.Argument(
            metavar="[N]",
            show_default=False,
            help="A state: a cell's number or a tag.",
            autocompletion=completing.states,
        ),
    ] = None,
    *,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="ARCHIVE",
            help="Write the state, or the last one, as an archive.",
            autocompletion=completing.archives,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every state.")] = False,
    store: Store = "",
    json: Json = False,
) -> None:
    """List a session's states, show what one holds, or save one as an archive; none of the session's code runs."""
    import time  # noqa: PLC0415 - not for --help

    from elastictm.session.archivist import Archivist  # noqa: PLC0415 - not for --help

    if force and save is None:
        raise UsageError("--force goes with --save")
    archivist = Archivist(store)
    report: SaveReport | StateContents | Timeline
    if save is not None:
        from elastictm.magics.working import file_left  # noqa: PLC0415 - not for --help

        with output.working("saving", file_left(save)) as told_of:
            report = archivist.save(session, state, save, force=force, progress=told_of)
    elif state is not None:
        report = archivist.contents(session, state)
    else:
        report = archivist.timeline(session, time.time(), everything=everything)
    if json:
        output.json_result(report.to_json())
    else:
        output.shown_result(report)
