"""The graph as people meet it: the page in a browser, the picture in notebooks."""

from __future__ import annotations

import contextlib
import re

import nbformat
import nbformat.v4 as nb
import pytest

from elastictm.model.history import History
from elastictm.model.records import CellRun, Refusal, VersionRecord
from elastictm.session.forecast import Forecast
from elastictm.views.drawing import drawing
from elastictm.views.page import page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def session(cells) -> History:
    """Data, then steps that each make a frame from the one before; looks at it between; one failure, one lock."""
    history = History()
    raw = VersionRecord("raw", 1, "DataFrame", 40_000_000, 0.05)
    history.append(CellRun(1, "import pandas as pd\nraw = pd.read()", 1.0, 4.0, writes=(raw,)))
    last = raw.version
    for n in range(2, cells + 1):
        writes: tuple[VersionRecord, ...] = ()
        more = {}
        if n % 7 == 2:
            writes = (VersionRecord(f"step_{n}", n, "DataFrame", 1000 * n, 0.01),)
        elif n == 5:
            more = {"status": "error", "error": "KeyError: 'prize'"}
        elif n == 6:
            writes = (VersionRecord("lock", n, "lock", 0, 0.0, refusal=Refusal("lock", "it is this process's")),)
        else:
            writes = (VersionRecord(f"Out[{n}]", n, "str", 60, 0.0),)
        source = f"# step {n}\nstep_{n} = change({last.name})  # </script><b>"
        history.append(CellRun(n, source, 1.0, 0.001 * n, reads=(last,), writes=writes, **more))
        last = writes[0].version if n % 7 == 2 else last
    return history


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of a short session and a long one."""
    folder = tmp_path_factory.mktemp("pages")
    for cells in (16, 500):
        history = session(cells)
        outlook = Forecast.of_session(history, folder).outlook()
        (folder / f"{cells}.html").write_text(page(drawing(history, (), (), outlook), "work.tm"), encoding="utf-8")
    return folder


@pytest.fixture
def graph(tab, pages):
    """The page of the short session, opened from disk."""
    tab.goto((pages / "16.html").as_uri())
    return tab


def dot(tab, name):
    """The shape of a version, by the number that the data gives it."""
    names = "data.dots.map(d => data.lanes[d.lane].name + '@' + data.rows[d.row].n)"
    data = "JSON.parse(document.getElementById('data').textContent)"
    i = tab.evaluate(f"(name => {{ const data = {data}; return {names}.indexOf(name); }})({name!r})")
    return tab.locator(f".etm-dot[data-dot='{i}']")


def row(tab, n):
    """The row of a cell in the short session, where nothing comes before the first cell."""
    return tab.locator(f".etm-row[data-row='{n - 1}']")


def has(locator, name) -> bool:
    """Whether a shape has a class."""
    return name in locator.get_attribute("class").split()


def test_pointing_shows_source_and_costs(graph):
    """Over a cell its source shows, as text; over a version what it is, and what storing and making it again takes."""
    tip = graph.locator("#tip")
    row(graph, 9).locator(".etm-label text").nth(1).hover()
    assert "cell 9: ok, 9 ms\n# step 9\nstep_9 = change(step_2)  # </script><b>" in tip.text_content()
    assert tip.locator("b").count() == 0
    dot(graph, "raw@1").hover()
    told = tip.text_content()
    assert told.startswith("raw@1: DataFrame, 40.0 MB")
    assert "900 ms to store and load at 100 MB/s, 4.0 s to make again" in told
    graph.locator("h1").hover()
    assert not tip.is_visible()


def test_clicking_lights_what_belongs_together(graph):
    """A click pins a cell with its past and its future; the rest steps back, and another click brings it forth."""
    row(graph, 9).locator(".etm-label text").nth(1).click()
    lit = [n for n in range(1, 17) if has(row(graph, n), "lit")]
    assert lit == [1, 2, 9, 10, 11, 12, 13, 14, 15, 16]
    assert has(dot(graph, "raw@1"), "lit")
    assert has(dot(graph, "step_16@16"), "lit")
    assert not has(dot(graph, "lock@6"), "lit")
    assert float(dot(graph, "lock@6").evaluate("e => getComputedStyle(e).opacity")) < 0.3
    assert graph.locator("#detail h2").text_content() == "cell 9"
    assert "change(step_2)" in graph.locator("#detail pre").text_content()
    graph.locator("#detail .link", has_text="step_2@2").click()
    assert graph.locator("#detail h2").text_content() == "step_2@2"
    assert graph.locator("#detail .quiet").text_content().startswith("Comes from 1 version, leads to ")
    graph.keyboard.press("Escape")
    row(graph, 9).locator(".etm-label text").nth(1).click()
    row(graph, 9).locator(".etm-label text").nth(1).click()
    assert graph.locator("svg.pinned").count() == 0


def test_the_keyboard_goes_everywhere(graph):
    """Arrows move between cells and versions, Enter pins, Escape unpins, a reader hears where one is."""
    said = graph.locator("#said")
    for key, heard in (
        ("ArrowDown", "cell 1: ok"), ("ArrowDown", "cell 2: ok"), ("ArrowRight", "step_2@2: DataFrame"),
        ("ArrowLeft", "cell 2: ok"), ("End", "cell 16: ok"), ("ArrowUp", "cell 15: ok"), ("Home", "cell 1: ok"),
    ):  # fmt: skip
        graph.keyboard.press(key)
        assert said.text_content().startswith(heard)
    assert graph.locator("#stage").get_attribute("aria-activedescendant") == "current"
    assert graph.locator("#current").get_attribute("aria-label").startswith("cell 1: ok")
    graph.keyboard.press("Enter")
    assert graph.locator("#detail h2").text_content() == "cell 1"
    graph.keyboard.press("Escape")
    assert graph.locator("svg.pinned").count() == 0
    before = graph.locator("#stage svg").bounding_box()["width"]
    graph.keyboard.press("+")
    assert graph.locator("#stage svg").bounding_box()["width"] == pytest.approx(1.25 * before, rel=0.01)
    graph.keyboard.press("0")
    graph.keyboard.press("/")
    assert graph.evaluate("document.activeElement.id") == "search"


def test_search_finds_names_and_source(graph):
    """What matches is marked and counted; Enter goes there, also into what is folded; Escape ends it."""
    graph.keyboard.press("/")
    graph.keyboard.type("step_9")
    assert graph.locator("#found").text_content() == "9 found"
    assert has(row(graph, 9), "hit")
    assert not has(row(graph, 3), "hit")
    graph.keyboard.press("Enter")
    assert graph.locator("#detail h2").text_content() == "step_9@9"
    graph.keyboard.press("Enter")
    assert graph.locator("#found").text_content() == "2 of 9"
    graph.locator("#search").fill("out[12]")
    assert not dot(graph, "Out[12]@12").evaluate("e => e === document.querySelector('.at')")
    graph.keyboard.press("Enter")
    assert graph.locator("#detail h2").text_content() == "Out[12]@12"
    assert graph.locator(".etm-name[data-lane-fold]", has_text="▾").count() >= 1
    graph.keyboard.press("Escape")
    assert graph.locator("#found").text_content() == ""


def test_the_slider_changes_what_becomes_of_variables(graph):
    """At a slow link the large frame is made again, at a fast one it is stored; words, colours and ticks follow."""
    text = graph.locator("#plan-text")
    assert graph.locator(".slide i").count() >= 1
    graph.locator("#speed").fill("0")
    assert "100 kB/s" in text.text_content()
    assert "re-run" in text.text_content()
    assert has(dot(graph, "raw@1"), "etm-rerun")
    slow = dot(graph, "raw@1").evaluate("e => getComputedStyle(e).fill")
    assert has(row(graph, 1).locator(".etm-bar"), "etm-again")
    graph.locator("#speed").fill("1000")
    assert has(dot(graph, "raw@1"), "etm-stored")
    assert dot(graph, "raw@1").evaluate("e => getComputedStyle(e).fill") != slow
    assert "stored" in graph.locator("#speed").get_attribute("aria-valuetext")
    graph.locator("#layer").select_option("none")
    assert not has(dot(graph, "raw@1"), "etm-stored")
    assert text.text_content() == ""


def test_one_cell_that_runs_again_is_told_as_one(tab, tmp_path):
    """What a plan runs again is counted in words that fit the number."""
    history = History()
    big = VersionRecord("big", 1, "DataFrame", 40_000_000, 0.05)
    history.append(CellRun(1, "big = load()", 1.0, 0.01, writes=(big,)))
    outlook = Forecast.of_session(history, tmp_path).outlook()
    (tmp_path / "one.html").write_text(page(drawing(history, (), (), outlook), "one.tm"), encoding="utf-8")
    tab.goto((tmp_path / "one.html").as_uri())
    tab.locator("#speed").fill("0")
    assert "1 cell runs again" in tab.locator("#plan-text").text_content()


def test_light_and_dark(graph):
    """The page follows the system, and a button turns it over."""
    paper = "getComputedStyle(document.body).backgroundColor"
    light = graph.evaluate(paper)
    graph.emulate_media(color_scheme="dark")
    graph.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert graph.evaluate(paper) != light
    graph.locator("#theme").click()
    assert graph.evaluate(paper) == light


def test_a_long_session_folds_and_unfolds(tab, pages):
    """Of five hundred cells few rows are seen; a click opens a fold, another closes it, a button opens all.

    What is scrolled below the label of a fold is not seen through it.
    """
    tab.goto((pages / "500.html").as_uri())
    seen = ".etm-row[data-row] > .etm-label:not([display])"
    first = tab.locator(seen).count()
    assert first < 80
    fold = tab.locator(".etm-row.etm-fold").first
    height = tab.locator("#stage svg").bounding_box()["height"]
    size = int(re.search(r"(\d+) small cells", fold.text_content())[1])
    stage = tab.locator("#stage")
    stage.evaluate("e => e.scrollTo(200, 0)")
    tab.wait_for_function("document.querySelector('#stage svg').style.getPropertyValue('--left') === '200px'")
    ring = tab.locator(".etm-row[data-row='1'] .etm-ring").bounding_box()
    at = "([x, y]) => document.elementFromPoint(x, y).closest('.etm-row.etm-fold > .etm-label') !== null"
    assert tab.evaluate(at, [ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2])
    stage.evaluate("e => e.scrollTo(0, 0)")
    fold.click()
    assert tab.locator(seen).count() == first + size
    assert tab.locator("#stage svg").bounding_box()["height"] > height
    fold.click()
    assert tab.locator(seen).count() == first
    tab.locator("#unfold").click()
    assert tab.locator(seen).count() == 500
    assert tab.locator(".etm-life:not([display])").count() == tab.locator(".etm-dot").count()
    tab.locator("#stage").evaluate("e => e.scrollTo(200, 3000)")
    tab.wait_for_function("document.querySelector('.etm-names').getAttribute('transform') === 'translate(0 3000)'")


def test_dragging_pans(tab, pages):
    """The picture follows the pointer, and the end of a drag is no click."""
    tab.goto((pages / "500.html").as_uri())
    tab.mouse.move(700, 600)
    tab.mouse.down()
    tab.mouse.move(700, 300, steps=4)
    tab.mouse.up()
    assert tab.locator("#stage").evaluate("e => e.scrollTop") == pytest.approx(300, abs=2)
    assert tab.locator("svg.pinned").count() == 0


@pytest.mark.kernel
def test_the_picture_shows_in_notebook_7(tab, server):
    """The static picture is drawn in Notebook 7 as in JupyterLab, and in the colours of the text around."""
    cells = ["%load_ext elastictm", "numbers = list(range(1000))\nsquares = [n * n for n in numbers]", "%graph"]
    url = server.notebook("seven.ipynb", *cells)
    tab.goto(url.replace("/lab/tree/", "/notebooks/").replace("?reset", ""))
    tab.locator(".jp-Notebook").wait_for()
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    picture = tab.locator(".jp-OutputArea-output svg.etm")
    for _ in range(10):
        # What is asked before all of the page is there is forgotten.
        tab.get_by_role("menuitem", name="Run", exact=True).click()
        tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(playwright.TimeoutError):
            picture.wait_for(timeout=6_000)
            break
    # Notebook 7 complains of a setting of its own.
    tab.wrong[:] = [text for text in tab.wrong if "reading 'schema'" not in text]
    assert "squares" in picture.text_content()
    assert picture.locator(".etm-dot").count() >= 2
    assert picture.bounding_box()["width"] > 400


@pytest.mark.kernel
def test_nbconvert_keeps_the_picture(tab, tmp_path):
    """A notebook that is turned into HTML has the picture in it, and it is drawn."""
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    history = session(16)
    html = drawing(history, (), (), Forecast.of_session(history, tmp_path).at())._repr_html_()
    output = nb.new_output("display_data", {"text/html": html, "text/plain": ""})
    document = nb.new_notebook(cells=[nb.new_code_cell("%graph", outputs=[output])])
    nbformat.validate(document)
    body, _ = nbconvert.HTMLExporter(template_name="lab").from_notebook_node(document)
    # The template's own scripts come from a network, which this page has none of.
    plain = re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)
    (tmp_path / "out.html").write_text(plain, encoding="utf-8")
    tab.goto((tmp_path / "out.html").as_uri())
    picture = tab.locator("svg.etm")
    assert picture.locator(".etm-dot").count() == len([w for run in history.runs for w in run.writes])
    assert picture.bounding_box()["height"] > 300
