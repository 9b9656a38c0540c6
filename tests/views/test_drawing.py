"""The drawing of a history, as text and as a picture."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from elastictm.errors import UsageError
from elastictm.ids import Version
from elastictm.model.outlook import Fates, Outlook, Stretch
from elastictm.model.records import Lapse, Refusal
from elastictm.views import words
from elastictm.views.colours import COLOURS, TIE
from elastictm.views.drawing import drawing
from elastictm.views.strip import DELETED

SVG = "{http://www.w3.org/2000/svg}"


def svg_of(html):
    """The picture in a page, parsed."""
    return ET.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL)[0])


def row_of(text, n):
    """The line of a cell run."""
    return next(line for line in text.splitlines() if re.match(rf" +{n} [^:]", line))


def shapes(svg, kind):
    """The shapes of a class, with the row that each lies in."""
    found = []
    for row in svg.iter(f"{SVG}g"):
        if "etm-row" in row.get("class", "").split():
            found += [(row, shape) for shape in row.iter() if kind in shape.get("class", "").split()]
    return found


def test_each_run_has_a_row_with_what_it_did(session):
    """Number, mark, time, source, and what was written and deleted stand in one line."""
    text = str(drawing(session, [], []))
    assert re.search(r"5 +✓ +2\.5 s .*model = fit\(clean\).* → model", row_of(text, 5))
    assert re.search(r"7 +✓ +3\.5 s .*score = model\(clean\).* → score, del raw", row_of(text, 7))


def test_what_is_notable_is_told(session):
    """Errors, effects, files, assumptions, refusals, notes and remarks all show, after signs in the rows."""
    text = str(drawing(session, [], []))
    assert "✗" in row_of(text, 6)
    assert "≠" in row_of(text, 5)
    assert "↗" in row_of(text, 7)
    for told in (
        "cell 1: reads file /data/a.csv",
        "cell 3: assumed written: clean",
        "cell 5: not repeatable: default_rng() without a seed",
        "cell 5: model cannot be stored: a lock of a thread",
        "cell 5: running it again gave another value of model",
        "cell 6: ZeroDivisionError: division by zero",
        "cell 7: write /out/score.txt",
        "cell 7: recording took too long",
    ):
        assert f"  {told}" in text.splitlines()


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
    """It is well-formed XML without scripts, links, style sheets or identifiers that others could clash with."""
    html = drawing(session, [], [])._repr_html_()
    svg = svg_of(html)
    kinds = {node.tag.removeprefix(SVG) for node in svg.iter()}
    assert kinds == {"svg", "g", "text", "title", "circle", "path", "rect"}
    drawn = html[html.index("<svg") : html.index("</svg>")]
    assert "<style" not in drawn
    assert not re.search(r"<script|href|@import|url\(| id=", html)


def test_every_shape_has_a_title(session):
    """Whatever the pointer meets tells what it is."""
    svg = svg_of(drawing(session, [], [])._repr_html_())
    for kind in ("dot", "ring", "cross", "tie", "sign", "life", "label", "name"):
        found = [node for node in svg.iter() if f"etm-{kind}" in node.get("class", "").split()]
        assert found or kind == "tie"
        assert all(node.find(f"{SVG}title") is not None for node in found)


def test_dots_are_versions_and_rings_are_reads(session):
    """Each version has a dot in its cell's row and its name's lane, each read a ring there, each deletion a cross."""
    svg = svg_of(drawing(session, [], [])._repr_html_())
    dots = {shape[0].text.split(":")[0]: (row.get("data-row"), shape) for row, shape in shapes(svg, "etm-dot")}
    assert sorted(dots) == ["Out[7]@7", "clean@2", "clean@3", "earlier@0", "model@5", "other@4", "raw@1", "score@7"]
    assert dots["clean@2"][1].get("cx") == dots["clean@3"][1].get("cx")
    rings = [(row.get("data-row"), shape) for row, shape in shapes(svg, "etm-ring")]
    assert [shape[0].text for row, shape in rings if row == "7"] == [
        "cell 7 reads raw@1", "cell 7 reads clean@3", "cell 7 reads model@5",
    ]  # fmt: skip
    assert next(shape for row, shape in rings if row == "5").get("cx") == dots["clean@2"][1].get("cx")
    assert len(shapes(svg, "etm-cross")) == 1


def test_colours_tell_what_becomes_of_versions(session):
    """With a plan, dots have the colour and the class of their outcome, and cells that run again another bar."""
    versions = {record.name: record.version for record in session.live.values()}
    outcomes = {versions["clean"]: "stored", versions["model"]: "lost", versions["score"]: "rerun"}
    fates = Fates(outcomes, frozenset({Version("clean", 2)}), (7,), 1_100_000)
    outlook = Outlook((Stretch(1e5, 1e9, fates, 2.0, 2.2e6),), {versions["score"]: 3.5, versions["model"]: None})
    drawn = drawing(session, [], [], outlook)
    svg = svg_of(drawn._repr_html_())
    dots = {shape[0].text.split(":")[0]: shape for _, shape in shapes(svg, "etm-dot")}
    assert dots["clean@3"].get("fill") == COLOURS["stored"]
    assert dots["clean@2"].get("fill") == dots["score@7"].get("fill") == COLOURS["rerun"]
    assert dots["model@5"].get("stroke") == COLOURS["lost"]
    assert dots["raw@1"].get("fill") == COLOURS[None]
    assert "re-run; 3.5 s to make again" in dots["score@7"][0].text
    assert "cannot be made again; cannot be stored: model._lock: a lock" in dots["model@5"][0].text
    bars = {row.get("data-row"): shape.get("fill") for row, shape in shapes(svg, "etm-bar")}
    assert (bars["7"], bars["2"]) == (COLOURS["rerun"], COLOURS[None])
    told = "A save at 100 MB/s: 1 lost, 1 re-run, 1 stored, 1.1 MB, about 2.0 s"
    assert told in str(drawn)
    assert told in drawn._repr_html_()


def test_colours_are_seen_on_light_and_dark():
    """Each has a contrast of at least 3 to white and to black, as WCAG asks of graphics."""
    for colour in (*COLOURS.values(), TIE):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        bright = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (bright + 0.05) >= 3
        assert (bright + 0.05) / (0.008 + 0.05) >= 3


def test_text_from_users_cannot_break_the_picture(history_of, make_run):
    """Markup, quotes and control characters in sources arrive as text."""
    source = "x = '<script>\"&\x1b[31m\x00'"
    html = drawing(history_of(make_run(1, source, writes=["x"])), [], [])._repr_html_()
    svg_of(html)
    assert "<script" not in html


def test_everything_stays_inside_the_frame(session):
    """No dot or ring lies outside the picture, nor any row."""
    svg = svg_of(drawing(session, [], [])._repr_html_())
    width, height = float(svg.get("width")), float(svg.get("height"))
    for row, shape in (*shapes(svg, "etm-dot"), *shapes(svg, "etm-ring")):
        assert 0 <= float(shape.get("cx")) <= width
        assert 0 <= float(re.search(r"translate\(0 ([\d.]+)\)", row.get("transform"))[1]) <= height


@pytest.mark.parametrize(("source", "gist"), [
    ("%%time\n# fit\nmodel = fit()", "model = fit()"), ("# only this", "# only this"), ("x = 1\ny = 2", "x = 1 …"),
    ("", "(outside of cells)"), ("print(" + "9" * 99 + ")\n1", "print(999999999999999999999999999…"),
])  # fmt: skip
def test_a_cell_is_told_by_its_first_line_of_code(source, gist, make_run):
    """Magics of a whole cell and comments say little; three dots stand for what does not fit."""
    assert words.gist(make_run(1, source), 34) == gist


def test_a_variable_that_did_not_come_back_ends_there(history_of, make_run):
    """The lane of a variable that a restore lost stops at that restore, and a note tells."""
    history = history_of(make_run(1, "x = 1", writes=["x"]))
    history.lapse(["x"])
    history.append(make_run(2, "y = 1", writes=["y"]))
    drawn = drawing(history, [], [])
    assert history.lapses == (Lapse(1, ("x",)),)
    assert "after cell 1, these did not come back: x" in str(drawn)
    lives = {node.get("data-dot"): node.get("data-bottom") for node in svg_of(drawn._repr_html_()).iter(f"{SVG}g")}
    assert (lives["0"], lives["1"]) == ("0", None)


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


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_a_drawing_fits_its_terminal(session, width):
    """No line of rows and of the table is wider than the terminal, and the lanes go first where it is narrow."""
    shown = Console(file=io.StringIO(), width=width, color_system=None)
    lines = drawing(session, [], []).text(shown).splitlines()
    assert max(map(len, (line for line in lines if not line.startswith(("  cell", "History"))))) <= width
    assert any("●" in line for line in lines) is (width >= 80)


@pytest.mark.parametrize("width", [30, 60])
def test_outcomes_are_legible_where_there_is_little_room(history_of, make_run, make_record, width):
    """Long names and kinds give way to what becomes of a variable, a loss's reason included."""
    name = "n" * 300
    lock = make_record(name, 1, 0, "k" * 60, refusal=Refusal("lock", "a lock of a thread"))
    history = history_of(make_run(1, "make()", writes=[lock, "x"]))
    lost, stored = (history.live[each].version for each in (name, "x"))
    outlook = Outlook((Stretch(1e5, 1e9, Fates({lost: "lost", stored: "stored"}), 0, 0),))
    lines = (
        drawing(history, [], [], outlook).text(Console(file=io.StringIO(), width=width, color_system=None)).splitlines()
    )
    at = next(i for i, line in enumerate(lines) if line.startswith("  variable"))
    assert max(map(len, lines[at - 1 :])) <= width
    assert re.match(r"  n+…n+ .*lost; .*read$", lines[at + 1])
    assert re.match(r"  x .*stored$", lines[at + 2])


def test_what_many_cells_have_in_common_is_told_once(history_of, make_run, make_record):
    """A generator that every cell advances is one line, with the number of cells."""
    refusal = Refusal("g", "a generator that has begun")
    runs = [make_run(n, "next(g)", writes=[make_record("g", n, 0, refusal=refusal)]) for n in range(3, 300)]
    notes = [line for line in str(drawing(history_of(*runs), [], [])).splitlines() if line.startswith("  cell")]
    assert notes == ["  cell 3 and 296 more cells: g cannot be stored: a generator that has begun"]


def test_lanes_of_the_terminal_are_used_again(history_of, make_run):
    """Where a variable is needed no more, another one takes its column; what is read and deleted is drawn there."""
    history = history_of(
        make_run(1, "a = 1", writes=["a"]),
        make_run(2, "b = a", [("a", 1)], ["b"]),
        make_run(3, "c = 1", writes=["c"]),
        make_run(4, "del b", [("b", 2)], deletes=("b",)),
    )
    lines = str(drawing(history, [], [])).splitlines()[1:5]
    assert [line[16:20] for line in lines] == ["●   ", "○ ● ", "● │ ", f"  {DELETED} "]


def test_a_terminal_gets_colours_unless_it_wants_none(session, monkeypatch):
    """Outcomes have colours, the text is the same without them, and NO_COLOR is heard."""
    versions = {record.name: record.version for record in session.live.values()}
    fates = Fates({versions["clean"]: "stored", versions["model"]: "lost"})
    drawn = drawing(session, [], [], Outlook((Stretch(1e5, 1e9, fates, 0, 0),)))
    terminal = {"force_terminal": True, "color_system": "standard", "width": 110}
    shown = drawn.text(Console(file=io.StringIO(), **terminal))
    assert "\x1b[34m●" in shown
    assert "\x1b[1;31m" in shown
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]
    assert "\n".join(plain) == str(drawn)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in drawn.text(Console(file=io.StringIO(), **terminal))


def test_the_variables_alive_are_listed_losses_first(session):
    """Each has its kind, bytes, maker, what making it again takes, and its outcome with the reason."""
    versions = {record.name: record.version for record in session.live.values()}
    fates = Fates({versions["clean"]: "stored", versions["model"]: "lost"})
    drawn = drawing(session, [], [], Outlook((Stretch(1e5, 1e9, fates, 0, 0),), {versions["clean"]: 1.5}))
    table = str(drawn).partition("made by")[2].splitlines()[1:]
    assert re.match(r"  model +Model +cell 5 +- +lost; cannot be stored: model._lock: a lock of a thread", table[0])
    assert re.match(r"  clean +DataFrame +1.1 MB +cell 3 +1.5 s +stored", table[1])


def test_one_of_a_thing_is_told_as_one(history_of, make_run):
    """A picture of one cell run with one name says so."""
    html = drawing(history_of(make_run(1, "a = 1", writes=["a"])), [], [])._repr_html_()
    assert svg_of(html).get("aria-label") == "History of 1 cell run and 1 name"


def test_long_lists_of_names_are_cut(history_of, make_run):
    """A cell that touched everything does not widen the drawing without end."""
    history = history_of(make_run(1, "make()", writes=[f"name_{i}" for i in range(300)]))
    text = str(drawing(history, [], []))
    assert max(map(len, text.splitlines())) <= 110
    assert "and 260 more variables" in text


def test_what_is_lost_is_seen_also_where_dots_lie_on_one_another(history_of, make_run):
    """Of the versions in a fold the one that is lost lies on top, and says how many are below."""
    history = history_of(make_run(1, "1", writes=["Out[1]", "Out[2]", "Out[3]"]))
    live = [record.version for record in history.live.values()]
    fates = Fates({live[0]: "stored", live[1]: "lost", live[2]: "rerun"})
    html = drawing(history, [], [], Outlook((Stretch(1e5, 1e9, fates, 0, 0),)))._repr_html_()
    dots = [shape for _, shape in shapes(svg_of(html), "etm-dot")]
    assert [dot.get("fill") for dot in dots] == [COLOURS["lost"]]
    assert dots[0][0].text == "Out[2]@1: int, 100 B; lost\nand 2 more here"
