"""The history drawn: lanes of characters for terminals, a picture for notebooks, the variables alive for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.fitting import folded
from elastictm.model.texts import counted
from elastictm.views.alive import alive
from elastictm.views.console import console
from elastictm.views.ledger import lapses, plain, summary
from elastictm.views.lineage import lineage
from elastictm.views.scene import Scene, scene
from elastictm.views.strip import STYLES, Span, coloured, strip
from elastictm.views.svg import clean, svg
from elastictm.views.words import OUTCOMES, of_marks, of_plan

if TYPE_CHECKING:
    from elastictm.ids import Name
    from elastictm.model.history import HistoryView
    from elastictm.model.outlook import Outlook

_WIDTH: Final = 110
"""Characters, where nobody says how many there are."""

_MOST_VARIABLES: Final = 40
_MOST_NOTES: Final = 30

_WRAPPER: Final = "overflow-x: auto; color: inherit"


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """A history as it was when it was drawn, as text and as HTML."""

    scene: Scene
    outlook: Outlook | None
    heading: str
    errors: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines(_WIDTH))

    def text(self, shown: Any) -> str:
        """The drawing for a console of rich's, as wide as that is, in the colours that it shows."""
        return coloured(list(self._lines(shown.width)), shown)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        shown = console()
        printer.text(self.text(shown) if shown.is_terminal and not shown.is_jupyter else str(self))

    def _repr_html_(self) -> str:
        top = "".join(f"<p><strong>{clean(failure)}</strong></p>" for failure in self.errors)
        plan = "" if self.outlook is None else f"<br>{escape(of_plan(self.outlook))}"
        drawn = f'<div style="{_WRAPPER}">{svg(self.scene, self.outlook)}</div>' if self.scene.lanes else ""
        notes = "".join(f"<li>{clean(note)}</li>" for note in self.notes)
        notes = f"<details><summary>What is notable</summary><ul>{notes}</ul></details>" if notes else ""
        table = alive(self.scene, self.outlook).to_html()
        table = f"<details><summary>The variables alive</summary>{table}</details>" if self.scene.dots else ""
        return f"{top}<p>{escape(self.heading)}{plan}</p>{drawn}{notes}{table}"

    def _lines(self, width: int) -> Iterator[list[Span]]:
        yield from ([(error, "bold red")] for error in self.errors)
        yield [(self.heading, "bold")]
        if not self.scene.rows:
            return
        yield from strip(self.scene, self.outlook, width)
        yield from ([(f"  {note}", "dim")] for note in self.notes)
        yield [("", "")]
        table = alive(self.scene, self.outlook, _MOST_VARIABLES)
        styles = {OUTCOMES[key]: style for key, style in STYLES.items() if key is not None}
        above = len(folded(table.heading, width, "", "  "))
        for i, line in enumerate(table.to_text(width).splitlines()):
            at = i - above - 1
            row = table.rows[at] if 0 <= at < len(table.rows) else None
            style = styles.get(row[-1].partition(";")[0], "") if row else "bold" if i < above else "dim"
            yield [(line, style)]


def drawing(
    history: HistoryView, names: Sequence[Name], errors: Sequence[str], outlook: Outlook | None = None
) -> Drawing:
    """Draw a history; with names only their ancestors and descendants; with the errors of the recorder on top.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    part = lineage(history, names)
    drawn = scene(history, part, names)
    marks = _marks(drawn)
    left = len(marks) - _MOST_NOTES
    marks = [*marks[:_MOST_NOTES], f"and {left} more"] if left > 0 else marks
    return Drawing(
        drawn, outlook, summary(history, part), tuple(map(plain, errors)), (*marks, *map(plain, lapses(history, part)))
    )


def _marks(scene: Scene) -> list[str]:
    """What is notable, with the cells that it is notable of: what many have in common is said once."""
    cells: dict[str, list[int]] = {}
    for row in scene.rows:
        for mark in dict.fromkeys(of_marks(row)):
            cells.setdefault(mark, []).append(row.run.n)
    told = []
    for mark, (first, *more) in cells.items():
        others = f" and {counted(len(more), 'more cell')}" if more else ""
        told.append(f"cell {first}{others}: {mark}")
    return told
