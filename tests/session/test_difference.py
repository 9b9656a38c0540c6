"""What histories say of two states of a real session holds for the values, whatever the cells did."""

from __future__ import annotations

import copy
import random

import pytest

from elastictm.ids import is_variable
from elastictm.model.divergence import differences_of_lines
from elastictm.model.wire import decode_history, encode_history
from elastictm.values.contrast import contrast

CELLS = (
    "a = [1, 2]",
    "b = {'k': a}",
    "b = {'k': [1, 2]}",
    "a.append(len(a))",
    "c = b.get('k') if 'b' in globals() else None",
    "if c is not None: c.append(0)",
    "d = [set('ab'), (1, 'x')]",
    "d[0].add(len(d[0]))",
    "d = [set('ab'), (1, 'x')]",
    "e = d",
    "del d",
    "n = 5",
    "n = n + 1",
    "n",
    "del a",
    "f = [b, {'z': n}]",
    "f[1]['z'] = 0",
    "raise ValueError",
)


def state(notebook):
    """The history so far, and a deep copy of all variables."""
    names = [name for name in notebook.session.history.live if is_variable(name)]
    return decode_history(encode_history(notebook.session.history)), {n: copy.deepcopy(notebook.ns[n]) for n in names}


@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_changed_is_called_the_same(notebook, seed):
    """Compared with copies of all values: the same are equal, the rest is named, and its lines tell what differs."""
    chance = random.Random(seed)
    states = []
    for _ in range(6):
        notebook.run(*chance.choices(CELLS, k=4))
        states.append(state(notebook))
    for before, old in states:
        for after, new in states:
            found = differences_of_lines(before, after)
            pairs = {one.name for one, _ in found.pairs}
            renamed = {name for pair in found.renamed for name in (pair[0].name, pair[1].name)}
            assert found.same | pairs == old.keys() & new.keys()
            assert {r.name for r in found.created} | (renamed - old.keys()) == new.keys() - old.keys()
            assert {r.name for r in found.deleted} | (renamed - new.keys()) == old.keys() - new.keys()
            assert {name for name in found.same if old[name] != new[name]} == set()
            for name in old.keys() & new.keys():
                assert bool(contrast(old[name], new[name])) is (old[name] != new[name])
            for one, other in found.renamed:
                assert old[one.name] == new[other.name]
