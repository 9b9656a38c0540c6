"""When compression pays, and that decompression is bounded."""

from __future__ import annotations

import math

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from elastictm.storage import codec

BREAK_EVEN = 1 / (1 / codec.COMPRESS_SPEED + 1 / codec.DECOMPRESS_SPEED)


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(1, 1e12))
def test_compression_pays_exactly_where_it_saves_time(size, ratio, bandwidth):
    """The decision is that of the two sums of seconds, up to rounding."""
    compressed = int(size * ratio)
    raw_seconds = size / bandwidth
    seconds = size / codec.COMPRESS_SPEED + compressed / bandwidth + size / codec.DECOMPRESS_SPEED
    if not math.isclose(raw_seconds, seconds, rel_tol=1e-9):
        assert codec.pays(size, compressed, bandwidth) == (seconds < raw_seconds)


@pytest.mark.parametrize(
    ("size", "compressed", "bandwidth", "expected"),
    [
        (1000, 0, math.inf, False),
        (1000, 0, BREAK_EVEN * 1.01, False),
        (1000, 0, BREAK_EVEN * 0.99, True),
        (1000, 500, BREAK_EVEN * 0.49, True),
        (1000, 500, BREAK_EVEN * 0.51, False),
        (1000, 1001, 1.0, False),
        (0, 0, 1.0, False),
    ],
)
def test_break_even(size, compressed, bandwidth, expected):
    """At half the ratio compression pays up to half the bandwidth, and never at an infinite one."""
    assert codec.pays(size, compressed, bandwidth) is expected


@pytest.mark.parametrize("size", [1, 1000, 2**18, 2**18 + 1, 2**21])
def test_samples_tell_zeros_from_noise(noise, size):
    """At a slow link zeros are worth compressing and noise is not, whatever the size."""
    assert not codec.worth_compressing(memoryview(noise(size)), 1e6)
    assert codec.worth_compressing(memoryview(bytes(size)), 1e6) or size == 1


def test_samples_are_taken_from_all_over(noise):
    """Data whose first part alone is compressible is judged by all of it."""
    mostly_noise = bytes(2**18) + noise(2**22)
    assert not codec.worth_compressing(memoryview(mostly_noise), 1e8)


def test_nothing_is_compressed_for_a_fast_link(monkeypatch):
    """Where not even zeros would pay, no time goes into samples."""
    monkeypatch.setattr(codec, "compress", None)
    assert not codec.worth_compressing(memoryview(bytes(2**20)), math.inf)


@given(st.binary(min_size=1, max_size=5000))
def test_what_was_compressed_comes_back(data):
    """Decompressing gives the data that was compressed."""
    assert codec.decompress(codec.compress(data), len(data)) == data


def other_frame(size):
    """A frame that does not state its size."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(bytes(size))


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        (codec.compress(bytes(10**6)), 10),
        (codec.compress(bytes(10)), 10**6),
        (codec.compress(bytes(10)) + b"x", 10),
        (codec.compress(bytes(10)) * 2, 10),
        (codec.compress(bytes(10))[:-1], 10),
        (other_frame(10), 10),
        (b"", 10),
        (b"not a frame at all", 10),
        (b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd", 4),
    ],
    ids=["bomb", "short", "tail", "two frames", "cut", "no size", "empty", "garbage", "skippable"],
)
def test_frames_that_lie_are_refused(frame, size):
    """A frame whose content has not the declared size, or that is no frame, gives a ValueError."""
    with pytest.raises(ValueError, match="a compressed chunk"):
        codec.decompress(frame, size)
