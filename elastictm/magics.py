"""The magics that users type in a notebook or IPython."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from elastictm.session.session import Session


@magics_class
class ElasticMagics(Magics):  # type: ignore[misc]
    """``%migrate`` and ``%graph``."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self._session = session

    @line_magic
    def graph(self, line: str) -> None:
        """Show."""
