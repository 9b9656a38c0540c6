"""The best plan at every bandwidth, as stretches of bandwidths that have one plan each.

What a plan costs is a line over ``x``, the seconds that a byte takes (1/bandwidth): seconds that it takes anyway, and
bytes that it moves.  The least cost is the lower envelope of all these lines, which is concave.  So (Eisner and
Severance, "Mathematical techniques for efficient record segmentation in large shared databases", JACM 23(4), 1976):
plan at both ends; where the lines of two plans meet, plan again; if that is no better, plans change there and nowhere
else between the two; otherwise look on both sides of it.  Each plan but the last few finds a new stretch.

Which plans are permitted depends on the bandwidth in one place only: what is dear to load may be re-run although it
depends on the machine (``Past.is_dear``).  There the cost may jump, so each side is swept by itself (``jumps``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from elastictm.ids import RunNumber, Version
from elastictm.model.history import HistoryView
from elastictm.model.machine import is_of_machine
from elastictm.planning.past import DEAR_SECONDS
from elastictm.planning.plan import ReplicationPlan

_NEAR: Final = 1e-9
"""Costs and bandwidths that differ by this part of them are the same: rounding alone may do so."""


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds over bandwidth: ``fixed`` seconds, and those in which ``moved`` bytes pass."""

    fixed: float
    moved: float

    def seconds(self, bandwidth: float) -> float:
        """The seconds at a bandwidth in bytes per second."""
        return self.fixed + self.moved / bandwidth


@dataclass(frozen=True, slots=True)
class Piece:
    """A plan that is the best from one bandwidth to another, and its cost."""

    low: float
    high: float
    plan: ReplicationPlan
    line: Line


def sweep(
    plan: Callable[[float], ReplicationPlan],
    moved: Callable[[ReplicationPlan], float],
    low: float,
    high: float,
    jumps: Iterable[float] = (),
) -> tuple[Piece, ...]:
    """The best plans between two bandwidths, from slow to fast.

    Args:
        plan: The best plan at a bandwidth.
        moved: The bytes whose passing a plan's seconds contain, each as often as it counts.
        low: The least bandwidth.
        high: The greatest one.
        jumps: Bandwidths at which other plans may be permitted.
    """

    def solved(bandwidth: float) -> Piece:
        found = plan(bandwidth)
        bytes_ = moved(found)
        return Piece(bandwidth, bandwidth, found, Line(max(0.0, found.seconds - bytes_ / bandwidth), bytes_))

    def between(slow: Piece, fast: Piece, left: float, right: float) -> Iterator[Piece]:
        """The pieces of an interval, at whose ends these two are the best."""
        meeting = _meeting(slow.line, fast.line, left, right)
        if meeting is None:
            # One of them is as good as the other all along.
            whole = slow if slow.line.seconds(right) <= fast.line.seconds(right) * (1 + _NEAR) else fast
            yield replace(whole, low=left, high=right)
            return
        middle = solved(meeting)
        if middle.line.seconds(meeting) >= slow.line.seconds(meeting) * (1 - _NEAR):
            yield replace(slow, low=left, high=meeting)
            yield replace(fast, low=meeting, high=right)
            return
        yield from between(slow, middle, left, meeting)
        yield from between(middle, fast, meeting, right)

    ends = sorted({low, high, *(jump for jump in jumps if low < jump < high)})
    found: list[Piece] = []
    for left, right in pairwise(ends):
        # What holds at a jump itself is another matter than what holds beside it.
        begin = left if left == low else left * (1 + _NEAR)
        end = right if right == high else right * (1 - _NEAR)
        if begin < end:
            found += between(solved(begin), solved(end), left, right)
    return tuple(_joined(found))


def _meeting(slow: Line, fast: Line, left: float, right: float) -> float | None:
    """The bandwidth inside an interval where the lines of the best plans at its ends cross; None where they do not."""
    seconds, bytes_ = slow.fixed - fast.fixed, fast.moved - slow.moved
    if seconds <= 0 or bytes_ <= 0:
        return None
    bandwidth = bytes_ / seconds
    return bandwidth if left * (1 + _NEAR) < bandwidth < right * (1 - _NEAR) else None


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours with the same plan as one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and last.plan == piece.plan:
            last = replace(last, high=piece.high)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def jumps(history: HistoryView, loads: Mapping[Version, Line]) -> Iterator[float]:
    """The bandwidths at which loading a version that depends on the machine becomes dear."""
    touched: set[RunNumber] = set()
    for run in history.runs:
        if any(map(is_of_machine, run.unrepeatable)) or any(version.n in touched for version in run.reads):
            touched.add(run.n)
    for version, line in loads.items():
        if version.n in touched and line.fixed < DEAR_SECONDS:
            yield line.moved / (DEAR_SECONDS - line.fixed)
