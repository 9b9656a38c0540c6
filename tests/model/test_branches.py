"""Branches of states beside each other."""

from __future__ import annotations

from elastictm.model.branches import Lane, lanes
from tests.model.test_tree import tree_of


def drawing(tree):
    """The rows in characters."""
    return {n: lane.drawing for n, lane in lanes(tree).items()}


def test_branches_are_drawn_beside_each_other():
    """The latest branch goes on below its parent, earlier ones leave to the right, as far as there is room."""
    tree = tree_of((0, None), (1, 0, "a"), (2, 1, "b"), (3, 2, "c"), (4, 1, "d"), (5, 4, "e"), (6, 3, "f"), (7, 1, "g"))
    drawn = drawing(tree)
    assert [drawn[n] for n in range(8)] == ["o", "o", "├─o", "│ o", "├─┼─o", "│ │ o", "│ o", "o"]


def test_columns_are_used_again():
    """A branch that ended leaves its column to the next one."""
    drawn = drawing(tree_of((0, None), (1, 0, "a"), (2, 1, "b"), (3, 1, "c"), (4, 1, "d"), (5, 4, "e")))
    assert [drawn[n] for n in range(6)] == ["o", "o", "├─o", "├─o", "o", "o"]


def test_a_row_knows_the_lines_that_meet_it():
    """A dot's own line comes from above and goes on below, a branch leaves the column of its parent."""
    rows = lanes(tree_of((0, None), (1, 0, "a"), (2, 1, "b"), (3, 1, "c")))
    assert rows[0] == Lane(below=True)
    assert rows[2] == Lane(column=1, start=0, passing=(0,))
    assert rows[3] == Lane(above=True)
