"""The notebook that runs an experiment aside does what it says."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from elastictm.testing.places import Kernel

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "futures.ipynb"

pytestmark = pytest.mark.kernel


def test_an_interrupt_leaves_futures_alone(tmp_path):
    """The cell in the session stops, and the one that runs aside goes on to its end."""
    with closing(Kernel(tmp_path / "work", tmp_path / "home")) as place:
        place.run("%%future slow\nimport time\ntime.sleep(2.5)\n'done'")
        timer = threading.Timer(1.0, place.interrupt)
        timer.start()
        error = place.run("import time\ntime.sleep(60)").error
        timer.join()
        assert "KeyboardInterrupt" in str(error)
        assert place.ask("__import__('elastictm').future('slow').result(30)") == "done"


def test_the_story_of_the_future(tmp_path):
    """Each cell runs as it says, those that are to fail fail, and what ran aside saw nothing of what came after it."""
    with closing(Kernel(tmp_path / "work", tmp_path / "home")) as place:
        for cell in nbformat.read(NOTEBOOK, 4).cells:
            if cell.cell_type == "code":
                error = place.run(cell.source).error
                assert (error is not None) == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        assert place.ask("(len(found), {len(each) for each in path.values()}, min(found.values()) > -2)") == (
            10,
            {20_000},
            True,
        )
        assert place.ask("(steps, tries, land.lowest() > -2, tm.future('wrong').status)") == (11, 1, True, "failed")
        assert place.recorder_errors() == []
