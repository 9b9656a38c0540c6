"""The page of a history as a file: whole, closed, and safe whatever the session's cells say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from elastictm.ids import Version
from elastictm.model.outlook import Fates, Outlook, Stretch
from elastictm.model.records import VersionRecord
from elastictm.views.drawing import drawing
from elastictm.views.page import page

HOSTILE = [
    "x = '</script><script>alert(1)</script>'",
    "x = '<!--<script>'",
    'x = "\'&quot;&#39;><img src=x onerror=alert(1)>"',
    "x = ']]>\\u2028\\u2029'",
    "x = '\x00\x07\x1b[31m\x7f'",
    "x = '\u202eevil\u2066'  # \u200b",
    "x = '\ud800'",
]


class Seen(HTMLParser):
    """The elements and attributes of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.scripts and self.lasttag == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data


def data_of(text):
    """The data in a page."""
    return json.loads(Seen(text).scripts[0])


def outlook(history) -> Outlook:
    """A plan that stores all up to a megabyte a second, and one that runs one cell again, beyond."""
    live = [record.version for record in history.live.values()]
    slow = Fates(dict.fromkeys(live, "stored"), bytes=5)
    fast = Fates(slow.outcomes | {live[-1]: "rerun"}, frozenset({Version("clean", 2)}), (7,), 4)
    return Outlook(
        (Stretch(1e5, 1e6, slow, 1.0, 5.0), Stretch(1e6, 1e11, fast, 2.0, 4.0)), {live[0]: 3.0, live[1]: None}
    )


@pytest.mark.parametrize("source", HOSTILE)
def test_sources_are_data_and_nothing_else(source, history_of, make_run, make_record):
    """Whatever a cell, a kind and a file's name say, the page has the elements that it has for a harmless one."""

    def made(text):
        record = VersionRecord("x", 1, text, 5, 0.001)
        run = make_run(1, text, writes=[record], notes=(text,), unrepeatable=(text,), status="error", error=text)
        return page(drawing(history_of(run), (), (text,)), text)

    seen, harmless = Seen(made(source)), Seen(made("x = 1"))
    assert seen.tags == harmless.tags
    # How a table sets a long text is a class of its cell.
    named, expected = ([name for name, _ in one.attributes if name != "class"] for one in (seen, harmless))
    assert named == expected
    assert seen.scripts[1] == harmless.scripts[1]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", made(source))
    kept = data_of(made(source))["rows"][0]["source"]
    assert len(kept) == len(source)
    assert all(other in {one, "\ufffd"} for one, other in zip(source, kept, strict=True))


def test_nothing_comes_from_elsewhere(session):
    """There is no address in the page but the name of SVG's language, and an empty icon."""
    text = page(drawing(session, (), (), outlook(session)), "work.tm")
    assert set(re.findall(r"\w+://[^\s\"'<>]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|import\(|innerHTML|eval\(|document\.write", text)
    sources = [value for name, value in Seen(text).attributes if name in {"src", "href", "action"}]
    assert sources == ["data:,"]


def test_the_data_says_what_the_picture_shows(session):
    """Cells, versions, reads and folds are numbered as the shapes are."""
    text = page(drawing(session, (), (), outlook(session)), "work.tm")
    data = data_of(text)
    dots = re.findall(r'data-dot="(\d+)" data-lane="(\d+)" cx', text)
    assert [(int(dot), int(lane)) for dot, lane in dots] == [(i, dot["lane"]) for i, dot in sorted(
        enumerate(data["dots"]), key=lambda item: item[1]["row"])]  # fmt: skip
    rows = {row["n"]: row for row in data["rows"]}
    assert [data["dots"][i]["row"] for i in rows[7]["reads"]] == [1, 3, 5]
    assert [data["lanes"][lane]["name"] for lane in rows[7]["deletes"]] == ["raw"]
    assert rows[6]["marks"] == ["ZeroDivisionError: division by zero"]


def test_plans_are_told_stretch_by_stretch(session):
    """Each has its ends, its line, and a letter for every variable alive; there is a tick where plans change."""
    text = page(drawing(session, (), (), outlook(session)), "work.tm")
    plans = data_of(text)["outlook"]
    slow, fast = plans["stretches"]
    assert (slow["low"], slow["high"], fast["low"], fast["high"]) == (1e5, 1e6, 1e6, 1e11)
    assert (slow["outcomes"].count("s"), fast["outcomes"].count("r")) == (len(session.live), 1)
    assert fast["cells"] == [7]
    assert plans["saved"] is None
    assert len(re.findall(r"<i style=", text)) == 1
    assert "16.67" not in text.partition("<i style=")[0]
    assert "(100% - 16px) * 0.1667" in text


def test_without_a_plan_there_is_no_slider(session):
    """A page can do without an outlook."""
    text = page(drawing(session, (), ()), "work.tm")
    assert data_of(text)["outlook"] is None
    assert 'id="speed"' not in text.partition("<script>")[0]


def test_errors_of_the_recorder_come_first(session):
    """What recording could not do stands in the page's head."""
    head = page(drawing(session, (), ("recording cell run 3 failed: <boom>",)), "work.tm").partition("</header>")[0]
    assert "recording cell run 3 failed: &lt;boom&gt;" in head


def test_tables_say_the_same(session):
    """Who does not see the picture has the cells and the variables in rows."""
    foot = page(drawing(session, (), (), outlook(session)), "work.tm").partition("<footer>")[2]
    assert foot.count("<tr>") == 2 + len(session.runs) + len(session.live) - 1
    assert "ZeroDivisionError" in foot


def test_a_long_session_is_a_small_page(history_of, make_run, make_record):
    """Five hundred cells take less than a megabyte beside their data."""
    runs = [make_run(1, "v0 = []", writes=["v0"])]
    for n in range(2, 501):
        made = [make_record(f"v{n % 60}", n, n), f"Out[{n}]"]
        last = next(record.version for record in runs[-1].writes)
        runs.append(make_run(n, f"v{n % 60} = step(v{(n - 1) % 60})\n" * 5, [last], made))
    text = page(drawing(history_of(*runs), (), ()), "work.tm")
    assert len(text.encode()) - len(Seen(text).scripts[0]) < 1_000_000
