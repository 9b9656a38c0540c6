"""The page that lists what is kept says what the table of kinds says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from elastictm.testing.kinds import rows_of, together
from elastictm.testing.support_page import line_of, listed

HERE = Path(__file__).parent
_MOST = (
    "numpy pandas pyarrow polars scipy scikit-learn xgboost-cpu lightgbm statsmodels torch matplotlib seaborn plotly "
    "bokeh altair networkx sympy pillow scikit-image beautifulsoup4 lxml requests pydantic attrs tqdm ipywidgets dask "
    "duckdb"
)
ALARMS = [row for _, rows in listed(HERE / "rows") for row in rows if not row.quiet or not row.still]
SETTLED = {"future that is done", "future that failed", "child process that has ended"}
"""What could not be stored yet when it was looked at last."""
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


def test_table_is_as_long_and_as_wide_as_it_must_be():
    """There are at least 180 rows over at least 30 libraries beside the standard one, all that people use most."""
    rows = [row for _, found in listed(HERE / "rows") for row in found]
    libraries = {row.library for row in rows if row.library.partition(".")[0] not in sys.stdlib_module_names}
    libraries -= {"builtins"}
    assert len(rows) >= 180
    assert len(libraries) >= 30
    assert set(_MOST.split()) <= libraries


def test_lock_file_has_every_library():
    """``make test-libraries`` installs every library of the table, each in one version."""
    lines = (HERE / "requirements.lock").read_text(encoding="utf-8").split()
    locked = {line.partition("==")[0].lower().replace("_", "-"): line for line in lines}
    assert all("==" in line for line in locked.values())
    rows = [row for _, found in listed(HERE / "rows") for row in found if row.imported not in sys.stdlib_module_names]
    needed = {row.library.partition(".")[0] for row in rows} - {*sys.stdlib_module_names, "builtins"}
    assert {name.lower().replace("_", "-") for name in needed} <= set(locked)


def test_false_alarms_are_told():
    """Where reading a value counts as changing it, it cannot be stored or was not at first, and the page says so."""
    assert all("counts as changing it" in line_of(row, "?") for row in ALARMS)
    assert {row.id for row in ALARMS if row.outcome == "stored"} == SETTLED


def test_only_what_runs_changes_by_itself():
    """Cells that do not name a value never count as changing it, but where a thread of its own goes on beside them."""
    assert {row.id for row in ALARMS if not row.still} == {"Thread that runs", "queue between processes"}


@pytest.mark.parametrize(
    "files", list(together(path for path, _ in listed(HERE / "rows"))), ids=lambda files: files[0].stem
)
def test_rows_that_run_together_have_names_of_their_own(files):
    """No two rows that run together have the same name, and none has a bar that would break the page."""
    names = [row.id for row in rows_of(*files)]
    assert len(names) == len(set(names)) > 0
    assert not any("|" in name for name in names)
