"""Each kind of value of the libraries that the other tests use too comes back as it was, or the report says why not."""

from __future__ import annotations

from elastictm.testing.kinds import faults

FOLDER = "core"


def test_kind(row, ran):
    """Changes are seen, nothing else is taken for one, and the value comes back as the table says."""
    assert faults(row, ran) == []
