"""What is only known weakly is stored where anything else holds it, and is no matter where it is garbage."""

from __future__ import annotations

import gc
import socket

import pytest

from elastictm.ids import Name
from elastictm.values.definitions import Purity
from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.passes import DeepPass, Pass, Sink
from elastictm.values.thaw import Frost, Thawer

figures = pytest.importorskip("matplotlib.figure")


def digest(value):
    """The digest of a value by itself."""
    return Freezer(Surroundings({})).start().add(Name("x"), value).digest


def again(**values):
    """Values as they come back from a unit."""
    around = Surroundings({})
    unit = Freezer(around).group(values, keep=True).unit
    frost = Frost(unit.names, unit.stream, unit.segments, unit.slices, unit.definitions)
    return Thawer(around, lambda key: pytest.fail(f"no definition {key}"), {}).group(frost)


@pytest.fixture
def collected():
    """Collections at the moments that a test chooses, and at no other."""
    gc.collect()
    gc.disable()
    yield gc.collect
    gc.enable()


def test_garbage_in_a_figure_changes_no_digest(collected):
    """A figure whose old legend is still about, in cycles of its own, looks as it does once that is gone."""
    figure = figures.Figure()
    axes = figure.add_subplot()
    axes.scatter([1, 2], [3, 4], c=[5, 6], label="dots")
    axes.legend().remove()
    axes.legend()
    before = digest(figure)
    assert collected() > 0
    assert digest(figure) == before


def test_what_changed_is_told_to_those_in_use(collected):
    """A figure that came back draws again what new limits, and new colours, move."""
    figure = figures.Figure()
    axes = figure.add_subplot()
    dots = axes.scatter([1, 2], [3, 4], c=[5, 6])
    bar = figure.colorbar(dots)
    back = again(figure=figure, dots=dots, bar=bar)
    collected()
    there = back["figure"].axes[0]
    where = there.transData.transform((1, 3)).tolist()
    there.set_xlim(-10, 10)
    assert there.transData.transform((1, 3)).tolist() != where
    back["dots"].set_clim(0, 100)
    assert (back["bar"].vmin, back["bar"].vmax) == (0, 100)


def test_what_listens_comes_back():
    """A colour bar of a surface follows its colours, and a slider moves what it moved before."""
    widgets = pytest.importorskip("matplotlib.widgets")
    numpy = pytest.importorskip("numpy")
    figure = figures.Figure()
    x, y = numpy.meshgrid(numpy.linspace(-1, 1, 5), numpy.linspace(-1, 1, 5))
    surface = figure.add_subplot(projection="3d").plot_surface(x, y, x * y, cmap="viridis")
    bar = figure.colorbar(surface)
    flat = figures.Figure()
    axes = flat.add_subplot()
    (line,) = axes.plot([0, 1])
    slider = widgets.Slider(flat.add_axes((0.2, 0.05, 0.6, 0.03)), "height", 0, 2)

    def follow(height, line=line):
        line.set_ydata([0, height])

    slider.on_changed(follow)
    back = again(surface=surface, bar=bar, line=line, slider=slider)
    back["surface"].set_clim(-0.3, 0.3)
    assert (back["bar"].vmin, back["bar"].vmax) == (-0.3, 0.3)
    back["slider"].set_val(1.5)
    assert list(back["line"].get_ydata()) == [0, 1.5]


def test_a_listener_that_cannot_be_stored_is_told():
    """An axes that a handler of its limits is lost with says so."""
    figure = figures.Figure()
    axes = figure.add_subplot()
    link = socket.socket()
    axes.callbacks.connect("xlim_changed", lambda _, link=link: link.fileno())
    group = Freezer(Surroundings({})).group({Name("figure"): figure}, keep=True)
    link.close()
    assert "comes back without what listens to 'xlim_changed', which cannot be stored" in group.flaws["figure"].reason


def test_what_a_later_variable_holds_is_tied_as_well():
    """A transform whose dependent is in another variable of the group knows of it again."""
    transforms = pytest.importorskip("matplotlib.transforms")
    box = transforms.Bbox([[0, 0], [1, 1]])
    wide = transforms.TransformedBbox(box, transforms.Affine2D().scale(2))
    back = again(box=box, wide=wide)
    assert back["wide"].x1 == 2
    back["box"].x1 = 3
    assert back["wide"].x1 == 6


def test_both_passes_tie_alike():
    """The pass for any depth writes what that of pickle does."""
    figure = figures.Figure()
    axes = figure.add_subplot()
    axes.plot([1, 2], label="line")
    axes.legend()
    streams = []
    for kind in (Pass, DeepPass):
        run = kind(Surroundings({}), Sink(lambda: 0.0, None, keep=True), Purity({}))
        run.dump(figure)
        streams.append(b"".join(run.sink.kept))
    assert streams[0] == streams[1]
