"""Taking stock: what counts as changed behind recording's back."""

from __future__ import annotations

from elastictm.ids import Name, RunNumber
from elastictm.model.records import VersionRecord
from elastictm.session.stock import take_stock
from elastictm.session.tracked import Group, Tracked, Variables
from elastictm.values.freeze import Freezer, Surroundings


def recorded(values, freezer):
    """Variables that recording froze together, as if they shared data."""
    parts = freezer.group(values).parts
    group = Group(list(values), {name: part.digest for name, part in parts.items()})
    variables = Variables()
    for name, value in values.items():
        record = VersionRecord(name, RunNumber(1), "list", parts[name].size, 0.0, parts[name].digest)
        variables.put(name, Tracked(id(value), False, record, group))
    return variables


def test_a_group_that_came_apart_was_not_changed():
    """A digest that was taken after another value's, with which it shares a text, says nothing about the value alone."""
    text = "a text that both refer to"
    values = {Name("one"): [text], Name("two"): [text]}
    freezer = Freezer(Surroundings({}))
    assert take_stock(values, recorded(values, freezer), freezer).astray == frozenset()


def test_a_changed_value_is_astray():
    """A value that is not as recording left it is told, with those that share data with it."""
    shared = [1]
    values = {Name("one"): shared, Name("two"): [shared]}
    freezer = Freezer(Surroundings({}))
    variables = recorded(values, freezer)
    assert take_stock(values, variables, freezer).astray == frozenset()
    shared.append(2)
    assert "one" in take_stock(values, variables, freezer).astray
