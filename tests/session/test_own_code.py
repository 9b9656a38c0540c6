"""What own modules do that gives another result each time makes the cells that lead there not repeatable."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

MODULE = """\
import os, time, random
from functools import lru_cache
import helper_of_dice
_rng = random.Random()
_fixed = random.Random(1)
SIDES = 6
def roll():
    return _rng.random()
def steady():
    return _fixed.random() * SIDES
def through():
    return helper_of_dice.later()
class Clock:
    def __init__(self):
        self.kind = SIDES
    def read(self):
        return time.time()
    def __call__(self):
        return os.getcwd()
"""


@pytest.fixture
def dice(notebook):
    """A notebook beside an own module."""
    Path("dice.py").write_text(MODULE, encoding="utf-8")
    Path("helper_of_dice.py").write_text("import uuid\ndef later():\n    return uuid.uuid4()\n", encoding="utf-8")
    notebook.run("import dice\nfrom dice import roll as r, Clock")
    notebook.run("def mine():\n    return dice.roll()")
    return notebook


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("x = dice.roll()", "random.Random() without a seed"),
        ("x = r()", "random.Random() without a seed"),
        ("x = mine()", "random.Random() without a seed"),
        ("import dice as d\nx = d.roll()", "random.Random() without a seed"),
        ("x = dice.through()", "uuid.uuid4()"),
        ("x = Clock().read()", "time.time()"),
        ("x = Clock()()", "os.getcwd() depends on the machine"),
        ("x = dice.steady()", None),
        ("x = dice.SIDES", None),
        ("x = [1, 2]", None),
    ],
)
def test_a_cell_is_as_repeatable_as_what_it_calls(dice, cell, reason):
    """Draws from a generator that a module made without a seed count, through whatever names; others do not."""
    found = dice.run(cell).unrepeatable
    if reason is None:
        assert found == ()
    else:
        assert reason in found


def test_it_costs_nothing_where_there_are_no_own_modules(notebook):
    """Without own modules a cell is not looked at."""
    own = notebook.session.recorder._own_code
    started = time.process_time()
    for _ in range(100):
        assert own.reasons("x = 1", []) == ()
    assert time.process_time() - started < 0.1
