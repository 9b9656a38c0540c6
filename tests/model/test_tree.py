"""The tree of states: lines, branches, undo and redo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elastictm.ids import Name, RunNumber
from elastictm.model.records import CellRun, VersionRecord
from elastictm.model.tree import State, StateTree


def run(n, *writes, **rest):
    """A cell run that wrote some variables."""
    return CellRun(
        n, f"cell {n}", 0.0, 0.0, writes=tuple(VersionRecord(Name(w), n, "int", 1, 0.0) for w in writes), **rest
    )


def tree_of(*states):
    """A tree of (number, parent, names written)."""
    tree = StateTree()
    for n, parent, *writes in states:
        if parent is not None:
            tree.go(parent)
        tree.append(State(run(n, *writes), parent))
    return tree


BRANCHED = [(0, None), (1, 0, "a"), (2, 1, "b"), (3, 2), (4, 2, "c"), (5, 1, "d")]


def test_a_line_goes_from_the_first_state_to_the_one_asked_for():
    """Each branch has the runs of its own and of those that it came from."""
    tree = tree_of(*BRANCHED)
    assert [s.n for s in tree.line(4)] == [0, 1, 2, 4]
    assert [s.n for s in tree.line(5)] == [0, 1, 5]
    assert set(tree.history(4).live) == {"a", "b", "c"}
    assert set(tree.history(5).live) == {"a", "d"}
    assert (tree.children(1), tree.children(5)) == ((2, 5), ())


def test_undo_skips_cells_that_changed_nothing():
    """What the user sees undone is the last cell that changed something."""
    tree = tree_of(*BRANCHED[:4])
    assert (tree.at, tree.undone()) == (3, 1)


def test_nothing_is_undone_before_the_first_state():
    """The state before recording began has nothing before it."""
    assert tree_of((0, None)).undone() is None
    assert StateTree().undone() is None


def test_looks_are_undone_with_the_change_before_them():
    """A cell that only displayed a result is no change: undo takes back the one before, and redo brings both."""
    tree = tree_of((0, None), (1, 0, "a"), (2, 1, "b"), (3, 2, "Out[3]"), (4, 3), (5, 4, "Out[5]"))
    assert tree.undone() == 1
    tree.go(1)
    assert tree.redone() == 5


def test_looking_after_an_undo_leaves_the_way_forward():
    """Who goes back, displays something and goes forward again is where he was; a change opens a branch."""
    tree = tree_of((0, None), (1, 0, "a"), (2, 1, "b"))
    tree.go(1)
    tree.append(State(run(3, "Out[3]"), 1))
    tree.append(State(run(4), 3))
    tree.append(State(run(5, "Out[5]"), 4))
    assert (tree.redone(), tree.undone()) == (2, 0)
    tree.append(State(run(6, "c"), 5))
    assert tree.redone() is None
    tree.go(5)
    assert tree.redone() == 6


def test_redo_leads_along_the_branch_that_was_left():
    """After going back over several states, redo leads forward over the same ones, change by change."""
    tree = tree_of(*BRANCHED)
    tree.go(4)
    tree.go(0)
    assert tree.redone() == 1
    tree.go(1)
    assert tree.redone() == 2
    tree.go(2)
    assert tree.redone() == 4
    tree.go(4)
    assert tree.redone() is None


def test_cells_that_change_nothing_do_not_hide_what_was_undone():
    """After going back one may look around, and still redo."""
    tree = tree_of(*BRANCHED[:3])
    tree.go(1)
    tree.append(State(run(7), 1))
    assert tree.redone() == 2
    tree.append(State(run(8, "z"), 7))
    tree.go(1)
    assert tree.redone() == 8


def test_a_new_cell_is_what_redo_finds():
    """A branch that was opened last hides the older one from redo, not from going there."""
    tree = tree_of(*BRANCHED)
    tree.go(1)
    assert tree.redone() == 5


def test_between_names_what_is_undone_and_what_is_redone():
    """The latest is undone first."""
    undone, redone = tree_of(*BRANCHED).between(5, 4)
    assert ([s.n for s in undone], [s.n for s in redone]) == ([5], [2, 4])


def test_what_was_lost_on_the_way_back_is_not_alive():
    """Variables that did not come back are no part of the states that follow."""
    tree = tree_of((0, None), (1, 0, "a"), (2, 1, "b"))
    tree.append(State(run(3, "c"), 2, (Name("a"),)))
    assert set(tree.history(3).live) == {"b", "c"}
    assert set(tree.history(2).live) == {"a", "b"}


@pytest.mark.parametrize(("n", "parent"), [(2, 1), (7, 9), (7, None)])
def test_states_that_do_not_fit_are_refused(n, parent):
    """A number that is taken, a parent that is not there, a second beginning."""
    tree = tree_of(*BRANCHED[:3])
    with pytest.raises(ValueError, match=f"state {n}"):
        tree.append(State(run(n), parent))


def test_tags_name_states():
    """A tag can move and go."""
    tree = tree_of(*BRANCHED)
    tree.tag("clean", RunNumber(2))
    tree.tag("clean", RunNumber(4))
    assert dict(tree.tags) == {"clean": 4}
    tree.tag("clean", None)
    assert dict(tree.tags) == {}
    with pytest.raises(KeyError):
        tree.tag("none", RunNumber(99))


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30))
def test_undo_and_redo_are_inverse(moves):
    """Wherever one stands in whatever tree: what undo leaves, redo leads back to."""
    tree = tree_of((0, None))
    for n, (back, writes) in enumerate(moves, 1):
        tree.go(list(tree)[back % len(tree)].n)
        tree.append(State(run(n, *(["x"] if writes else [])), tree.at))
    before = tree.at
    line = {s.n: s for s in tree.line(before)}
    target = tree.undone()
    if target is None:
        return
    tree.go(target)
    again = tree.redone()
    assert again in line
    assert all(not s.is_new for n, s in line.items() if n > again)
