"""Each kind of value of many libraries comes back as it was, or the report says why not; ``make test-libraries`` runs this."""

from __future__ import annotations

from elastictm.testing.kinds import faults

FOLDER = "libraries"


def test_kind(row, ran):
    """Changes are seen, nothing else is taken for one, and the value comes back as the table says."""
    assert faults(row, ran) == []
