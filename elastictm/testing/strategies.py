"""Hypothesis strategies for small sessions: everything that can go wrong with a past, in a few cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from elastictm.ids import Name, RunNumber, Version
from elastictm.model.records import Effect
from elastictm.planning.build import migration_problem
from elastictm.planning.costs import transfer_seconds
from elastictm.planning.offers import Offering
from elastictm.planning.problem import CellTerm, Problem, VersionTerm
from elastictm.testing.fakecells import Alias, Change, Define, Delete, FakeCell, Make, Op
from elastictm.testing.fakehost import FakeHost

_MANY = 6
"""Versions from which on a random problem adds few, for the sake of the exhaustive search."""

NAMES = tuple(Name(name) for name in "abcd")
FILES = ("in.csv", "far.csv")

_names = st.sampled_from(NAMES)
_some_names = st.lists(_names, max_size=2, unique=True).map(tuple)
_seconds = st.sampled_from([1.0, 0.0, 0.5, 2.0, 3.0, 7.0, 1e-9, 1e6])

_MAKE = st.builds(Make, _names, _some_names)
_MAKE_BARE = st.builds(Make, _names, _some_names, storable=st.just(False))
_MAKE_OF_CLASS = st.builds(Make, _names, _some_names, st.just(Name("K")), st.sampled_from([True, True, False]))
_ALIAS = st.builds(Alias, _names, _names, st.none() | st.integers(0, 1))
_CHANGE = st.builds(Change, _names, _some_names, st.sampled_from(["content", "attach", "detach"]))
_DEFINE = st.builds(Define, st.just(Name("K")))
_DELETE = st.builds(Delete, _names | st.just(Name("K")))


def _cells(ops: list[st.SearchStrategy[Op]], *, odd: bool) -> st.SearchStrategy[FakeCell]:
    """Cells of such operations; odd ones are cut short, cannot be parsed, or touch files."""
    return st.builds(
        FakeCell,
        ops=st.lists(st.one_of(ops), min_size=1, max_size=3).map(tuple),
        seconds=_seconds,
        status=st.sampled_from(["ok"] * 9 + ["interrupted", "unparsed"]) if odd else st.just("ok"),
        unrepeatable=st.sampled_from([(), (), (), (), ("time.time()",)]),
        effects=st.sampled_from([()] * 6 + [(Effect("write", "out.csv"),), (Effect("environment", "PATH"),)]),
        files=st.sampled_from([(), (), (), FILES[:1], FILES]) if odd else st.just(()),
    )


CELLS = _cells([_MAKE, _MAKE_BARE, _MAKE_OF_CLASS, _ALIAS, _CHANGE, _DEFINE, _DELETE], odd=True)
"""All kinds of cells alike."""

TANGLED = _cells([_MAKE, _MAKE, _MAKE_BARE, _ALIAS, _ALIAS, _CHANGE, _CHANGE, _DELETE], odd=False)
"""Cells that mostly share boxes, hold them in others, and change them in place."""


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
        return self.drawn(apart=False)

    def drawn(self, *, apart: bool, offering: Offering = "all") -> Problem:
        """The problem of migrating the session, with groups together or apart."""
        return migration_problem(
            self.host.history,
            loads=self.loads,
            allow_effects=self.allow_effects,
            missing_files=self.missing_files,
            targets=self.targets,
            apart=apart,
            offering=offering,
        )


@st.composite
def sessions(draw: st.DrawFn, cells: st.SearchStrategy[FakeCell] = CELLS, *, max_cells: int = 6) -> Session:
    """Small sessions: aliases, parts and changes in place, values without bytes, cells that must not or cannot repeat.

    The first cell makes names, so that the others have something to work on.
    """
    host = FakeHost()
    host.run(FakeCell(tuple(Make(name) for name in NAMES[:3]), seconds=draw(_seconds)))
    for cell in draw(st.lists(cells, min_size=1, max_size=max_cells - 1)):
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


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small problems of any form, also such as no session gives: ties of anything to anything, free re-runs."""
    prices = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 1e-9, 1e6])
    mostly = st.one_of(prices, prices, st.just(math.inf))
    versions: dict[Version, VersionTerm] = {}
    cells: dict[RunNumber, CellTerm] = {}
    ship = {path: draw(mostly) for path in FILES}
    for n in map(RunNumber, range(draw(st.integers(1, 5)) + 1)):
        before = st.sampled_from(sorted(versions)) if versions else st.nothing()
        reads = draw(st.lists(before, max_size=3, unique=True)) if versions else []
        files = draw(st.sampled_from([(), (), FILES[:1], FILES]))
        cells[n] = CellTerm(n, draw(mostly), tuple(reads), files)
        for name in draw(st.lists(_names, min_size=1, max_size=1 if len(versions) > _MANY else 3, unique=True)):
            producer = draw(st.sampled_from([n, n, n, n, None]))
            allowed = draw(st.sampled_from([True, True, True, False]))
            versions[Version(name, n)] = VersionTerm(Version(name, n), producer, draw(mostly), allowed)
    any_version = st.sampled_from(sorted(versions))
    some = (
        st.lists(any_version, min_size=2, max_size=4, unique=True).map(frozenset) if len(versions) > 1 else st.nothing()
    )
    return Problem(
        versions=versions,
        cells=cells,
        ship=ship,
        targets=frozenset(v for v in versions if draw(st.booleans())),
        groups=tuple(draw(st.lists(some, max_size=2))),
        follows=tuple(draw(st.lists(st.tuples(any_version, any_version), max_size=2))),
        displaces=tuple(draw(st.lists(st.tuples(st.sampled_from(sorted(cells)), any_version), max_size=2))),
    )
