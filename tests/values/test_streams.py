"""Comparing frozen streams: what a user cannot tell apart is alike, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.memory import buffers
from elastictm.values.streams import NotReadable, alike, read


class Plain:
    """An object with attributes."""

    def __init__(self, **state):
        vars(self).update(state)


def roots(*values):
    """What reading the stream of some values as one group gives."""
    unit = Freezer(Surroundings({})).group({f"v{i}": value for i, value in enumerate(values)}, keep=True).unit
    return list(read(unit.stream, unit.definitions, buffers(unit.segments, unit.slices)))


def same(one, other):
    """Whether two values are alike in their streams."""
    met = []
    return alike(roots(one)[0], roots(other)[0], met.append)


def shared(*, apart):
    """Two lists in a list: one twice, or two that are equal."""
    inner = [1]
    return [inner, [1] if apart else inner]


def cycle(content):
    """A list that holds itself."""
    made = [content]
    made.append(made)
    return made


TEXT = "a text"
COPY = TEXT[:1] + TEXT[1:]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([TEXT, TEXT], [TEXT, COPY]),
        ({"x", "y", "z", "w"}, {"w", "z", "y", "x"}),
        (frozenset("hello"), frozenset("olleh")),
        ({"k": [1, 2.5, None, True, b"x", 1 << 80]}, {"k": [1, 2.5, None, True, b"x", 1 << 80]}),
        (Plain(a=[float("nan")]), Plain(a=[float("nan")])),
        (np.arange(5.0), np.arange(5.0)),
        (cycle(1), cycle(1)),
        (shared(apart=False), shared(apart=False)),
        ([[] for _ in range(2000)], [[] for _ in range(2000)]),
    ],
)
def test_what_nobody_can_tell_apart_is_alike(one, other):
    """Equal texts that are one object or two, sets in any order, cycles and buffers compare as equal."""
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [2, 1]),
        ([1], [True]),
        ([1], [1.0]),
        (0.0, -0.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2}, {1, 3}),
        (Plain(a=1), Plain(a=2)),
        (Plain(a=1), Plain(b=1)),
        (np.arange(5.0), np.arange(5.0) + 1),
        (np.arange(5), np.arange(5.0)),
        (cycle(1), cycle(2)),
        (shared(apart=False), shared(apart=True)),
        (shared(apart=True), shared(apart=False)),
        ((1,), [1]),
    ],
)
def test_what_differs_is_not_alike(one, other):
    """Order, type, content, attributes and sharing count."""
    assert not same(one, other)


def test_each_value_of_a_group_is_read():
    """The streams of a group share one memo, and each gives a value."""
    inner = [1]
    one, other = roots(inner, [inner]), roots(inner, [inner])
    assert [alike(a, b, print) for a, b in zip(one, other, strict=True)] == [True, True]


def test_a_strange_stream_is_refused():
    """Operations that frozen streams do not have are never guessed at."""
    with pytest.raises(NotReadable, match="INST"):
        list(read(b"(ios\nsystem\n.", (), ()))
