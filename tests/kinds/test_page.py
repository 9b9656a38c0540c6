"""The page that lists what is kept says what the table of kinds says."""

from __future__ import annotations

from pathlib import Path

import pytest

from elastictm.testing.kinds import rows_of, together
from elastictm.testing.support_page import line_of, listed

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "support.md"


def without_version(line):
    """A line of the page, the version that it was made with left out."""
    kind, version, rest = line.split(" | ", 2)
    assert version
    return f"{kind} | {rest}"


def test_page_is_up_to_date():
    """Kinds, outcomes, reasons and remarks are those of the rows, in their order; ``make support`` writes the page."""
    lines = PAGE.read_text(encoding="utf-8").splitlines(keepends=True)
    shown = [without_version(line) for line in lines if line.startswith("| ") and not line.startswith("| kind ")]
    assert shown == [without_version(line_of(row, "?")) for _, rows in listed(HERE / "rows") for row in rows]


@pytest.mark.parametrize(
    "files", list(together(path for path, _ in listed(HERE / "rows"))), ids=lambda files: files[0].stem
)
def test_rows_that_run_together_have_names_of_their_own(files):
    """No two rows that run together have the same name, and none has a bar that would break the page."""
    names = [row.id for row in rows_of(*files)]
    assert len(names) == len(set(names)) > 0
    assert not any("|" in name for name in names)
