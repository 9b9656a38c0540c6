"""The notebook that tells of the past does what it says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from elastictm.testing.places import Kernel

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "past.ipynb"

pytestmark = pytest.mark.kernel


def test_the_story_of_the_past(tmp_path):
    """Each cell runs as it says, those that are to fail fail, and what the story ends with is on its branch."""
    with closing(Kernel(tmp_path / "work", tmp_path / "home")) as place:
        for cell in nbformat.read(NOTEBOOK, 4).cells:
            if cell.cell_type == "code":
                error = place.run(cell.source).error
                assert (error is not None) == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        assert place.ask("len(readings)") == 8
        assert place.recorder_errors() == []
