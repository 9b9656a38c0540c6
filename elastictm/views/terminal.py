"""Reports in a terminal: in its width and, where it shows colours, in colour; as plain text everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from elastictm.views.console import console, in_colours, shows_colours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elastictm.model.shown import Shown
    from elastictm.model.tables import Table
    from elastictm.model.tones import Tone

_STYLES: Final[dict[Tone, str]] = {
    "lost": "red",
    "differs": "yellow",
    "new": "green",
    "moved": "cyan",
    "head": "bold",
    "faint": "dim",
    "": "",
}


def coloured(report: Shown, terminal: Any = None) -> str:
    """The text of a report, as a terminal shows it best."""
    return coloured_tables(report.tables(), terminal)


def coloured_tables(tables: Iterable[Table], terminal: Any = None) -> str:
    """The text of tables: fitted to a terminal's width, in its colours if it has any; ``NO_COLOR`` is heard."""
    terminal = console() if terminal is None else terminal
    if not terminal.is_terminal or terminal.is_jupyter:
        return "\n\n".join(table.to_text() for table in tables)
    if not shows_colours(terminal):
        return "\n\n".join(table.to_text(terminal.width) for table in tables)
    lines: list[list[tuple[str, str]]] = []
    for number, table in enumerate(tables):
        lines += [[]] if number else []
        lines += [[(span.text, _STYLES[span.tone]) for span in line] for line in table.spans(terminal.width)]
    return in_colours(lines, terminal)
