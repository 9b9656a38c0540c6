"""Where data is cut into chunks: at fixed distances, or by content where an insertion may move all that follows.

Cutting by content is that of FastCDC (Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for
Data Deduplication", USENIX ATC 2016): a cut comes where a rolling hash of the bytes before it says so, within bounds
on a chunk's size. The rolling hash sums, as gear hashes do, a scrambled form of each symbol in a window, weighted by
its distance. Symbols are pairs of bytes and weights are powers of an odd number modulo 2^16, so that NumPy works out
the hashes of all places side by side, in five steps that each double the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIECE = 2**20
"""Distance of cuts where nothing moves; a multiple of the page, so that the pieces can be mapped in any order."""

LEAST = 16 * 2**10
"""Fewest bytes between cuts by content."""

MOST = 256 * 2**10
"""Most bytes between cuts by content."""

WINDOW = 64
"""Bytes before a place that decide whether it is a cut."""

_SCRAMBLE = (0x9E37, 0x85EB)
_WEIGHT = 0x2C9D
_MORE = 2**16 - 3
"""One place in 2^15 has a hash above this, never one among zeros; pieces so have 48 KiB on average."""

_BLOCK = 2**18


def cut(data: memoryview, *, flowing: bool) -> list[memoryview]:
    """Slices of the data, in order: every 1 MiB, or by content, so that what moved inside it is found again."""
    if not flowing:
        return [data[i : i + PIECE] for i in range(0, data.nbytes, PIECE)]
    start = 0
    pieces = []
    for end in _chosen(_places(data) if data.nbytes > LEAST else [], data.nbytes):
        pieces.append(data[start:end])
        start = end
    return pieces


def _chosen(places: list[int], size: int) -> list[int]:
    """The ends of pieces: of the places that the content offers, those at least `LEAST` after the last cut."""
    ends: list[int] = []
    last = 0
    for place in [*places, size]:
        while place - last > MOST:
            last += MOST
            ends.append(last)
        if place - last >= LEAST or place == size > last:
            last = place
            ends.append(last)
    return ends


def _places(data: memoryview) -> list[int]:
    """All places where the window before them has a hash that is a cut."""
    import numpy as np  # noqa: PLC0415 - not for whoever writes no streams

    memory: list[NDArray[np.uint16]] = [np.empty(_BLOCK // 2 + WINDOW, np.uint16) for _ in range(2)]
    places: list[int] = []
    for start in range(0, data.nbytes - WINDOW + 1, _BLOCK):
        # Windows that begin at even and at odd bytes of the block, up to those that reach beyond it.
        for first in (start, start + 1):
            last = min(first + _BLOCK + WINDOW - 2, data.nbytes)
            symbols = np.frombuffer(data, np.dtype("<u2"), max(last - first, 0) // 2, min(first, data.nbytes))
            if symbols.size * 2 >= WINDOW:
                found = np.flatnonzero(_hashes(symbols, *memory) > _MORE)
                places += (found * 2 + (first + WINDOW)).tolist()
    return sorted(places)


def _hashes(symbols: NDArray[np.uint16], now: NDArray[np.uint16], then: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The hash of each window of symbols, worked out in the two pieces of memory given."""
    import numpy as np  # noqa: PLC0415

    now, then = now[: symbols.size], then[: symbols.size]
    np.multiply(symbols, np.uint16(_SCRAMBLE[0]), out=now)
    np.right_shift(now, np.uint16(8), out=then)
    np.bitwise_xor(now, then, out=now)
    np.multiply(now, np.uint16(_SCRAMBLE[1]), out=now)
    weight, step = _WEIGHT, 1
    while step * 2 < WINDOW:
        then = then[: now.size - step]
        np.multiply(now[:-step], np.uint16(weight), out=then)
        np.add(then, now[step:], out=then)
        now, then = then, now
        weight, step = weight * weight % 2**16, step * 2
    return now
