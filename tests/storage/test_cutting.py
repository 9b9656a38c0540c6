"""Cutting: fixed where nothing moves, by content where it may."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elastictm.storage.cutting import LEAST, MOST, PIECE, WINDOW, _places, cut
from elastictm.storage.layout import PAGE


def ends(data) -> list[int]:
    """Where the pieces of data end that is cut by content."""
    pieces = cut(memoryview(data), flowing=True)
    assert b"".join(pieces) == data
    total = 0
    return [total := total + piece.nbytes for piece in pieces]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_fixed_pieces_start_at_pages(noise, size):
    """What does not flow is cut every mebibyte, at multiples of the page."""
    data = noise(size)
    pieces = cut(memoryview(data), flowing=False)
    assert b"".join(pieces) == data
    assert PIECE % PAGE == 0
    assert all(piece.nbytes == PIECE for piece in pieces[:-1])


@pytest.mark.parametrize("size", [0, 1, WINDOW, LEAST - 1, LEAST, LEAST + 1, MOST, MOST + 1, 2**18 + 63, 2**20 + 1])
def test_all_sizes_are_cut(noise, size):
    """Whatever the size, the pieces are the data, each but the last one within its bounds."""
    pieces = cut(memoryview(noise(size)), flowing=True)
    assert b"".join(pieces) == noise(size)
    assert all(LEAST <= piece.nbytes <= MOST for piece in pieces[:-1])
    assert all(0 < piece.nbytes <= MOST for piece in pieces)


def test_pieces_have_a_usual_size(noise):
    """Pieces have about 48 KiB, of noise and of a stream of numbers alike."""
    for data in (noise(8 * 10**6), pickle.dumps(list(range(2 * 10**6)), 5)):
        assert 40_000 < len(data) / len(ends(data)) < 60_000


def test_monotonous_data_is_cut_at_the_most(noise):
    """Where the content never says to cut, pieces have the most bytes that they may."""
    assert [piece.nbytes for piece in cut(memoryview(bytes(3 * MOST + 5)), flowing=True)] == [MOST, MOST, MOST, 5]


def test_places_depend_on_the_window_alone(noise):
    """A place is one wherever its window lies, also across the borders of the blocks in which hashes are worked out."""
    data = noise(2**18 * 3)
    expected = set(_places(memoryview(data)))
    assert len(expected) > 10
    for shift in (1, 2, 63, 64, 100_001):
        found = {place - shift for place in _places(memoryview(noise(shift, 1) + data))}
        assert {place for place in found if place >= WINDOW} == expected


@settings(max_examples=15, deadline=None)
@given(at=st.integers(0, 4 * 10**6), inserted=st.integers(1, 5000), seed=st.integers(0, 3))
def test_insertion_changes_cuts_nearby(noise, at, inserted, seed):
    """Bytes that are inserted leave all cuts before them alone, and move those well after them along."""
    data = noise(4 * 10**6, seed)
    before = ends(data)
    after = ends(data[:at] + noise(inserted, 9) + data[at:])
    assert [end for end in before if end < at] == [end for end in after if end < at]
    far = at + 4 * MOST
    moved = [end - inserted for end in after if end - inserted > far]
    assert moved == [end for end in before if end > far]


def test_removed_and_changed_parts_cost_little():
    """Of a stream of many objects, a few changes leave almost all pieces as they were."""
    values = [{"i": i, "name": f"object {i * 7919 % 1000}", "value": i / 7} for i in range(60_000)]
    known = set(map(bytes, cut(memoryview(pickle.dumps(values, 5)), flowing=True)))
    values[30_000]["value"] = "changed"
    changed = cut(memoryview(pickle.dumps(values, 5)), flowing=True)
    assert sum(piece.nbytes for piece in changed if bytes(piece) not in known) <= 2 * MOST
    assert len(changed) > 20
