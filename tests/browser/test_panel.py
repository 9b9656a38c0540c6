"""The panel of the past in JupyterLab, as a person at the screen uses it."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed")

pytestmark = pytest.mark.kernel

SETUP = ["%load_ext elastictm", "a = [1]", "a.append(2)", "b = a", "%past"]


def run_above(tab, server, name, *last):
    """Open a notebook of the usual cells and others, run all but the last, and give its panel once it is alive."""
    tab.goto(server.notebook(name, *SETUP, *last))
    tab.locator(".jp-Notebook").wait_for()
    tab.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    tab.locator(".jp-CodeCell").last.click()
    menu(tab, "Run", "Run All Above Selected Cell")
    panel = tab.locator("elastictm-past")
    panel.get_by_role("toolbar").wait_for()
    return panel


def menu(tab, *words):
    """Choose from the menu."""
    for word in words:
        tab.get_by_role("menuitem", name=word, exact=True).click()


def run_last(tab):
    """Run the last cell."""
    tab.locator(".jp-CodeCell").last.locator(".jp-InputArea-editor").click()
    tab.keyboard.press("Control+Enter")


def shown_by(tab, text):
    """Wait for what the last cell prints."""
    tab.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output", has_text=text).wait_for()


def test_states_are_gone_to_named_and_compared(tab, server):
    """Buttons lead to states, name and compare them, and the list follows what cells do; keys do all of it, too."""
    panel = run_above(tab, server, "panel.ipynb", "print('a is', a, 'b' in dir()); c = 1")
    here = panel.locator("tr[aria-current]")
    assert here.locator("code").text_content() == "b = a"
    panel.get_by_role("button", name="Undo: go back to state 3").click()
    panel.locator("tr[aria-current]", has_text="a.append(2)").wait_for()
    panel.get_by_role("button", name="Go to state 2").press("Enter")
    panel.locator("tr[aria-current]", has_text="a = [1]").wait_for()
    assert tab.evaluate("document.activeElement.dataset.key") == "open-2"
    assert "Restored state 2" in panel.get_by_role("region", name="What was done").text_content()
    run_last(tab)
    shown_by(tab, "a is [1] False")
    panel.locator("tr[aria-current]", has_text="print('a is'").wait_for()

    panel.get_by_role("button", name="State 3: details").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    panel.get_by_role("button", name="What differs between state 6, where you are, and 4").press("Enter")
    panel.locator(".etm-shown", has_text="state 6 → state 4").wait_for()
    panel.get_by_role("button", name="The variables of state 4").click()
    panel.locator(".etm-shown", has_text="2 variables").wait_for()
    panel.get_by_label("A name for state 4").fill("both names")
    panel.get_by_label("A name for state 4").press("Enter")
    panel.locator(".etm-wrong").wait_for()
    panel.get_by_label("A name for state 4").fill("both")
    panel.get_by_label("A name for state 4").press("Enter")
    panel.locator("tr[data-n='4'] .etm-tag", has_text="both").wait_for()
    assert tab.locator(".jp-CodeCell").count() == len(SETUP) + 1


def test_a_kernel_that_is_busy_and_one_that_ended(tab, server):
    """A click on a busy kernel says so and can be taken back; a panel whose kernel ended says so, and stays legible."""
    panel = run_above(tab, server, "busy.ipynb", "import time; time.sleep(2); done = 1")
    run_last(tab)
    tab.locator("#jp-main-statusbar", has_text="| Busy").wait_for()
    undo = panel.get_by_role("button", name="Undo: go back to state 3")
    undo.click()
    panel.get_by_text("The kernel is busy; this will be done when the cell ends.").wait_for()
    panel.get_by_role("button", name="Take this back").click()
    panel.get_by_text("Taken back: nothing was done.").wait_for()
    panel.get_by_role("button", name="Go to state 2").click()
    panel.get_by_text("The kernel is busy").wait_for()
    panel.locator("tr[aria-current]", has_text="a = [1]").wait_for()
    assert panel.get_by_text("Taken back").count() == 0
    assert "import time" in panel.locator("tr[data-n='6']").text_content()

    tab.get_by_role("menuitem", name="Kernel", exact=True).click()
    tab.get_by_role("menuitem", name="Restart Kernel…").click()
    tab.get_by_role("button", name="Confirm Kernel Restart").click()
    panel.get_by_text("The kernel of this panel has ended").wait_for()
    assert panel.get_by_role("toolbar").count() == 0
    assert "a.append(2)" in panel.text_content()
    panel.get_by_role("button", name="State 3: details").press("Control+s")
    tab.locator("#jp-main-dock-panel .jp-mod-dirty").wait_for(state="detached")
    tab.reload()
    panel = tab.locator("elastictm-past")
    panel.get_by_text("As it was on").wait_for()
    assert panel.locator("tr[data-n='3'] .etm-go").text_content() == "%past 3"
    assert panel.locator("svg circle").count() == 5
    assert panel.get_by_role("button").count() == 0
