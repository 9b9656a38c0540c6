"""The forms that every report has, all made from the same tables."""

from __future__ import annotations

from elastictm.model.markup import html_of
from elastictm.model.tables import Table


class Shown:
    """Text and HTML forms of what has tables."""

    __slots__ = ()

    def tables(self) -> tuple[Table, ...]:
        """What the forms are made from, what matters most first."""
        raise AssertionError(type(self))

    def to_text(self, width: int | None = None) -> str:
        """The tables as plain text, in lines of at most so many places."""
        return "\n\n".join(table.to_text(width) for table in self.tables())

    def to_html(self) -> str:
        """The tables as one HTML fragment."""
        return html_of(self.tables())

    def __str__(self) -> str:
        return self.to_text()

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return self.to_html()
