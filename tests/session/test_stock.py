"""Taking stock: what counts as changed behind recording's back."""

from __future__ import annotations

import decimal

from elastictm.ids import Name, RunNumber
from elastictm.model.records import VersionRecord
from elastictm.session.options import SaveOptions
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


def test_what_no_cell_made_is_in_every_save(notebook):
    """What was made outside of cells is saved, and saved again, though nothing happened in between."""
    notebook.run("x = [1]", "y = 1")
    notebook.shell.run_cell("x = [1, 2]; w = 5", store_history=False)
    for _ in range(2):
        choices = notebook.session.plan(SaveOptions()).choices
        assert {(choice.report.name, choice.report.outcome) for choice in choices} == {
            ("x", "stored"),
            ("y", "stored"),
            ("w", "stored"),
        }
    run = notebook.run("z = 1")
    assert {record.name for record in run.writes} == {"x", "w", "z"}


def test_settings_that_no_cell_changed_are_in_every_save(notebook):
    """A save that saw what was set outside of cells leaves it to the next cell run to record."""
    notebook.run("import decimal; x = [1]", "y = 1")
    notebook.shell.run_cell("x; decimal.getcontext().prec = 9", store_history=False)
    try:
        for _ in range(2):
            notebook.session.plan(SaveOptions())
            assert "decimal" in notebook.session.recorder.settled().settings
        run = notebook.run("z = 1")
        assert (run.unrepeatable, [version.library for version in run.settings]) == ((), ["decimal"])
    finally:
        decimal.setcontext(decimal.Context())
