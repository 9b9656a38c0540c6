"""Every report says the same in all of its forms: losses first, nothing left out, nothing that a page would act on."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elastictm.ids import Name, RunNumber
from elastictm.model.branches import Lane
from elastictm.model.difference import CellBetween, DifferenceReport, VariableDifference
from elastictm.model.fitting import elided, folded, width_of
from elastictm.model.rehearsals import RehearsalReport, RehearsedVariable
from elastictm.model.reports import Choice, PlanReport, RestoreReport, SaveReport, Unrepeatable, VariableReport
from elastictm.model.sessions import SessionLine, SessionList, StateContents
from elastictm.model.settings_report import SettingsReport
from elastictm.model.tables import Table
from elastictm.model.timeline import StateLine, Timeline
from elastictm.model.tones import tone_of

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"
TEXTS = st.text(max_size=60)
NASTY = st.sampled_from(
    ["<script>alert(1)</script>", "a\nb", "\x1b[31mred", "x" * 90, "naïve 値 é", "", "plain & simple"]
)
NAMES = st.from_regex(r"[a-z_]{1,14}", fullmatch=True).map(Name)
SIZES = st.integers(0, 10**12)
TIMES = st.floats(0, 10**5)
WORDS = TEXTS | NASTY
NUMBERS = st.integers(0, 500).map(RunNumber)


def unique(variables):
    """One of each name, in order."""
    return tuple({variable.name: variable for variable in variables}.values())


def lists(strategy, most=5):
    """Tuples of a few."""
    return st.lists(strategy, max_size=most).map(tuple)


VARIABLES = st.builds(
    VariableReport, NAMES, st.sampled_from(["stored", "rerun", "kept", "lost"]), WORDS, WORDS, WORDS, SIZES, TIMES
)
MANY = st.lists(VARIABLES, max_size=40).map(unique)
SETTINGS = st.builds(
    SettingsReport, NAMES, st.dictionaries(NAMES, WORDS, max_size=3),
    lists(NAMES.map(lambda name: f"settings of {name}: x is LOST: no way"), 2), lists(WORDS, 2),
)  # fmt: skip
NOTES = lists(WORDS | NAMES.map(lambda n: f"MAY DIFFER {n}: it drew numbers") | NAMES.map(lambda n: f"LOST: {n}: gone"))
REHEARSALS = st.builds(
    RehearsalReport, WORDS,
    st.lists(st.builds(
        RehearsedVariable, NAMES, st.sampled_from(["lost", "different", "unknown", "same"]),
        st.sampled_from(["stored", "rerun", "lost"]), WORDS, WORDS, WORDS,
    ), max_size=8).map(unique),
    TIMES, st.just("") | WORDS, lists(WORDS), st.just(()), lists(WORDS, 2),
)  # fmt: skip
SAVES = st.builds(
    SaveReport, WORDS, MANY, lists(NUMBERS), TIMES, SIZES, TIMES, SIZES, lists(VARIABLES), NOTES,
    st.none() | REHEARSALS, lists(SETTINGS, 2), st.none() | TIMES,
)  # fmt: skip
RESTORES = st.builds(
    RestoreReport, WORDS, MANY, lists(NUMBERS), TIMES, SIZES, lists(VARIABLES), lists(WORDS), NOTES,
    settings=lists(SETTINGS, 2), predicted_seconds=st.none() | TIMES, predicted_bytes=st.none() | SIZES,
)  # fmt: skip
CHOICES = st.builds(Choice, VARIABLES, NUMBERS, st.none() | TIMES, st.none() | TIMES, lists(NUMBERS), WORDS)
PLANS = st.builds(
    PlanReport, st.lists(CHOICES, max_size=40).map(lambda found: tuple({c.report.name: c for c in found}.values())),
    lists(NUMBERS), TIMES, SIZES, st.sampled_from(["optimal", "store-all", "rerun-all"]), st.floats(1, 1e12), NOTES,
    lists(st.builds(Unrepeatable, NUMBERS, WORDS, WORDS), 3), lists(WORDS),
)  # fmt: skip
DIFFERENCES = st.builds(
    DifferenceReport, WORDS, WORDS, lists(st.builds(CellBetween, NUMBERS, WORDS, st.sampled_from(["undone", "run"]))),
    st.lists(st.builds(
        VariableDifference, NAMES, st.sampled_from(["changed", "unclear", "renamed", "created", "deleted"]), WORDS,
        WORDS, st.none() | SIZES, st.none() | SIZES, st.none() | NUMBERS, st.none() | NUMBERS, lists(WORDS),
    ), max_size=30).map(unique), st.integers(0, 9), lists(WORDS), lists(WORDS),
)  # fmt: skip
TIMELINES = st.builds(
    Timeline, WORDS, st.lists(st.builds(
        StateLine, NUMBERS, st.sampled_from([Lane(), Lane(1, 1, (0,)), Lane(1, 0)]), WORDS, TIMES, TIMES, lists(NAMES), SIZES,
        lists(NAMES, 2), st.booleans(), st.none() | TIMES, lists(NAMES, 2),
    ), max_size=40).map(lambda found: tuple({state.n: state for state in found}.values())), st.integers(0, 50), SIZES,
    lists(WORDS), lists(WORDS),
)  # fmt: skip
SESSIONS = st.builds(SessionList, WORDS, lists(st.builds(SessionLine, NAMES, TIMES, WORDS, st.none() | WORDS, WORDS, SIZES, st.booleans(), lists(WORDS, 2))))  # fmt: skip
CONTENTS = st.builds(StateContents, WORDS, MANY)
REPORTS = st.one_of(SAVES, RESTORES, PLANS, REHEARSALS, DIFFERENCES, TIMELINES, SESSIONS, CONTENTS)
LOSING = st.one_of(SAVES, RESTORES, PLANS, REHEARSALS)
CHECKED = settings(max_examples=20, deadline=None)


class Page(HTMLParser):
    """What a page has: tags, their classes, and the text of each class."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """A tag begins."""
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        """A tag ends, and it is the innermost."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Some text."""
        if self.open[-1:] != ["style"]:
            self.text.append(data)


@CHECKED
@given(report=REPORTS, width=st.integers(60, 200))
def test_text_fits_a_terminal(report, width):
    """No line of the text form takes more places than there are, whatever stands in it."""
    assert max(map(width_of, report.to_text(width).splitlines()), default=0) <= width


@CHECKED
@given(report=LOSING, width=st.integers(60, 200))
def test_losses_come_first_and_whole_in_text(report, width):
    """Lines of losses stand above all that differs, and above the rest; none of their text goes in a narrow terminal."""
    table = report.tables()[0]
    tones = [tone_of(line) for line in table.first]
    assert tones == sorted(tones, key=["lost", "differs", ""].index)
    squeezed = re.sub(r"\s", "", report.to_text(width))
    assert all(
        re.sub(r"\s", "", "".join(c if c.isprintable() else "" for c in line)) in squeezed for line in table.first
    )


@CHECKED
@given(report=LOSING)
def test_losses_come_first_in_json(report):
    """The variables that are lost are the first, and nothing but plain values is in it."""
    told = json.loads(json.dumps(report.to_json()))
    words = [v.get("verdict") or v["outcome"] for v in told["variables"]]
    assert words == sorted(words, key=lambda word: word != "lost")


@CHECKED
@given(report=REPORTS)
def test_html_is_whole_and_does_nothing(report):
    """Tags are closed, there is no script, no handler and no address, and what users wrote is text."""
    page = Page(report._repr_html_())
    assert page.open == []
    allowed = {
        "div",
        "style",
        "ul",
        "li",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "details",
        "summary",
        "pre",
    }
    assert {tag for tag, _ in page.tags} <= allowed
    assert {name for _, attributes in page.tags for name in attributes} <= {"class", "scope"}
    assert "url(" not in report._repr_html_()


@CHECKED
@given(report=REPORTS)
def test_html_says_what_text_says(report):
    """Every heading, line, cell and note of the tables stands in the page, losses before the table."""
    html = report._repr_html_()
    text = unescape("".join(Page(html).text))
    for table in report.tables():
        for told in (table.heading, *table.first, *table.notes, *(cell for row in table.rows for cell in row)):
            assert told.replace("\r", "\n") in text.replace("\r", "\n")
    table = report.tables()[0]
    if table.rows and table.lines:
        assert html.index("etm-first") < html.index("<table>")


@CHECKED
@given(report=st.one_of(SAVES, RESTORES, PLANS, CONTENTS))
def test_json_says_what_the_table_says(report):
    """Every variable of the table and of the losses is in the JSON, and no other."""
    table = report.tables()[0]
    shown = {row[0] for row in table.rows} | {v.name for v in report.variables if v.outcome == "lost"}
    assert {v["name"] for v in report.to_json()["variables"]} == shown


def documented(title):
    """The keys in the table of a section of the page on reports."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return {
        key
        for cell in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
        for key in re.findall(r"\w+", cell)
    }


@pytest.mark.parametrize(("title", "strategy"), [
    ("A save", SAVES), ("A restore", RESTORES), ("A plan", PLANS), ("A rehearsal", REHEARSALS),
    ("A difference", DIFFERENCES), ("A past", TIMELINES), ("Sessions", SESSIONS), ("What a state holds", CONTENTS),
])  # fmt: skip
def test_each_key_is_documented(title, strategy):
    """The page lists the keys that a report has, no more and no fewer."""

    @settings(max_examples=5, deadline=None)
    @given(report=strategy)
    def compare(report):
        optional = {"rehearsal"} if title == "A save" else set()
        assert set(report.to_json()) | optional == documented(title)

    compare()


def test_numbers_are_right_aligned_and_have_units():
    """A column of numbers ends at one place; a column with any other text does not."""
    table = Table("h", ("name", "bytes", "why"), (("a", "1.2 MB", "12 kB"), ("b", "900 B", "no 12")))
    assert table.to_text().splitlines()[1:] == ["  name   bytes  why", "  a     1.2 MB  12 kB", "  b      900 B  no 12"]


def test_long_tables_fold():
    """A page shows so many rows at once, and the others when asked."""
    html = Table("h", ("n",), tuple((f"x{i}",) for i in range(100))).to_html()
    assert "<details><summary>76 more rows</summary>" in html
    assert html.count("<tr>") == 102


def test_predicted_stands_beside_actual():
    """A save and a restore tell both, as far as both are known."""
    saved = SaveReport("a.tm", (), (), 1.5, 2_000_000, 1.0, 1_000_000, restore_seconds=3.0)
    assert "1.5 s (predicted 1.0 s), 2.0 MB (predicted 1.0 MB); a restore is predicted to take 3.0 s" in str(saved)
    restored = RestoreReport("a.tm", (), (), 1.5, 2_000_000, predicted_seconds=1.0, predicted_bytes=1_000_000)
    assert "1.5 s (predicted 1.0 s), 2.0 MB (predicted 1.0 MB)" in str(restored)


@CHECKED
@given(text=WORDS, room=st.integers(0, 40))
def test_what_is_elided_keeps_its_ends(text, room):
    """A text that is cut fits, and begins and ends as it did."""
    cut = elided(text, room)
    assert width_of(cut) <= room
    assert cut == text or (cut.count("…") >= 1 and text.startswith(cut.split("…")[0])) or room < 2


@CHECKED
@given(text=st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=200), room=st.integers(12, 80))
def test_what_is_folded_loses_nothing(text, room):
    """A text in several lines has all of its characters but spaces, in order."""
    lines = folded(text, room, "  ", "    ")
    assert max(map(len, lines)) <= room
    assert "".join("".join(lines).split()) == "".join(text.split())
