"""Differences in colour: green for what was created, red for what was deleted, yellow for what changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from elastictm.views.console import console

if TYPE_CHECKING:
    from elastictm.model.difference import Change, DifferenceReport
    from elastictm.model.tables import Table

_STYLES: Final[dict[Change, str]] = {
    "created": "green",
    "deleted": "red",
    "changed": "yellow",
    "unclear": "yellow",
    "renamed": "cyan",
}
_LINES: Final = {"+": "green", "-": "red", "@@": "cyan"}
_COLOURS: Final = {"green": "0, 160, 60", "red": "220, 50, 50", "yellow": "220, 160, 0", "cyan": "0, 140, 180"}
"""As parts of red, green and blue, faint enough for light and dark pages."""


@dataclass(frozen=True, slots=True, repr=False)
class ColouredDifference:
    """A report on what differs, in colour where it is shown on a terminal or in a notebook."""

    report: DifferenceReport

    def __str__(self) -> str:
        return str(self.report)

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return self.report.to_json()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(coloured(self.report))

    def _repr_html_(self) -> str:
        return "".join(_html(self.report))


def coloured(report: DifferenceReport, terminal: Any = None) -> str:
    """The text of a report, with colours where the terminal shows them; ``NO_COLOR`` is heard."""
    terminal = console() if terminal is None else terminal
    if not terminal.is_terminal or terminal.is_jupyter or terminal.no_color or terminal.color_system is None:
        return str(report)
    from rich.text import Text  # noqa: PLC0415 - takes time

    with terminal.capture() as capture:
        for text, style in _lines(report):
            terminal.print(Text(text, style=style), soft_wrap=True, highlight=False)
    return str(capture.get()).rstrip("\n")


def _lines(report: DifferenceReport) -> Iterator[tuple[str, str]]:
    """The lines of a report's text, each with its style."""
    for number, table in enumerate(report.tables()):
        if number:
            yield "", ""
        lines = table.to_text().splitlines()
        rows = len(lines) - len(table.notes) - len(table.rows)
        for index, line in enumerate(lines):
            style = ""
            if not index:
                style = "bold"
            elif not number and 0 <= index - rows < len(table.rows):
                style = _STYLES[report.variables[index - rows].change]
            elif not table.rows:
                style = _style_of(line)
            yield line, style


def _style_of(line: str) -> str:
    """The style of a line of a unified diff, which stands two places further in than others."""
    inner = line.removeprefix("    ") if line.startswith("    ") else ""
    return next((style for start, style in _LINES.items() if inner.startswith(start)), "")


def _html(report: DifferenceReport) -> Iterator[str]:
    first, *others = report.tables()
    yield _coloured_rows(first, [_STYLES[variable.change] for variable in report.variables])
    for table in others:
        yield table.to_html() if table.rows else _preformatted(table)


def _coloured_rows(table: Table, styles: list[str]) -> str:
    """The HTML of a table, each row behind a faint colour."""
    shown = table.to_html()
    for style in styles[: len(table.rows)]:
        # Rows of the body alone begin with a cell of data.
        shown = shown.replace("<tr><td>", f'<tr style="background: {_colour(style, 0.18)}"><td>', 1)
    return shown


def _preformatted(table: Table) -> str:
    """Lines as they stand, those of a unified diff in colour."""
    body = []
    for line in table.lines:
        style = _style_of(f"  {line}")
        text = escape(line)
        body.append(f'<span style="color: {_colour(style, 1)}">{text}</span>' if style else text)
    return f"<p><b>{escape(table.heading)}</b></p><pre>{chr(10).join(body)}</pre>"


def _colour(style: str, strength: float) -> str:
    return f"rgba({_COLOURS[style]}, {strength})"
