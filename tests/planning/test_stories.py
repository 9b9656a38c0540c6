"""Small sessions, each with one danger, that every policy's plan must rebuild and that say what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from elastictm.ids import Name, Version
from elastictm.model.records import Effect
from elastictm.planning.build import migration_problem
from elastictm.planning.plan import ReplicationPlan
from elastictm.planning.policies import solve
from elastictm.testing.fakecells import Alias, Change, Define, Delete, FakeCell, Make
from elastictm.testing.fakehost import FakeHost, Rebuilt

RANDOM = ("time.time()",)
WRITES = (Effect("write", "out.csv"),)


def cell(*ops, **more) -> FakeCell:
    return FakeCell(ops, **more)


@dataclass(frozen=True)
class Story:
    """A session, what is loaded and re-run and lost at best, and the variables wanted (all by default).

    Loading costs little but for what is ``dear``; ``unstored`` are variables that could be stored and are not.
    """

    name: str
    cells: tuple[FakeCell, ...]
    loads: frozenset[str] = frozenset()
    reruns: tuple[int, ...] = ()
    lost: frozenset[str] = frozenset()
    dear: frozenset[str] = frozenset()
    unstored: frozenset[str] = frozenset()
    wanted: frozenset[str] | None = None
    lapses: dict[int, tuple[str, ...]] = field(default_factory=dict)


STORIES = (
    Story(
        "what is dear to load is made again",
        (cell(Make("a")), cell(Make("b", ("a",)))),
        reruns=(1, 2),
        dear=frozenset("ab"),
    ),
    Story(
        "names that share a box are stored or re-run together",
        (cell(Make("a")), cell(Make("b", ("a",), storable=False))),
        reruns=(1, 2),
    ),
    Story(
        "a box is loaded where it comes out differently, and what holds it is made again from it",
        (cell(Make("a"), unrepeatable=RANDOM), cell(Make("b", ("a",), storable=False))),
        loads=frozenset("a"),
        reruns=(2,),
    ),
    Story(
        "the same where making it again would write a file",
        (cell(Make("a"), effects=WRITES), cell(Make("b", ("a",), storable=False))),
        loads=frozenset("a"),
        reruns=(2,),
    ),
    Story(
        "then all that is older is loaded with it, however dear",
        (cell(Make("a")), cell(Make("b", ("a",)), unrepeatable=RANDOM), cell(Make("c", ("b",), storable=False))),
        loads=frozenset("ab"),
        reruns=(3,),
        dear=frozenset("a"),
    ),
    Story(
        "but not where the holder is older: then both come out differently, together",
        (cell(Make("b", storable=False)), cell(Make("a"), Change("b", ("a",), "attach"), unrepeatable=RANDOM)),
        reruns=(1, 2),
    ),
    Story(
        "nor where the holder is made from what the box was made from",
        (
            cell(Make("x")),
            cell(Make("a", ("x",)), unrepeatable=RANDOM),
            cell(Make("w", ("x",))),
            cell(Make("b", ("w",), storable=False)),
            cell(Delete("x"), Delete("w")),
        ),
        reruns=(1, 2, 3, 4),
    ),
    Story(
        "one of two is lost if the younger can only be loaded, and the older only made again",
        (
            cell(Make("x"), Make("a", ("x",), storable=False), Delete("x")),
            cell(Alias("b", "a", 0), effects=WRITES),
        ),
        loads=frozenset("b"),
        lost=frozenset("a"),
    ),
    Story(
        "two inputs that shared a box must share it again",
        (
            cell(Make("a"), Make("b", ("a",))),
            cell(Make("c", storable=False), Change("c", ("a", "b"))),
            cell(Delete("b")),
        ),
        reruns=(1, 2),
    ),
    Story(
        "also if the one is shared through what was made from it",
        (
            cell(Make("a"), Make("y", ("a",))),
            cell(Make("x", ("a",))),
            cell(Make("z", storable=False), Change("z", ("x", "y"))),
            cell(Delete("x"), Delete("y")),
        ),
        reruns=(1, 2, 3),
    ),
    Story(
        "each of the inputs held by a value is bound to it, though they shared nothing before",
        (cell(Make("a"), Make("b"), Alias("c", "a")), cell(Make("d", ("b", "c"), storable=False))),
        reruns=(1, 2),
        unstored=frozenset("a"),
        wanted=frozenset("ad"),
    ),
    Story(
        "and if that cannot be, what needs it is lost",
        (
            cell(Make("x")),
            cell(Make("a", ("x",)), unrepeatable=RANDOM),
            cell(Make("w", ("x",))),
            cell(Make("z", storable=False), Change("z", ("a", "w"))),
            cell(Delete("x"), Delete("w")),
        ),
        loads=frozenset("a"),
        lost=frozenset("z"),
    ),
    Story(
        "a change through one name shows under the other",
        (cell(Make("a", storable=False), Alias("b", "a")), cell(Change("a")), cell(Delete("a"))),
        reruns=(1, 2),
    ),
    Story(
        "a name that a cell deletes must be there",
        (cell(Make("a"), Make("t")), cell(Delete("t"), Make("b", storable=False))),
        reruns=(1, 2),
    ),
    Story(
        "instances are made again where their class is",
        (cell(Define("K"), Make("g", storable=False)), cell(Make("a", of="K")), cell(Make("b"))),
        loads=frozenset("b"),
        reruns=(1, 2),
    ),
    Story(
        "a class without a name left still binds its instances",
        (
            cell(Define("K")),
            cell(Make("a", of="K"), Make("t")),
            cell(Make("b", of="K", storable=False)),
            cell(Delete("K")),
        ),
        reruns=(1, 2, 3),
    ),
    Story(
        "what a failed cell made before it failed is made again by failing again",
        (cell(Make("a", storable=False), Alias("b", "nowhere"), Make("c")),),
        reruns=(1,),
    ),
    Story(
        "an interrupted cell is not run again",
        (cell(Make("a", storable=False), status="interrupted"),),
        lost=frozenset("a"),
    ),
    Story(
        "a cell that saw what lapsed needs it no more than it did then",
        (cell(Make("a"), Make("b")), cell(Make("c", ("b",), storable=False))),
        reruns=(1, 2),
        wanted=frozenset("c"),
        lapses={2: ("a",)},
    ),
    Story(
        "what is not wanted may be loaded to make what is",
        (cell(Make("a"), seconds=1e6), cell(Make("c", storable=False), Change("c", ("a",)))),
        loads=frozenset("a"),
        reruns=(2,),
        wanted=frozenset("c"),
    ),
)


def play(story: Story) -> tuple[FakeHost, dict[Version, float], frozenset[Version]]:
    host = FakeHost()
    for fake in story.cells:
        n = host.run(fake).n
        host.lapse(story.lapses.get(n, ()))
    loads = {v: 100.0 if v.name in story.dear else 0.1 for v in host.storable() if v.name not in story.unstored}
    live = [record.version for record in host.history.live.values()]
    return host, loads, frozenset(v for v in live if story.wanted is None or v.name in story.wanted)


def names(versions) -> frozenset[Name]:
    return frozenset(version.name for version in versions)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("policy", ["optimal", "store-all", "rerun-all"])
def test_a_story_ends_well(story: Story, policy: str):
    """The plan loads, re-runs and loses what the story says, and rebuilds the rest as it was."""
    host, loads, targets = play(story)
    plan: ReplicationPlan = solve(migration_problem(host.history, loads=loads, targets=targets), policy)
    assert names(loss.version for loss in plan.lost) == story.lost
    if policy == "optimal":
        assert names(plan.loads) == story.loads
        assert tuple(step.n for step in plan.reruns) == story.reruns
    rebuilt = Rebuilt(host, plan)
    kept = names(targets) - story.lost
    assert not rebuilt.missing(version for version in targets if version.name in kept)
    assert rebuilt.shares_as_before(kept)
    assert all(rebuilt.exact(name) for name in kept if rebuilt.must_be_exact(name))
