"""The rows of the table of kinds, each a test; the rows of a file are recorded and restored together."""

from __future__ import annotations

from pathlib import Path

import pytest

from elastictm.testing.kinds import rows_of, run_rows, together

ROWS = Path(__file__).parent / "rows"


def pytest_generate_tests(metafunc):
    """A test that asks for a ``row`` gets each row of the folder that its module names in ``FOLDER``."""
    if "row" in metafunc.fixturenames:
        files = sorted((ROWS / metafunc.module.FOLDER).glob("*.py"))
        found = [(group, row) for group in together(files) for row in rows_of(*group)]
        metafunc.parametrize(("files", "row"), found, ids=[row.id for _, row in found])


@pytest.fixture(scope="session")
def all_ran(tmp_path_factory):
    """What became of the rows of some files; they are gone through once."""
    known = {}

    def ran(files):
        if files not in known:
            known[files] = run_rows(files, tmp_path_factory.mktemp(files[0].stem))
        return known[files]

    return ran


@pytest.fixture
def ran(files, row, all_ran):
    """What became of a row, skipped where its library is missing."""
    if not row.is_here:
        pytest.skip(f"there is no module {row.imported}")
    return all_ran(files)[row.id]
