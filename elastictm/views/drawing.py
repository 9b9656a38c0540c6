"""The history drawn: a table for terminals, a picture for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from elastictm.views.lanes import picture
from elastictm.views.ledger import ledger
from elastictm.views.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elastictm.ids import Name
    from elastictm.model.history import HistoryView


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """A history as it was when it was drawn, as text and as HTML."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(self.text)  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return self.html


def drawing(history: HistoryView, names: Sequence[Name], errors: Sequence[str]) -> Drawing:
    """Draw a history; with names only their ancestors and descendants; with the errors of the recorder on top.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    part = lineage(history, names)
    table = ledger(history, part, errors)
    svg = picture(history, part)
    if svg is None:
        return Drawing(table.to_text(), table.to_html())
    *failures, heading = table.heading.splitlines()
    top = "".join(f"<p><strong>{escape(failure)}</strong></p>" for failure in failures)
    shown = f'<div style="overflow-x: auto">{svg}</div>'
    return Drawing(
        table.to_text(), f"{top}{shown}<details><summary>{escape(heading)}</summary>{table.to_html()}</details>"
    )
