"""``%graph``."""

from __future__ import annotations

from IPython.core.magic import line_magic, magics_class
from IPython.display import display

from elastictm.ids import Name
from elastictm.magics.words import SessionMagics, errors_shown

GRAPH = """\
%graph                  the history: which cell made what from what
%graph NAME...          only what these variables come from, and what comes from them

For example: %graph model
"""


@magics_class
class GraphMagics(SessionMagics):
    """``%graph``, for one session."""

    @line_magic  # type: ignore[untyped-decorator]
    def graph(self, line: str) -> None:
        """Draw the history; see ``GRAPH``."""
        from elastictm.views.drawing import drawing  # noqa: PLC0415 - only a drawing needs it

        with errors_shown():
            history = self._session.recorder.settled()
            display(drawing(history, [Name(name) for name in line.split()], self._session.recorder.errors))

    graph.__doc__ = GRAPH
