"""The layout of histories: every version once, in order, and folded so that what matters is seen."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, Refusal, VersionRecord
from elastictm.views.drawing import drawing
from elastictm.views.folding import MOST_LANES, MOST_ROWS, Fold, fold_rows, places
from elastictm.views.frame import Frame
from elastictm.views.lineage import lineage
from elastictm.views.page import page
from elastictm.views.scene import Row, scene


@st.composite
def histories(draw):
    """Sessions of up to 150 cells that write, read, delete and share names at random."""
    random = draw(st.randoms(use_true_random=False))
    history = History()
    for n in range(1, draw(st.integers(1, 150)) + 1):
        live = [record.version for record in history.live.values()]
        reads = random.sample(live, min(len(live), random.choice([0, 1, 1, 3])))
        names = {random.choice([f"v{random.randrange(90)}", f"Out[{n}]"]) for _ in range(random.choice([0, 1, 1, 4]))}
        refused = Refusal("x", "a lock") if random.random() < 0.03 else None
        writes = tuple(
            VersionRecord(name, n, "list", int(10 ** random.uniform(0, 8)), 0.001, refusal=refused)
            for name in sorted(names)
        )
        gone = [version.name for version in live if random.random() < 0.02 and version.name not in names]
        tied = [writes[0].version, reads[0]] if writes and reads and reads[0].name not in (*names, *gone) else []
        history.append(
            CellRun(
                n,
                "import v0" if random.random() < 0.1 else "pass",
                1.0,
                min(random.expovariate(1), 1e6),
                status=random.choice(["ok"] * 30 + ["error"]),
                reads=tuple(reads),
                writes=writes,
                deletes=tuple(gone),
                groups=(tuple(tied),) if tied else (),
                effects=(Effect("write", "out"),) if random.random() < 0.02 else (),
            )
        )
        if random.random() < 0.02 and live:
            history.lapse([random.choice(live).name])
    return history


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(histories())
def test_everything_is_placed_once_and_in_order(history):
    """Each version is one dot with one life, each read a ring, in the row of its cell and the lane of its name."""
    drawn = scene(history, lineage(history, ()))
    assert [row.run.n for row in drawn.rows] == [run.n for run in history.runs]
    written = [record.version for run in history.runs for record in run.writes]
    assert Counter(dot.record.version for dot in drawn.dots) == Counter(written)
    assert [life.dot for life in drawn.lives] == list(range(len(drawn.dots)))
    assert sum(len(run.reads) for run in history.runs) == len(drawn.rings)
    for dot in drawn.dots:
        assert drawn.rows[dot.row].run.n == dot.record.n
        assert drawn.lanes[dot.lane].name == dot.record.name
        assert dot.live is (history.live.get(dot.record.name) == dot.record)
    for ring in drawn.rings:
        assert drawn.lanes[ring.lane].name == ring.version.name
    assert len({lane.name for lane in drawn.lanes}) == len(drawn.lanes)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(histories())
def test_a_life_ends_where_its_version_does(history):
    """A version's line begins at its dot, holds all its readers, and lasts exactly where the version is alive."""
    drawn = scene(history, lineage(history, ()))
    for life in drawn.lives:
        dot = drawn.dots[life.dot]
        assert life.top == dot.row <= life.used
        assert (life.bottom is None) is dot.live
        readers = [ring.row for ring in drawn.rings if ring.version == dot.record.version]
        assert life.used == max([dot.row, *readers])
        assert life.bottom is None or life.used <= life.bottom


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(histories())
def test_what_matters_never_folds(history):
    """Failed and notable cells, and what cannot be stored, stay in sight; the rest folds until few enough are left."""
    drawn = scene(history, lineage(history, ()))
    folded = {i for fold in drawn.row_folds for i in range(fold.first, fold.last + 1)}
    assert not [i for i in folded if drawn.rows[i].notable]
    shown = places(len(drawn.rows), drawn.row_folds).count
    firm = sum(row.notable for row in drawn.rows)
    # Between two rows that stay, up to two may be too few for a fold.
    assert shown <= max(MOST_ROWS, 3 * (firm + 1))
    hidden = {drawn.lanes[i].name for fold in drawn.lane_folds for i in range(fold.first, fold.last + 1)}
    refused = {name for name, record in history.live.items() if record.refusal}
    assert not hidden & {name for name in refused if not name.startswith("Out[")}
    assert places(len(drawn.lanes), drawn.lane_folds).count <= max(MOST_LANES, len(refused)) + 3


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 60), st.data())
def test_folding_keeps_the_order(count, data):
    """Places never go back, follow without gaps, and a closed fold is one place, an open one its rows and a head."""
    ends = sorted(data.draw(st.sets(st.integers(0, count), max_size=8)))
    folds = [Fold(a, b - 1, "x") for a, b in zip(ends[::2], ends[1::2], strict=False)]
    opened = {k for k in range(len(folds)) if data.draw(st.booleans())}
    found = places(count, folds, opened)
    assert list(found.of) == sorted(found.of)
    assert set(found.of) | set(found.folds) == set(range(found.count))
    for k, fold in enumerate(folds):
        inside = found.of[fold.first : fold.last + 1]
        assert list(inside) == [found.folds[k] + (1 + j if k in opened else 0) for j in range(len(fold))]


def test_the_smallest_cells_fold_first(make_run):
    """Where many cells are of one size, a heavy one among them stays."""
    rows = [Row(make_run(n, "x")) for n in range(1, 201)]
    heavy = Row(CellRun(100, "train()", 1.0, 1e6))
    rows[99] = heavy
    folds = fold_rows(rows)
    assert folds
    assert not [fold for fold in folds if fold.first <= 99 <= fold.last]


def test_few_cells_do_not_fold(make_run):
    """What is legible is shown whole."""
    assert fold_rows([Row(make_run(n, "x")) for n in range(1, MOST_ROWS + 1)]) == ()
    assert fold_rows([Row(make_run(n, "x")) for n in range(1, MOST_ROWS + 2)]) != ()


def test_lanes_of_a_kind_stand_together(session, history_of, make_run):
    """Imports come first, then variables in their order, then displayed results."""
    history = history_of(
        make_run(1, "import a, b.c\nfrom d import e as f", writes=["f", "a", "b"]),
        make_run(2, "x = 1; x", writes=["x", "Out[2]"]),
        make_run(3, "import g\ng = 1", writes=["g"]),
        make_run(4, "y = 1; g = 2", writes=["y", "g"]),
    )
    drawn = scene(history, lineage(history, ()))
    assert [(lane.name, lane.kind) for lane in drawn.lanes] == [
        ("f", "import"), ("a", "import"), ("b", "import"), ("x", "variable"), ("g", "variable"), ("y", "variable"), ("Out[2]", "result"),
    ]  # fmt: skip
    assert [(fold.what, len(fold)) for fold in drawn.lane_folds] == [("imports", 3)]


def test_what_was_asked_for_never_folds(history_of, make_run):
    """With names, their lanes are seen, however small they are."""
    history = history_of(
        make_run(1, "x", writes=["tiny", *(f"v{i}" for i in range(99))]),
        make_run(2, "y = v0", [("tiny", 1), *((f"v{i}", 1) for i in range(99))], ["y"]),
    )
    whole = scene(history, lineage(history, ()))
    kinds = {lane.name: lane.kind for lane in scene(history, lineage(history, ["tiny"]), ["tiny"]).lanes}
    assert Counter(lane.kind for lane in whole.lanes)["small"] > 50
    assert kinds["tiny"] == "variable"


def test_sharing_is_told_once(history_of, make_run):
    """A tie is drawn where it forms or changes, and not for each cell that touches it."""
    a, b, c = Version("a", 1), Version("b", 2), Version("c", 4)
    history = history_of(
        make_run(1, "a = []", writes=["a"]),
        make_run(2, "b = [a]", [a], ["b"], groups=((a, b),)),
        make_run(3, "a", [a], groups=((a, b),)),
        make_run(4, "c = b", [b], ["c"], groups=((a, b, c),)),
    )
    assert [(tie.row, tie.lanes) for tie in scene(history, lineage(history, ())).ties] == [(1, (0, 1)), (3, (0, 1, 2))]


@pytest.mark.parametrize("cells", [5, 50, 500])
def test_pictures_are_legible_at_every_length(cells, history_of, make_run):
    """From five to five hundred cells a picture has at most so many rows and lanes, and its sides stay within bounds."""
    history = history_of(*(make_run(n, f"v{n} = {n}", writes=[f"v{n}"]) for n in range(1, cells + 1)))
    drawn = scene(history, lineage(history, ()))
    frame = Frame(drawn)
    assert frame.rows.count <= min(cells, MOST_ROWS)
    assert frame.lanes.count <= min(cells, MOST_LANES + 1)
    assert math.isfinite(frame.width)
    assert frame.width < 1300
    assert frame.height < 2300


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 89))
def test_a_part_is_drawn_like_the_whole(history, number):
    """With a name, its versions and all that belongs to them are drawn, and every form can be made of it."""
    name = f"v{number}"
    if not any(record.name == name for run in history.runs for record in run.writes):
        return
    part = lineage(history, [name])
    drawn = scene(history, part, [name])
    assert {dot.record.version for dot in drawn.dots} == part.versions
    assert {row.run.n for row in drawn.rows} == part.runs
    assert all(ring.version in part.versions for ring in drawn.rings)
    shown = drawing(history, [name], ())
    assert page(shown, name).count('class="etm-dot') == len(drawn.dots)
    frame = Frame(drawn)
    spots = {(frame.x(dot.lane), frame.y(dot.row)) for dot in drawn.dots}
    assert shown._repr_html_().count('class="etm-dot') == len(spots)
    assert str(shown)
