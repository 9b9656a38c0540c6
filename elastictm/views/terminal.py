"""Reports in a terminal: in its width and, where it shows colours, in colour; as plain text everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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


def coloured(report: Shown, console: Any = None) -> str:
    """The text of a report, as a console shows it best."""
    return coloured_tables(report.tables(), console)


def coloured_tables(tables: Iterable[Table], console: Any = None) -> str:
    """The text of tables: fitted to a terminal's width, in its colours if it has any; ``NO_COLOR`` is heard."""
    from rich.console import Console  # noqa: PLC0415 - takes time
    from rich.text import Text  # noqa: PLC0415 - likewise

    console = Console() if console is None else console
    if not console.is_terminal or console.is_jupyter:
        return "\n\n".join(table.to_text() for table in tables)
    if console.no_color or console.color_system is None:
        return "\n\n".join(table.to_text(console.width) for table in tables)
    with console.capture() as capture:
        for number, table in enumerate(tables):
            if number:
                console.print()
            for line in table.spans(console.width):
                text = Text.assemble(*((span.text, _STYLES[span.tone]) for span in line))
                console.print(text, soft_wrap=True, highlight=False)
    return str(capture.get()).rstrip("\n")
