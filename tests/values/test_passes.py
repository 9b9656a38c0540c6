"""Both passes over values, that of pickle and that for any depth, write the same stream."""

from __future__ import annotations

import collections
import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elastictm.values.definitions import Purity
from elastictm.values.freeze import Surroundings
from elastictm.values.passes import DeepPass, Pass, Sink


class Link:
    """An instance with a dict."""

    def __init__(self, value, following=None):
        self.value, self.next = value, following


class Slotted:
    """An instance without a dict."""

    __slots__ = ("a", "b")


class Grown(list):
    """A list with attributes."""


class Awkward:
    """Takes itself apart in a way that a test gives."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return tuple(iter(part) if type(part) is range else part for part in self.parts)


class Keyed:
    """Is made with keywords."""

    def __new__(cls, *, a):
        made = super().__new__(cls)
        made.a = a
        return made

    def __getnewargs_ex__(self):
        return (), {"a": self.a}


class SameHash:
    """May be in a set that it refers to."""

    def __hash__(self):
        return 1


def cyclic():
    """Values that hold themselves."""
    box = []
    box.append((box,))
    node = Link(1)
    node.next = node
    member = SameHash()
    member.inside = frozenset([member])
    pair = ([],)
    pair[0].append(pair)
    return [box, node, member, member.inside, pair]


def slotted():
    """An instance whose state is a pair."""
    made = Slotted()
    made.a = [1]
    return made


def grown():
    """A list with an attribute."""
    made = Grown([1, 2])
    made.extra = made
    return made


CORPUS = {
    "integers": [0, -1, 255, 256, 65535, 65536, -32768, *(s * 2**n + d for n in (31, 63, 700, 2100) for s in (1, -1) for d in (-1, 0, 1))],
    "atoms": [None, True, False, 0.5, 1j, ..., NotImplemented, type(None), type(...), int, len, [].append],
    "texts": ["", "a" * 255, "a" * 256, "é" * 40_000, "\udc80", b"", b"x" * 256, b"y" * 65_536, bytearray(70_000)],
    "lists": [list(range(n)) for n in (0, 1, 2, 999, 1000, 1001, 2000)],
    "sets": [set(range(n)) for n in (0, 1, 2, 1000, 1001)] + [frozenset(), frozenset("ab")],
    "dicts": [{i: str(i) for i in range(n)} for n in (0, 1, 2, 999, 1000, 1001)],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), (5,))],
    "frames": [[str(i) for i in range(30_000)], [Link(i, "é" * (i % 60)) for i in range(5000)]],
    "cycles": cyclic(),
    "instances": [Link([1], Link(2)), slotted(), grown(), Keyed(a=[3]), object(), Awkward(dict, ((),)), Link],
    "items": [Awkward(list, (), None, range(n)) for n in (0, 1, 2, 1000, 1001)],
    "setters": [Awkward(Link, (1,), {"a": 2}, None, None, lambda made, state: None)],
    "library": [collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.deque([1], 5), iter([1]), dt.date(2020, 1, 2)],
}  # fmt: skip


def streams(*values):
    """What both passes make of values: bytes, digest, size, number of buffers."""
    around = Surroundings({})
    found = []
    for kind in (Pass, DeepPass):
        sink = Sink(time.perf_counter, None, keep=True)
        run = kind(around, sink, Purity(around.namespace))
        for value in values:
            run.dump(value)
        found.append((b"".join(sink.kept), sink.hasher.hexdigest(), sink.size, len(run.exports)))
    return found


@pytest.mark.parametrize("kind", CORPUS)
def test_the_stream_is_that_of_pickle(kind):
    """A pass for any depth writes byte for byte what pickle's own pickler writes, for each kind and for several."""
    one, other = streams(*CORPUS[kind])
    assert one == other
    one, other = streams(CORPUS[kind], CORPUS[kind][-1])
    assert one == other


def test_buffers_are_digested_at_their_place():
    """Memory beside the stream comes at the same point of the digest, whichever pass walks."""
    np = pytest.importorskip("numpy")
    whole = np.arange(100_000.0)
    more = [whole[::-1], np.ones(50), np.array([1, "a", None], dtype=object)]
    arrays = [b"k" * 100, whole, "x" * 66_000, whole[3:50], *more]
    one, other = streams(arrays, arrays[1])
    assert one == other
    assert one[3] == 2


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.frozensets(st.text())
    ),
    max_leaves=30,
)


@settings(max_examples=40, deadline=None)
@given(plain, st.data())
def test_any_data_give_the_stream_of_pickle(value, data):
    """Both passes agree on nested data in which objects come twice."""
    again = [value, data.draw(plain), value]
    one, other = streams(again)
    assert one == other
