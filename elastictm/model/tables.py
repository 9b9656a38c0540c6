"""Tables of text, from which every report makes its forms, and numbers with their units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from elastictm.model.fitting import columns_that_fit, elided, folded, numeric, padded, plain
from elastictm.model.tones import Tone, losses_first, tone_of, tone_of_change, tone_of_outcome

_INDENT: Final = "  "


class Span(NamedTuple):
    """A piece of a line, and what it is about."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, lines of what matters most, named columns, rows of text, and notes below.

    ``tones`` are those of whole rows, where there are any.  ``spare`` are the columns that can go where a terminal is
    narrow, the first of them first.  ``verbatim`` lines are those of a text that was compared, and stay as they stand.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    tones: tuple[Tone, ...] = ()
    spare: tuple[str, ...] = ()
    verbatim: bool = False

    @property
    def first(self) -> tuple[str, ...]:
        """The lines of what matters most, losses first."""
        return self.lines if self.verbatim else losses_first(self.lines)

    @property
    def numbers(self) -> frozenset[int]:
        """The columns that hold numbers with their units, and nothing else."""
        return frozenset(i for i in range(len(self.columns)) if numeric([row[i] for row in self.rows]))

    def tone(self, row: int) -> Tone:
        """The tone of a whole row."""
        return self.tones[row] if row < len(self.tones) else ""

    def to_text(self, width: int | None = None) -> str:
        """The table as plain text, in as many places as a line may take; as many as it needs if that is None."""
        return "\n".join("".join(span.text for span in line) for line in self.spans(width))

    def to_html(self) -> str:
        """The table as an HTML fragment of its own."""
        from elastictm.model.markup import html_of  # noqa: PLC0415 - which makes tables into HTML

        return html_of([self])

    def spans(self, width: int | None = None) -> Iterator[list[Span]]:
        """The lines of the text form, in pieces that have a tone each."""
        for line in self.heading.split("\n"):
            yield from ([Span(text, "head")] for text in folded(plain(line), width, "", _INDENT))
        for line in self.first:
            tone = tone_of_change(line) if self.verbatim else tone_of(line)
            yield from ([Span(text, tone)] for text in folded(plain(line), width, _INDENT, _INDENT * 2))
        if self.rows:
            yield from self._grid(width)
        for note in self.notes:
            yield from ([Span(text)] for text in folded(plain(note), width, f"{_INDENT}note: ", _INDENT * 2))

    def _grid(self, width: int | None) -> Iterator[list[Span]]:
        rows = [tuple(map(plain, row)) for row in self.rows]
        widths = columns_that_fit(rows, self.columns, self.spare, width, len(_INDENT))
        numbers = self.numbers
        for number, row in enumerate((self.columns, *rows)):
            line, space = [Span(_INDENT)], ""
            own: Tone = "faint" if not number else self.tone(number - 1)
            for i, room in widths.items():
                text = elided(row[i], room)
                line += [Span(space), Span(text, own or tone_of_outcome(row[i]))]
                rest = padded(text, room, right=i in numbers)
                if i in numbers:
                    line[-2] = Span(space + rest[: len(rest) - len(text)])
                space = " " * (len(rest) - len(text) if i not in numbers else 0) + _INDENT
            while len(line) > 1 and not line[-1].text.strip():
                line.pop()
            yield line


def amount(size: float) -> str:
    """A number of bytes with its unit, such as ``1.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:  # noqa: PLR2004 - decimal units
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= 1000
    return f"{size:.1f} TB"


def duration(seconds: float | None) -> str:
    """A number of seconds with its unit, such as ``12 ms``; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} µs"  # noqa: PLR2004
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min"


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits, such as ``3 min``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
