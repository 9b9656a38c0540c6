"""``elastictm graph``: the history in an archive, in the terminal or for other programs."""

from __future__ import annotations

from typing import Annotated

import typer
from elastictm_cli import completing, output
from elastictm_cli.archived import read_archive
from elastictm_cli.options import Archive

from elastictm.ids import Name


def graph(
    archive: Archive,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Only what these variables come from, and what comes from them.",
            autocompletion=completing.names,
        ),
    ] = None,
    *,
    dot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the graph in Graphviz's DOT language; - prints it.")
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the graph as JSON for networkx; - prints it.")
    ] = None,
) -> None:
    """Show which cell made what from what; none of the archive's code runs."""
    from elastictm.views.drawing import drawing  # noqa: PLC0415 - not for --help

    _, history, _ = read_archive(archive)
    wanted = [Name(name) for name in names or ()]
    drawn = drawing(history, wanted, ())
    if dot is not None:
        from elastictm.views.exports import to_dot  # noqa: PLC0415 - brings networkx along

        _put(dot, to_dot(history, wanted))
    if json is not None:
        from json import dumps  # noqa: PLC0415 - not for --help

        from elastictm.views.exports import to_json  # noqa: PLC0415 - brings networkx along

        _put(json, dumps(to_json(history, wanted), indent=1) + "\n")
    if dot is None and json is None:
        output.result(str(drawn))


def _put(file: str, text: str) -> None:
    if file == "-":
        output.result(text.rstrip("\n"))
        return
    from elastictm_cli.files import write_text  # noqa: PLC0415 - not for --help

    write_text(file, text, force=True)
