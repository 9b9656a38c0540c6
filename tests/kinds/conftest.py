"""The rows of the table of kinds, each a test; the rows of a file are recorded and restored together, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from elastictm.testing.kinds import rows_of, run_rows

ROWS = Path(__file__).parent / "rows"


def pytest_generate_tests(metafunc):
    """A test that asks for a ``row`` gets each row of the folder that its module names in ``FOLDER``."""
    if "row" in metafunc.fixturenames:
        files = sorted((ROWS / metafunc.module.FOLDER).glob("*.py"))
        found = [(path, row) for path in files for row in rows_of(path)]
        metafunc.parametrize(("path", "row"), found, ids=[row.id for _, row in found])


@pytest.fixture(scope="session")
def all_ran(tmp_path_factory):
    """What became of the rows of a file; each file is gone through once."""
    known = {}

    def ran(path):
        if path not in known:
            known[path] = run_rows(path, tmp_path_factory.mktemp(path.stem))
        return known[path]

    return ran


@pytest.fixture
def ran(path, row, all_ran):
    """What became of a row, skipped where its library is missing."""
    if not row.is_here:
        pytest.skip(f"{row.library} is not installed")
    return all_ran(path)[row.id]
