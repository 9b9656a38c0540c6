"""``elastictm graph``: the history in an archive, in the terminal, as a page, or for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from elastictm_cli import completing, output
from elastictm_cli.archived import read_archive
from elastictm_cli.options import Archive

from elastictm.ids import Name

if TYPE_CHECKING:
    from elastictm.model.history import History
    from elastictm.storage.manifest import Manifest
    from elastictm.views.drawing import Drawing

_File: TypeAlias = str | None


def _file(what: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(metavar="FILE", help=f"Write {what}; - prints it.")
    return found


def graph(  # noqa: PLR0913 - each is an option of its own
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
    html: Annotated[_File, _file("a page to look around in, which needs nothing else")] = None,
    svg: Annotated[_File, _file("the picture as SVG")] = None,
    dot: Annotated[_File, _file("the graph in Graphviz's DOT language")] = None,
    json: Annotated[_File, _file("the graph as JSON for networkx")] = None,
    graphml: Annotated[_File, _file("the graph as GraphML")] = None,
    bandwidth: Annotated[
        str | None,
        typer.Option(metavar="SPEED", help="Show what a save at this speed would do, such as 100MB/s."),
    ] = None,
) -> None:
    """Show which cell made what from what, and what becomes of it; none of the archive's code runs."""
    manifest, history, _ = read_archive(archive)
    wanted = [Name(name) for name in names or ()]
    forms: dict[_Form, str | None] = {_page: html, _picture: svg, _dot: dot, _json: json, _graphml: graphml}
    work = _Work(Path(archive).name, manifest, history, wanted, bandwidth)
    for form, file in forms.items():
        if file is not None:
            _put(file, form(work))
    if all(file is None for file in forms.values()):
        from elastictm.views.console import console  # noqa: PLC0415 - not for --help

        drawn, shown = work.drawing(whole=False), console()
        output.result(drawn.text(shown) if shown.is_terminal else str(drawn))


class _Work:
    """An archive's history, and what is wanted of it."""

    def __init__(
        self, title: str, manifest: Manifest, history: History, names: list[Name], bandwidth: str | None
    ) -> None:
        self.title, self.history, self.names = title, history, names
        self._manifest, self._bandwidth = manifest, bandwidth

    def drawing(self, *, whole: bool) -> Drawing:
        """It drawn, with plans at one bandwidth or at all."""
        from dataclasses import replace  # noqa: PLC0415 - not for --help

        from elastictm.model.outlook import USUAL  # noqa: PLC0415 - not for --help
        from elastictm.model.quantities import parse_bandwidth  # noqa: PLC0415 - not for --help
        from elastictm.session.forecast import Forecast  # noqa: PLC0415 - not for --help
        from elastictm.views.drawing import drawing  # noqa: PLC0415 - not for --help

        forecast = Forecast.of_archive(self._manifest, self.history)
        speed = USUAL if self._bandwidth is None else parse_bandwidth(self._bandwidth)
        outlook = forecast.outlook(speed) if whole else forecast.at(speed)
        if self._bandwidth is not None:
            outlook = replace(outlook, saved=None)
        return drawing(self.history, self.names, (), outlook)


_Form: TypeAlias = Callable[[_Work], str]


def _page(work: _Work) -> str:
    from elastictm.views.page import page  # noqa: PLC0415 - not for --help

    return page(work.drawing(whole=True), work.title)


def _picture(work: _Work) -> str:
    from elastictm.views.svg import svg  # noqa: PLC0415 - not for --help

    drawn = work.drawing(whole=False)
    return f"{svg(drawn.scene, drawn.outlook)}\n"


def _dot(work: _Work) -> str:
    from elastictm.views.exports import to_dot  # noqa: PLC0415 - brings networkx along

    return to_dot(work.history, work.names)


def _json(work: _Work) -> str:
    from json import dumps  # noqa: PLC0415 - not for --help

    from elastictm.views.exports import to_json  # noqa: PLC0415 - brings networkx along

    return dumps(to_json(work.history, work.names), indent=1) + "\n"


def _graphml(work: _Work) -> str:
    from elastictm.views.exports import to_graphml  # noqa: PLC0415 - brings networkx along

    return to_graphml(work.history, work.names)


def _put(file: str, text: str) -> None:
    if file == "-":
        output.result(text.rstrip("\n"))
        return
    from elastictm.storage.textfile import write_text  # noqa: PLC0415 - not for --help

    write_text(file, text, force=True)
