"""Plain tables of text, in a terminal's form and in HTML, and numbers with their units."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, lines of what matters most, named columns, rows of text, and notes below."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The table in columns of equal width."""
        lines = [self.heading, *(f"  {line}" for line in self.lines)]
        if self.rows:
            cells = (self.columns, *self.rows)
            widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
            lines += ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def to_html(self) -> str:
        """The table as one HTML fragment without scripts or styles from elsewhere."""
        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in self.rows)
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.lines)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        lists = [f"<ul>{items}</ul>" if items else "" for items in (lines, notes)]
        return f"<p>{escape(self.heading)}</p>{lists[0]}{table}{lists[1]}"


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
