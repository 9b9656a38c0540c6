"""What every program has one of ties no values together."""

from __future__ import annotations

import pytest

from elastictm.values.freeze import Surroundings
from elastictm.values.sharing import partition
from elastictm.values.survey import Surveyor


def test_figures_share_no_colours_and_no_shapes():
    """Two figures with the same colour map and the same marks have nothing in common that either could change."""
    figures = pytest.importorskip("matplotlib.figure")
    patches = pytest.importorskip("matplotlib.patches")
    paths = pytest.importorskip("matplotlib.path")
    assert vars(paths.Path.unit_circle())
    drawn = []
    for _ in range(2):
        figure = figures.Figure()
        axes = figure.add_subplot()
        axes.scatter([1, 2], [3, 4], c=[5, 6], cmap="viridis")
        axes.add_patch(patches.Circle((1, 1)))
        figure.draw_without_rendering()
        drawn.append(figure)
    surveyor = Surveyor(Surroundings({}))
    assert partition([surveyor.survey([figure]) for figure in drawn]) == [[0], [1]]
    assert partition([surveyor.survey([value]) for value in (drawn[0], drawn[0].axes)]) == [[0, 1]]
