"""The drawing of a history, as text and as a picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from elastictm.errors import UsageError
from elastictm.ids import Version
from elastictm.model.records import Lapse
from elastictm.views.drawing import drawing

SVG = "{http://www.w3.org/2000/svg}"


def svg_of(html):
    """The picture in a page, parsed."""
    return ET.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL)[0])


def row_of(text, n):
    """The line of a cell run."""
    return next(line for line in text.splitlines() if re.match(rf" +{n} ", line))


def test_each_run_has_a_row_with_what_it_did(session):
    """Number, mark, time, source, reads, writes and bytes stand in one line."""
    text = str(drawing(session, [], []))
    assert re.search(r"5 +✓ +2\.5 s +model = fit\(clean\) +clean → model", row_of(text, 5))
    assert "1.1 MB" in row_of(text, 3)
    assert "raw, clean, model → score, Out[7], del raw" in row_of(text, 7)


def test_what_is_notable_stands_beside_its_cell(session):
    """Errors, effects, files, assumptions, refusals, notes and remarks all show."""
    text = str(drawing(session, [], []))
    assert "reads file /data/a.csv" in row_of(text, 1)
    assert "assumed written: clean" in row_of(text, 3)
    assert "not repeatable: default_rng() without a seed; model cannot be stored: a lock of a thread" in row_of(text, 5)
    assert "✗" in row_of(text, 6)
    assert "ZeroDivisionError: division by zero" in row_of(text, 6)
    assert "write /out/score.txt; recording took too long" in row_of(text, 7)
    assert "cell 5: running it again gave another value of model" in text


def test_the_heading_sums_up(session):
    """Cell runs, live variables, seconds and bytes are counted; what existed before is no cell run."""
    assert "History: 7 cell runs, 6 variables alive, 14.0 s, 1.1 MB" in str(drawing(session, [], []))


def test_errors_of_the_recorder_come_first(session):
    """What recording could not do is the first thing that a reader sees, in both forms."""
    drawn = drawing(session, [], ["recording cell run 3 failed: <boom>"])
    assert str(drawn).startswith("recording cell run 3 failed: <boom>\nHistory")
    assert drawn._repr_html_().startswith("<p><strong>recording cell run 3 failed: &lt;boom&gt;</strong></p>")


def test_names_restrict_table_and_picture(session):
    """With names only their lineage is drawn."""
    drawn = drawing(session, ["other"], [])
    assert "other = 5" in str(drawn)
    assert "dropna" not in str(drawn)
    assert "dropna" not in drawn._repr_html_()


def test_an_unknown_name_is_a_usage_error(session):
    """A name that never was gives an error instead of an empty drawing."""
    with pytest.raises(UsageError, match="nothing_like_it"):
        drawing(session, ["nothing_like_it"], [])


def test_the_picture_is_sound_and_needs_nothing_from_elsewhere(session):
    """It is well-formed XML without scripts, links or style sheets."""
    html = drawing(session, [], [])._repr_html_()
    svg = svg_of(html)
    assert {node.tag.removeprefix(SVG) for node in svg.iter()} == {"svg", "text", "title", "line", "circle", "path"}
    assert not re.search(r"<script|href|@import|url\(", html)


def test_dots_are_versions_and_rings_are_reads(session):
    """Each version has a dot in its lane, each read a ring in that lane, each deletion a cross."""
    circles = list(svg_of(drawing(session, [], [])._repr_html_()).iter(f"{SVG}circle"))
    titles = [circle[0].text for circle in circles]
    dots = [title.split(":")[0] for title in titles if " reads " not in title]
    assert sorted(dots) == ["clean@2", "clean@3", "earlier@0", "model@5", "other@4", "raw@1", "score@7"]
    assert sum(title.startswith("cell 7 reads") for title in titles) == 3
    place = {title: circle.get("cx") for title, circle in zip(titles, circles, strict=True)}
    assert place["cell 5 reads clean@3"] == place["clean@2: DataFrame, 1.0 MB"]
    assert len(list(svg_of(drawing(session, [], [])._repr_html_()).iter(f"{SVG}path"))) == 1


def test_text_from_users_cannot_break_the_picture(history_of, make_run):
    """Markup, quotes and control characters in sources arrive as text."""
    source = "x = '<script>\"&\x1b[31m\x00'"
    html = drawing(history_of(make_run(1, source, writes=["x"])), [], [])._repr_html_()
    svg_of(html)
    assert "<script" not in html


def test_everything_stays_inside_the_frame(session):
    """No dot, ring or line lies outside the picture."""
    svg = svg_of(drawing(session, [], [])._repr_html_())
    width, height = float(svg.get("width")), float(svg.get("height"))
    for node in svg.iter():
        for key, value in node.attrib.items():
            if key in {"x1", "x2", "cx"}:
                assert 0 <= float(value) <= width
            if key in {"y1", "y2", "cy"}:
                assert 0 <= float(value) <= height


@pytest.mark.parametrize(("cells", "names", "drawn"), [(60, 1, True), (61, 1, False), (2, 40, True), (2, 41, False)])
def test_beyond_what_is_legible_there_is_the_table(history_of, make_run, cells, names, drawn):
    """Up to 60 cell runs and 40 variables there is a picture, beyond that the table alone."""
    history = history_of(*(make_run(n, "x", writes=[f"v{i}" for i in range(names)]) for n in range(1, cells + 1)))
    html = drawing(history, [], [])._repr_html_()
    assert ("<svg" in html) is drawn
    assert "<table>" in html


def test_a_result_that_no_cell_reads_has_no_lane(history_of, make_run):
    """Displayed results crowd the picture only where a cell used them."""
    history = history_of(
        make_run(1, "1", writes=["Out[1]"]),
        make_run(2, "2", writes=["Out[2]"]),
        make_run(3, "y = _2", [("Out[2]", 2)], ["y"]),
    )
    lanes = [
        node.text for node in svg_of(drawing(history, [], [])._repr_html_()).iter(f"{SVG}text") if node.get("transform")
    ]
    assert lanes == ["Out[2]", "y"]


def test_a_variable_that_did_not_come_back_ends_there(history_of, make_run):
    """The lane of a variable that a restore lost stops at that restore, and a note tells."""
    history = history_of(make_run(1, "x = 1", writes=["x"]))
    history.lapse(["x"])
    history.append(make_run(2, "y = 1", writes=["y"]))
    drawn = drawing(history, [], [])
    assert history.lapses == (Lapse(1, ("x",)),)
    assert "after cell 1, these did not come back: x" in str(drawn)
    lives = [node for node in svg_of(drawn._repr_html_()).iter(f"{SVG}line") if node.get("x1") == node.get("x2")]
    assert lives[0].get("y1") == lives[0].get("y2")


def test_an_empty_history_is_drawn_as_nothing(history_of):
    """A session without cells has a heading and no picture."""
    drawn = drawing(history_of(), [], [])
    assert str(drawn) == "History: 0 cell runs, 0 variables alive, 0 µs, 0 B"
    assert "<svg" not in drawn._repr_html_()


def test_a_drawing_does_not_change_with_its_history(history_of, make_run):
    """What was drawn stays as it was when more cells run."""
    history = history_of(make_run(1, "x = 1", writes=["x"]))
    drawn = drawing(history, [], [])
    before = str(drawn), drawn._repr_html_()
    history.append(make_run(2, "y = x", [Version("x", 1)], ["y"]))
    assert (str(drawn), drawn._repr_html_()) == before


def test_long_lists_of_names_are_cut(history_of, make_run):
    """A cell that touched everything does not widen the table without end."""
    history = history_of(make_run(1, "make()", writes=[f"name_{i}" for i in range(300)]))
    assert "name_5 and 294 more" in str(drawing(history, [], []))
