"""The progress bar."""

from __future__ import annotations

import io
import threading
import time

import pytest
from rich.console import Console

from elastictm.views.progress import ProgressBar


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock at zero."""
    return Clock()


def test_short_work_shows_nothing(clock):
    """What ends within half a second draws nothing."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out, force_terminal=True), clock, ticking=False) as bar:
        clock.now = 0.4
        bar(100, 200)
    assert out.getvalue() == ""


def test_a_terminal_gets_a_bar(clock):
    """After half a second the bar shows the label and how much is done."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out, force_terminal=True, width=100), clock, ticking=False) as bar:
        clock.now = 0.6
        bar(1_000_000, 2_000_000)
    assert "saving" in out.getvalue()
    assert "1.0 MB of 2.0 MB" in out.getvalue()
    assert "━" * 12 + "─" * 12 in out.getvalue()
    assert out.getvalue().endswith(" \r")


def test_a_notebook_gets_one_line_over_itself(clock):
    """A notebook gets plain text that starts each time at the line's beginning, and is wiped at the end."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out, force_jupyter=True), clock, ticking=False) as bar:
        for second in (1.0, 2.0):
            clock.now = second
            bar(1_000_000, 4_000_000)
    first, second, wiped, end = out.getvalue().split("\r")[1:]
    assert first.rstrip() == "saving 1.0 MB of 4.0 MB, 1.0 MB/s, 3.0 s left"
    assert second.rstrip() == "saving 2.0 MB of 4.0 MB, 1.0 MB/s, 2.0 s left"
    assert (wiped.strip(), end) == ("", "")


def test_nothing_is_foretold_before_something_is_known(clock):
    """As long as hardly anything is done, neither a notebook nor a terminal is told a speed or the time left."""
    for console in ({"force_jupyter": True}, {"force_terminal": True, "width": 100}):
        out = io.StringIO()
        clock.now = 0.0
        with ProgressBar("saving", Console(file=out, **console), clock, ticking=False) as bar:
            clock.now = 0.6
            bar(5, 17_000_000)
            assert "saving" in out.getvalue()
            assert "left" not in out.getvalue()
            assert "/s" not in out.getvalue()
            clock.now = 2.0
            bar(8_500_000, 17_000_000)
        assert "4.3 MB/s, 2.0 s left" in out.getvalue()


def test_a_notebook_is_not_flooded(clock):
    """Many small steps write a few lines a second, not one each."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out, force_jupyter=True), clock, ticking=False) as bar:
        for step in range(1000):
            clock.now = 1 + step / 1000
            bar(1)
    assert out.getvalue().count("saving") == 5


def test_a_file_gets_nothing(clock):
    """Where messages go into a file there is no bar."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out), clock, ticking=False) as bar:
        clock.now = 9
        bar(1, 2)
    assert out.getvalue() == ""


def test_what_is_being_done_is_told_with_the_time_that_it_takes(clock):
    """Each stage begins its own count; a cell that runs has the seconds that it took when it was recorded."""
    out = io.StringIO()
    with ProgressBar("restoring", Console(file=out, force_jupyter=True), clock, ticking=False) as bar:
        bar.stage("loading", 4_000_000)
        clock.now = 1.0
        bar(1_000_000)
        clock.now = 2.0
        bar.stage("running cell 3 again (1 of 2): fit(x)", 10.0, "seconds")
        clock.now = 6.0
        bar(0)
        clock.now = 14.0
        bar(0)
        bar.stage("comparing", None, "")
    lines = [line.rstrip() for line in out.getvalue().split("\r")[1:]]
    assert lines == [
        "restoring: loading 1.0 MB of 4.0 MB, 1.0 MB/s, 3.0 s left",
        "restoring: running cell 3 again (1 of 2): fit(x) 10.0 s left",
        "restoring: running cell 3 again (1 of 2): fit(x) 6.0 s left",
        "restoring: running cell 3 again (1 of 2): fit(x) 12.0 s, 10.0 s expected",
        "",
        "",
    ]


def test_a_line_fits_the_terminal(clock):
    """However long a cell's first line is, the line takes one line, and what follows it is not pushed out."""
    out = io.StringIO()
    with ProgressBar("restoring", Console(file=out, force_terminal=True, width=60), clock, ticking=False) as bar:
        clock.now = 1.0
        bar.stage("running cell 3 again: " + "x" * 200, 10.0, "seconds")
    assert max(map(len, out.getvalue().split("\r"))) < 60
    assert "10.0 s left" in out.getvalue()


def test_nothing_is_left_behind_on_failure(clock):
    """Whatever ends the work, the line is wiped and no thread is left."""
    out = io.StringIO()

    def work():
        with ProgressBar("saving", Console(file=out, force_terminal=True, width=60), clock) as bar:
            clock.now = 1.0
            bar(1, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert out.getvalue().split("\r")[-2].strip() == ""
    assert [thread for thread in threading.enumerate() if thread.name == "elastictm-progress"] == []


def test_the_line_goes_on_while_the_work_is_silent():
    """One long call that tells nothing is seen to go on."""
    out = io.StringIO()
    with ProgressBar("saving", Console(file=out, force_jupyter=True), lambda: time.monotonic() * 10) as bar:
        bar.stage("freezing", None, "")
        deadline = time.monotonic() + 10
        while out.getvalue().count("freezing") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert out.getvalue().count("freezing") >= 2
