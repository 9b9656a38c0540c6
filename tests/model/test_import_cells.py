"""Cells that import modules are told apart by whether they may also have used them."""

from __future__ import annotations

import ast

import pytest

from elastictm.model.import_cells import ImportCell, bound_elsewhere

OWN = {"helper", "pkg"}


@pytest.mark.parametrize(
    ("code", "may"),
    [
        ("import helper", False),
        ("import helper\nLIMIT = 3\ndef f():\n    return helper.g()", False),
        ("import helper\nx = helper.LIMIT", False),
        ("import helper\nget_ipython().run_line_magic('matplotlib', 'inline')", False),
        ("import helper\nimport numpy as np\nz = np.zeros(3)\nprint(z)", False),
        ("import helper; x = helper.load()", True),
        ("from pkg.part import f as g\ng()", True),
        ("from helper import *\nload()", True),
        ("import helper\nhelper.LIMIT = 3", True),
        ("import helper\nhelper.CACHE['a'] = 3", True),
        ("import helper\ndef f():\n    return helper.g()\nf()", True),
        ("import helper\n@helper.registered\ndef f():\n    pass", True),
        ("import helper\ndef f(x=helper.g()):\n    pass", True),
        ("import helper\nfor x in helper.made:\n    pass", True),
        ("import helper\nolder.go()", True),
    ],
)
def test_cells_that_use_what_they_import(code, may):
    """Imports, definitions and calls of libraries do nothing to own modules; calls with anything else may."""
    assert ImportCell.of(code).may_use(OWN) is may


def test_statements_that_import():
    """Those of own modules that run with the cell are found in order, under conditions too, not those in functions."""
    code = "import numpy, helper as h\nimport torch\ntry:\n    from pkg.b import c\nexcept ImportError:\n    c = None"
    assert ImportCell.of(f"{code}\ndef f():\n    import helper").imports(OWN) == (
        "import helper as h",
        "from pkg.b import c",
    )
    assert ImportCell.of("import a b") is None


def test_names_bound_elsewhere():
    """Globals of functions, attributes, and texts that name what is set are names that code binds elsewhere."""
    code = "X = 1\ndef f():\n    global G\n    m.A = 2\n    setattr(m, 'S', 3)\n    globals()['T'] = 4\n    y = m.R"
    assert bound_elsewhere(ast.parse(code)) == {"G", "A", "S", "T"}
