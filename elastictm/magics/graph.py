"""``%graph``."""

from __future__ import annotations

from pathlib import Path

from IPython.core.magic import line_magic, magics_class
from IPython.display import display

from elastictm.ids import Name
from elastictm.magics.words import Parser, SessionMagics, errors_shown, tell, words
from elastictm.model.history import History
from elastictm.model.outlook import USUAL, Outlook
from elastictm.model.quantities import parse_bandwidth

GRAPH = """\
%graph                  the history: which cell made what from what, and what a save would do
%graph NAME...          only what these variables come from, and what comes from them
options: --html FILE (write a page to look around in), --bandwidth 100MB/s (of the save that colours show)

For example: %graph model
"""


def _parser() -> Parser:
    parser = Parser(prog="%graph", add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--html")
    parser.add_argument("--bandwidth")
    return parser


@magics_class
class GraphMagics(SessionMagics):
    """``%graph``, for one session."""

    @line_magic  # type: ignore[untyped-decorator]
    def graph(self, line: str) -> None:
        """Draw the history; see ``GRAPH``."""
        with errors_shown():
            given = _parser().parse_args(words(line))
            history = self._session.recorder.settled()
            asked = None if given.bandwidth is None else parse_bandwidth(given.bandwidth)
            bandwidth = asked or self._session.settings().bandwidth or USUAL
            with self._session.aside():
                self._draw(history, [Name(name) for name in given.names], bandwidth, given.html)

    graph.__doc__ = GRAPH

    def _draw(self, history: History, names: list[Name], bandwidth: float, file: str | None) -> None:
        from elastictm.views.drawing import drawing  # noqa: PLC0415 - only a drawing needs it

        outlook = self._outlook(history, bandwidth, whole=file is not None)
        drawn = drawing(history, names, self._session.recorder.errors, outlook)
        if file is None:
            display(drawn)
            return
        from elastictm.storage.textfile import write_text  # noqa: PLC0415 - only a page needs it
        from elastictm.views.page import page  # noqa: PLC0415 - likewise

        write_text(file, page(drawn, "The history of this session"), force=True)
        tell(f"the graph is in {file}")

    def _outlook(self, history: History, bandwidth: float, *, whole: bool) -> Outlook:
        with self._session.unnoticed():
            from elastictm.session.forecast import Forecast  # noqa: PLC0415 - recording does without

        forecast = Forecast.of_session(history, Path.cwd(), self._session.settings().alpha)
        return forecast.outlook(bandwidth) if whole else forecast.at(bandwidth)
