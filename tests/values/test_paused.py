"""What is paused holds what its code will go on with: variables and what loops go over."""

from __future__ import annotations

import numpy as np
import pytest

from elastictm.values.freeze import Surroundings
from elastictm.values.sharing import partition
from elastictm.values.survey import Surveyor


def fill(target, source):
    for item in source:
        target.append(item)
        yield item


async def wait(target):
    yield target


@pytest.mark.parametrize("begun", [False, True])
def test_a_generator_shares_what_it_will_change(begun):
    """The list that a generator fills, and the one that it goes over, are seen inside it under every Python."""
    target, source = [], [[1], [2]]
    paused = fill(target, source)
    if begun:
        next(paused)
    met = Surveyor(Surroundings({})).survey([paused]).objects
    assert {id(target), id(source), id(source[1])} <= met.keys()
    assert id(paused.gi_frame.f_globals) not in met


def test_a_generator_shares_nothing_any_more_at_its_end():
    """What is over holds nothing."""
    target = []
    paused = fill(target, [])
    assert not list(paused)
    assert id(target) not in Surveyor(Surroundings({})).survey([paused]).objects


def test_an_asynchronous_generator_shares_its_variables():
    """A list that was given to an asynchronous generator is seen inside it."""
    target = []
    assert id(target) in Surveyor(Surroundings({})).survey([wait(target)]).objects


def test_rows_of_a_frame_are_tied_to_it_alone():
    """Rows that are half read share memory with their frame, and not with all that have the same index."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.arange(4)}, index=pandas.date_range("2024-01-01", periods=4))
    other = pandas.Series(np.ones(4), index=frame.index.view())
    rows = frame.itertuples()
    next(rows)
    surveyor = Surveyor(Surroundings({}))
    assert partition([surveyor.survey([value]) for value in (frame, other, rows)]) == [[0, 2], [1]]
