"""Type variables and new types, which are compared by identity, are one object after a restore wherever they are used."""

from __future__ import annotations

from contextlib import closing

import pytest

import elastictm as tm
from elastictm.testing.places import Console

MADE = (
    "import typing\nT = typing.TypeVar('T', bound=int)\nP = typing.ParamSpec('P')\nUserId = typing.NewType('UserId', int)",
    "class Box(typing.Generic[T]):\n    item: T",
    "def call(f: typing.Callable[P, T], who: UserId) -> T:\n    return f(who)",
    "held = [T, P, UserId, Box[T]]\nother = (T,)",
    "old = [T]\nT = typing.TypeVar('T')\nnew = {'T': T}",
)
SAME = (
    "call.__annotations__['f'].__args__[1] is old[0]",
    "{id(t) for t in (Box.__parameters__[0], held[0], other[0], old[0], call.__annotations__['return'])} == {id(old[0])}",
    "held[1] is P and held[2] is UserId is call.__annotations__['who'] and call.__annotations__['f'].__args__[0] is P",
    "new['T'] is T is not old[0] and T.__bound__ is None and old[0].__bound__ is int",
    "held[3].__parameters__ == (old[0],) and UserId.__supertype__ is int",
)


@pytest.mark.parametrize("policy", ["store-all", "optimal"])
def test_type_variables_are_shared(notebook, tmp_path, policy):
    """Classes, functions and containers refer to the very variable that they referred to, of two with one name too."""
    notebook.run(*MADE)
    report = tm.save(tmp_path / "typing.tm", bandwidth="1GB/s", policy=policy)
    assert not [v.name for v in report.variables if v.outcome == "lost"]
    with closing(Console(tmp_path / "here", tmp_path / "other home")) as place:
        place.restore(tmp_path / "typing.tm")
        assert [claim for claim in SAME if place.ask(claim) is not True] == []


def test_a_name_for_a_type_variable_is_no_change(notebook):
    """Cells that use a type variable, or give it another name, change nothing that holds it."""
    notebook.run(*MADE)
    notebook.run("Box[T], call, held")
    assert [str(w.name) for w in notebook.runs[-1].writes if "[" not in w.name] == []
    notebook.run("S = T")
    assert [str(w.name) for w in notebook.runs[-1].writes] == ["S"]
