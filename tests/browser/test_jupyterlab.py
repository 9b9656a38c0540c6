"""elastictm in JupyterLab, as a person at the screen has it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.kernel


def run_all(tab):
    """Run every cell of the notebook that is open, and wait until the last one is done."""
    tab.locator(".jp-Notebook").wait_for()
    tab.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_a_graph_is_drawn(tab, server):
    """%graph shows the history as a picture below its cell."""
    cells = ["%load_ext elastictm", "numbers = list(range(1000))", "squares = [n * n for n in numbers]", "%graph"]
    tab.goto(server.notebook("graph.ipynb", *cells))
    run_all(tab)
    picture = tab.locator(".jp-OutputArea-output svg").first
    picture.wait_for()
    assert "squares" in picture.text_content()
