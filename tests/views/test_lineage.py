"""The ancestors and descendants of variables."""

from __future__ import annotations

import pytest

from elastictm.errors import UsageError
from elastictm.ids import Version
from elastictm.views.lineage import lineage


def test_without_names_the_whole_history_belongs(session):
    """No names mean every cell run and every version."""
    part = lineage(session, [])
    assert part.runs == {0, 1, 2, 3, 4, 5, 6, 7}
    assert len(part.versions) == 8


def test_ancestors_and_descendants_and_nothing_else(session):
    """A name in the middle brings what it was made from and what was made from it, not what is beside it."""
    part = lineage(session, ["model"])
    assert part.runs == {1, 2, 3, 5, 7}
    assert {str(version) for version in part.versions} == {
        "raw@1", "clean@2", "clean@3", "model@5", "score@7", "Out[7]@7",
    }  # fmt: skip


def test_a_lone_variable_stands_alone(session):
    """What nothing reads and what reads nothing has no company."""
    assert lineage(session, ["other"]).runs == {4}


def test_siblings_of_an_ancestor_are_left_out(history_of, make_run):
    """A cell that made an ancestor made other things too, and these stay out."""
    history = history_of(make_run(1, "a, b = 1, 2", writes=["a", "b"]), make_run(2, "c = a", [("a", 1)], ["c"]))
    assert lineage(history, ["c"]).versions == {Version("a", 1), Version("c", 2)}


def test_all_versions_of_a_name_count(history_of, make_run):
    """A name bound again brings both lines."""
    history = history_of(
        make_run(1, "p = 1", writes=["p"]),
        make_run(2, "x = p", [("p", 1)], ["x"]),
        make_run(3, "q = 1", writes=["q"]),
        make_run(4, "x = q", [("q", 3)], ["x"]),
    )
    assert lineage(history, ["x"]).runs == {1, 2, 3, 4}


@pytest.mark.parametrize(("name", "hint"), [("modle", "did you mean model?"), ("zzz", "give names")])
def test_an_unknown_name_is_named_with_a_hint(session, name, hint):
    """A name that never was a variable is a usage error that helps."""
    with pytest.raises(UsageError, match=hint) as caught:
        lineage(session, [name])
    assert name in str(caught.value)
