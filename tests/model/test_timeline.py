"""The states of a session as people see them."""

from __future__ import annotations

from elastictm.model.timeline import Costs, timeline
from tests.model.test_tree import BRANCHED, tree_of


def test_states_that_changed_nothing_are_not_listed():
    """What is listed is what one can tell apart."""
    tree = tree_of(*BRANCHED)
    assert [state.n for state in timeline("s", tree, 10.0, Costs()).states] == [0, 1, 2, 4, 5]


def test_the_listing_says_where_one_is_and_what_it_costs_to_go():
    """Tags, bytes, what has to run again, and what would be lost."""
    tree = tree_of(*BRANCHED)
    tree.tag("good", 2)
    tree.go(3)
    shown = timeline("s", tree, 7200.0, Costs({2: 2_000_000}, {4: 3.0}, {5: ("d",)}))
    text = str(shown)
    assert [state.n for state in shown.states if state.here] == [2]
    assert "good <- here" in text
    assert "2.0 MB" in text
    assert "re-runs cells: 3.0 s" in text
    assert "loses d" in text
    assert "2 h" in text
    assert shown.to_json()["states"][2]["tags"] == ["good"]


def test_long_pasts_show_their_end():
    """The latest states are shown, and how many are left out."""
    tree = tree_of((0, None), *((n, n - 1, "x") for n in range(1, 101)))
    shown = timeline("s", tree, 0.0, Costs())
    assert (len(shown.states), shown.hidden) == (60, 41)
    assert "41 earlier states" in str(shown)
    assert timeline("s", tree, 0.0, Costs(), everything=True).hidden == 0
