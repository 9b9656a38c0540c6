"""Who shares data with whom is found in the same way whether every survey goes everywhere or none where one has been."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elastictm.values.freeze import Surroundings
from elastictm.values.sharing import partition
from elastictm.values.survey import Surveyor


class Thing:
    """An object with attributes."""


def grown(nodes, edges):
    """Objects of several kinds that hold one another, cycles and memory in common among them."""
    memory = np.zeros(64)
    made = []
    for i, kind in enumerate(nodes):
        if kind == "list":
            made.append([])
        elif kind == "dict":
            made.append({})
        elif kind == "thing":
            made.append(Thing())
        elif kind == "array":
            made.append(memory[2 * (i % 8) : 2 * (i % 8) + 3])
        else:
            made.append(tuple(made[-2:]))
    for start, stop in edges:
        holder, held = made[start % len(made)], made[stop % len(made)]
        if isinstance(holder, list):
            holder.append(held)
        elif isinstance(holder, dict):
            holder[len(holder)] = held
        elif isinstance(holder, Thing):
            setattr(holder, f"part{len(vars(holder))}", held)
    return made


@given(
    st.lists(st.sampled_from(["list", "dict", "thing", "array", "tuple"]), min_size=2, max_size=14),
    st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=30),
    st.lists(st.integers(0, 13), min_size=1, max_size=6),
)
def test_a_survey_need_not_go_where_another_was(nodes, edges, chosen):
    """The parts are those of surveys that know nothing of one another."""
    made = grown(nodes, edges)
    values = [made[i % len(made)] for i in chosen]
    surveyor = Surveyor(Surroundings({}))
    surveys, trodden = [], {}
    for value in values:
        surveys.append(surveyor.survey([value], trodden=trodden))
        trodden.update(surveys[-1].objects)
    assert partition(surveys) == partition([surveyor.survey([value]) for value in values])


def test_what_others_walked_is_met_and_not_entered():
    """A survey of what another began with finds that object alone."""
    inner = [[]]
    outer = Thing()
    outer.inner = inner
    surveyor = Surveyor(Surroundings({}))
    first = surveyor.survey([inner])
    again = surveyor.survey([outer], trodden=first.objects)
    assert id(inner) in again.objects
    assert id(inner[0]) not in again.objects


def test_converters_of_dates_tie_no_figures():
    """What matplotlib keeps for all axes with dates is no data of the figures that use it."""
    figures = pytest.importorskip("matplotlib.figure")
    days = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]")
    drawn = []
    for _ in range(2):
        drawn.append(figures.Figure())
        drawn[-1].add_subplot().plot(days.copy(), [1, 2, 3, 4])
    surveyor = Surveyor(Surroundings({}))
    assert partition([surveyor.survey([figure]) for figure in drawn]) == [[0], [1]]
