"""What a kernel does to show large outputs is no doing of cells."""

from __future__ import annotations

from contextlib import closing

import pytest

from elastictm.testing.places import Kernel

pytestmark = pytest.mark.kernel


def test_a_large_output_makes_no_cell_unrepeatable(tmp_path):
    """A thread of the kernel's that sends it does not count as running beside the cells that follow."""
    reasons = "[run.unrepeatable for run in __import__('elastictm').history().runs]"
    with closing(Kernel(tmp_path / "work", tmp_path / "home")) as place:
        place.run("import time\nfrom IPython.display import HTML, display\nx = [1]")
        place.run("display(HTML('<!-- ' + 'x' * 300_000 + ' -->'))\ntime.sleep(0.3)")
        place.run("x.append(2)")
        assert place.ask("any('Garbage' in type(t).__name__ for t in __import__('threading').enumerate())")
        assert place.ask(reasons)[1:] == [(), (), ()]
