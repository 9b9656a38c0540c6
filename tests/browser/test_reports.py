"""Reports, progress and interrupts in JupyterLab."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.kernel

CELLS = [
    "%load_ext elastictm",
    "import time",
    "numbers = [list(range(20)) for _ in range(1000)]",
    "open('out.txt', 'w').close(); other = (n for n in [1, 2])",
    "made = (time.sleep(5), (n for n in [3, 4]))[1]",
    "%migrate save work.tm",
    "%migrate restore work.tm",
]


def test_losses_are_seen_first_and_an_interrupt_tells_what_is_left(tab, server):
    """A save is a table with its losses in a block above; a restore tells which cell runs, and an interrupt ends it."""
    tab.goto(server.notebook("reports.ipynb", *CELLS))
    tab.locator(".jp-Notebook").wait_for()
    tab.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    report = tab.locator(".jp-OutputArea-output .elastictm").first
    report.wait_for()
    assert "LOST other" in report.locator("ul.etm-first.etm-lost").text_content()
    assert report.locator("ul.etm-first").first.bounding_box()["y"] < report.locator("table").first.bounding_box()["y"]
    told = tab.locator(".jp-OutputArea-output", has_text="restoring: running cell")
    told.first.wait_for()
    if folder := os.environ.get("ELASTICTM_SHOTS"):
        tab.screenshot(path=f"{folder}/reports.png")
    tab.get_by_role("menuitem", name="Kernel", exact=True).click()
    tab.get_by_role("menuitem", name="Interrupt Kernel").click()
    tab.locator(".jp-OutputArea-output", has_text="interrupted: the session is as it was").first.wait_for()
    assert tab.locator(".jp-OutputArea-output", has_text="restoring: running cell").count() == 0
