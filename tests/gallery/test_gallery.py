"""Notebooks in the style of the libraries' own guides come back in a fresh process: every variable is accounted for.

`make matrix` goes between all Pythons on the machine, with all of the libraries; here it is the Python of the tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest

from elastictm.testing.gallery import Exhibit, restore, save

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "gallery"
LOSSES = json.loads(Path(__file__).with_name("losses.json").read_text(encoding="utf-8"))

LIBRARIES = {
    "matplotlib_figures": ("matplotlib",),
    "networkx_graphs": ("networkx", "numpy", "scipy"),
    "numpy_arrays": ("numpy",),
    "pandas_frames": ("pandas",),
    "polars_frames": ("polars", "pyarrow"),
    "scikit_learn_models": ("sklearn", "pandas"),
    "scipy_tools": ("scipy",),
    "standard_library": (),
    "statsmodels_fits": ("statsmodels", "lightgbm"),
    "sympy_algebra": ("sympy",),
}

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    """Libraries compute on one core: threads that wait for one another by spinning stop tests that run beside."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_variable_of_a_notebook_is_accounted_for(name, tmp_path):
    """What is loaded equals what was saved, and what is lost is lost for the reason that is known beforehand."""
    for library in LIBRARIES[name]:
        pytest.importorskip(library)
    exhibit = Exhibit(NOTEBOOKS / f"{name}.ipynb", LOSSES.get(name, {}))
    saved = save(exhibit, sys.executable, tmp_path / "here", ["store-all"])
    back = restore(saved, "store-all", sys.executable, tmp_path / "there")
    assert back.complaints == ()
    assert len(back.verdict.equal) > 30


def test_every_notebook_of_the_gallery_is_gone_through():
    """The table of this test names all notebooks, and the losses only such as there are, with variables that they make."""
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == sorted(LIBRARIES)
    for name, losses in LOSSES.items():
        text = "\n".join(cell.source for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells)
        assert [variable for variable in losses if variable not in text] == []
