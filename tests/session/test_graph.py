"""``%graph`` in a session: what it shows, what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import re

import pytest
from IPython.core.error import UsageError
from IPython.utils.capture import capture_output

from elastictm.values.freeze import GroupPass


@pytest.fixture
def worked(notebook):
    """A session with some bytes, something made of them, and something that cannot be stored."""
    notebook.run("big = bytes(range(256)) * 4000", "small = big[:10]", "walk = (b for b in big)")
    return notebook


def drawn(notebook, line):
    """What a line displays, in its forms."""
    with capture_output() as captured:
        notebook.shell.run_line_magic("graph", line)
    return captured


def test_the_picture_shows_what_a_save_would_do(worked):
    """It is coloured by the plan at the setting, or at the speed that is asked for, and has the table of variables."""
    html = drawn(worked, "").outputs[0].data["text/html"]
    assert "A save at 100 MB/s: " in html
    assert re.search(r'class="etm-dot etm-rerun"[^>]*><title>big@2: bytes, 1.0 MB; re-run', html)
    assert "etm-refused" in html
    worked.settings.bandwidth = "3MB/s"
    assert "A save at 3.0 MB/s: " in drawn(worked, "big").outputs[0].data["text/html"]
    assert "A save at 7.0 kB/s: " in drawn(worked, "--bandwidth 7kB/s").outputs[0].data["text/html"]


def test_text_stands_beside_the_picture(worked):
    """Where there is no HTML the lanes and the variables are there in characters."""
    text = drawn(worked, "").outputs[0].data["text/plain"]
    assert "● " in text
    assert re.search(r"big +bytes +1.0 MB +cell 2", text)


def test_a_page_is_written_and_nothing_else(worked, tmp_path):
    """The file holds plans at all bandwidths; the cell has read no file, drawn no number, and written that one."""
    run = worked.run("%graph --html graph.html small")
    text = (tmp_path / "graph.html").read_text(encoding="utf-8")
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert [lane["name"] for lane in data["lanes"]] == ["big", "small"]
    assert data["outlook"]["stretches"][0]["low"] == 1e5
    assert data["outlook"]["stretches"][-1]["high"] == 1e11
    assert [effect.kind for effect in run.effects] == ["write"]
    assert (run.files, run.random) == ((), ())


@pytest.mark.parametrize(("line", "message"), [
    ("--bandwidth quick", "'quick' is no bandwidth"), ("bog", "no variable was ever named bog"),
    ("--svg x", "unrecognized arguments: --svg"), ("--html nowhere/x.html", "there is no folder"),
])  # fmt: skip
def test_what_does_not_fit_is_said(worked, line, message):
    """A wrong word gives one line."""
    with pytest.raises(UsageError, match=re.escape(message)):
        worked.shell.run_line_magic("graph", line)


def test_nothing_is_frozen_for_it(worked, monkeypatch):
    """Sizes and times are those that recording knows."""
    before, added = GroupPass.add, []
    monkeypatch.setattr(GroupPass, "add", lambda group, name, *rest: added.append(name) or before(group, name, *rest))
    assert drawn(worked, "").outputs
    assert not {"big", "small", "walk"} & set(added)
