"""The page that lists which kinds of values are kept: ``python -m elastictm.testing.support_page ROWS PAGE``.

It is written from a run of all rows whose libraries are here; the lines of the others stay as they were on the page.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from elastictm.testing.kinds import Kind, Ran, faults, rows_of, run_rows, together

_HEAD: Final = """\
# What is kept of which kind of value

Every line is a test: a value of the kind is made in one cell and changed in place in another, the change must be seen,
cells that do not touch it must not count as changes, the session is saved, and another process restores it.
What the fourth column names is then compared exactly, and names that shared data must share it still.

Outcome: `stored`, its bytes are in the archive; `rerun`, it cannot be stored and its cells run again; `lost`, neither
can be done, and the report says so with the reason that stands here.
Two outcomes are those of a save and of its restore, where something happened in between.
What cannot be stored cannot be compared either, so any cell that names it counts as changing it; remarks say where that
is so. Nothing is wrong or stale for it: at worst more cells run again than need to.

"""
_NAMED: Final = "a cell that names it counts as changing it"
_SETTLED: Final = "the first cell that names it after it could not be stored yet counts as changing it"
_ALIVE: Final = "every cell counts as changing it as long as it runs"
_COLUMNS: Final = "| kind | version | outcome | compared | remarks |\n|---|---|---|---|---|\n"


def listed(rows: Path) -> Iterator[tuple[Path, tuple[Kind, ...]]]:
    """All files of rows with their rows, in the order of the page."""
    for folder in ("stdlib", "core", "libraries"):
        for path in sorted((rows / folder).glob("*.py")):
            yield path, rows_of(path)


def line_of(row: Kind, version: str) -> str:
    """The line of the page for a row."""
    alarm = ""
    if not row.quiet:
        alarm = _ALIVE if not row.still else _SETTLED if row.outcome == "stored" else _NAMED
    remarks = "; ".join(filter(None, (f"because: {row.reason}" if row.reason else "", row.notes, alarm)))
    outcome = f"{row.outcome}, then {row.restored}" if row.restored else row.outcome
    return f"| {row.library}: {row.id} | {version} | {outcome} | {row.compared} | {remarks} |\n"


def main(rows: str, page: str) -> int:
    """Run all rows and write the page; the exit status tells whether all were as the table says."""
    target = Path(page)
    before = target.read_text(encoding="utf-8").splitlines(keepends=True) if target.exists() else []
    text = [_HEAD]
    status = 0
    files = list(listed(Path(rows)))
    results: dict[Path, dict[str, Ran]] = {}
    for group in together(path for path, _ in files):
        with tempfile.TemporaryDirectory() as folder:
            results |= dict.fromkeys(group, run_rows(group, Path(folder)))
    for path, kinds in files:
        ran = results[path]
        text.append(f"## {path.stem.replace('_', ' ').capitalize()}\n\n{_COLUMNS}")
        for row in kinds:
            wrong = faults(row, ran[row.id]) if row.id in ran else []
            if wrong:
                sys.stderr.write(f"{path.stem}: {row.id}: {wrong}\n")
                status = 1
            if row.id in ran:
                text.append(line_of(row, row.version))
            else:
                start = line_of(row, "\n").partition("\n")[0]
                text += [line for line in before if line.startswith(start)][:1]
        text.append("\n")
    target.write_text("".join(text).rstrip() + "\n", encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
