"""Hypothesis strategies for small sessions: everything that can go wrong with a past, in a few cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from elastictm.ids import Name, Version
from elastictm.model.records import Effect
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.problem import Problem
from elastictm.testing.fakehost import Alias, Change, Define, Delete, FakeCell, FakeHost, Make, Op

NAMES = tuple(Name(name) for name in "abcd")
FILES = ("in.csv", "far.csv")

_names = st.sampled_from(NAMES)
_some_names = st.lists(_names, max_size=2, unique=True).map(tuple)
_seconds = st.sampled_from([1.0, 0.0, 0.5, 2.0, 3.0, 7.0, 1e-9, 1e6])

OPS: st.SearchStrategy[Op] = st.one_of(
    st.builds(Make, _names, _some_names, st.none() | st.just(Name("K")), st.sampled_from([True, True, True, False])),
    st.builds(Make, _names, _some_names),
    st.builds(Alias, _names, _names, st.none() | st.integers(0, 1)),
    st.builds(Change, _names, _some_names, st.sampled_from(["content", "attach", "detach"])),
    st.builds(Define, st.just(Name("K"))),
    st.builds(Delete, _names | st.just(Name("K"))),
)

CELLS = st.builds(
    FakeCell,
    ops=st.lists(OPS, min_size=1, max_size=3).map(tuple),
    seconds=_seconds,
    status=st.sampled_from(["ok"] * 9 + ["interrupted", "unparsed"]),
    unrepeatable=st.sampled_from([()] * 4 + [("time.time()",)]),
    effects=st.sampled_from([()] * 6 + [(Effect("write", "out.csv"),), (Effect("environment", "PATH"),)]),
    files=st.sampled_from([(), (), (), FILES[:1], FILES]),
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has run, and the terms on which it is to be brought elsewhere."""

    host: FakeHost
    loads: Mapping[Version, float]
    missing_files: Mapping[str, float]
    allow_effects: bool
    targets: frozenset[Version]

    @property
    def problem(self) -> Problem:
        """The problem of migrating the session."""
        return migration_problem(
            self.host.history,
            loads=self.loads,
            allow_effects=self.allow_effects,
            missing_files=self.missing_files,
            targets=self.targets,
        )


@st.composite
def sessions(draw: st.DrawFn, *, max_cells: int = 6) -> Session:
    """Small sessions: aliases, parts and changes in place, values without bytes, cells that must not or cannot repeat.

    The first cell makes all names, so that the others have something to work on.
    """
    host = FakeHost()
    host.run(FakeCell(tuple(draw(st.permutations([Make(name) for name in NAMES[:3]]))), seconds=draw(_seconds)))
    for cell in draw(st.lists(CELLS, min_size=1, max_size=max_cells - 1)):
        host.run(cell)
        if draw(st.integers(0, 19)) == 0:
            host.lapse([draw(_names)])
    alpha = draw(st.sampled_from([1.0, 0.0, 0.05, 2.0]))
    loads = {
        version: transfer_seconds(draw(st.integers(0, 9)), draw(_seconds), 2.0, alpha)
        for version in sorted(host.storable())
        if draw(st.integers(0, 5))
    }
    live = sorted(record.version for record in host.history.live.values())
    return Session(
        host=host,
        loads=loads,
        missing_files=draw(st.sampled_from([{}, dict(zip(FILES, (0.5, math.inf), strict=True))])),
        allow_effects=draw(st.booleans()),
        targets=frozenset(v for v in live if draw(st.integers(0, 7))),
    )
