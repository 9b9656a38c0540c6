"""The host that plans are tried on: it records what recording would, and sees through plans that are wrong."""

from __future__ import annotations

import pytest

from elastictm.ids import Name, RunNumber, Version
from elastictm.planning.plan import Load, ReplicationPlan, Rerun
from elastictm.testing.fakecells import Alias, Change, Define, Delete, FakeCell, Make
from elastictm.testing.fakehost import FakeHost, Rebuilt


def v(text: str) -> Version:
    name, n = text.split("@")
    return Version(Name(name), RunNumber(int(n)))


def hosted(*cells: FakeCell) -> FakeHost:
    host = FakeHost()
    for cell in cells:
        host.run(cell)
    return host


def cell(*ops, **more) -> FakeCell:
    return FakeCell(ops, **more)


def rebuilt(host: FakeHost, *steps) -> Rebuilt:
    return Rebuilt(host, ReplicationPlan(steps, (), 0.0))


def test_a_cell_run_is_recorded():
    """Reads, writes, deletes, ties, classes and failures are recorded as they were."""
    host = hosted(
        cell(Make("a"), Define("K")),
        cell(Make("b", ("a",), of="K"), Make("t")),
        cell(Change("b", ("a",)), Delete("t"), Alias("c", "nowhere"), Make("d")),
    )
    first, second, third = host.history.runs
    assert ([w.version for w in first.writes], len(first.created)) == ([v("K@1"), v("a@1")], 1)
    assert (second.reads, second.groups) == ((v("a@1"), v("K@1")), ((v("a@1"), v("b@2")),))
    assert second.writes[0].definitions == first.created
    assert (third.status, third.deletes) == ("error", ("t",))
    assert [w.version for w in third.writes] == [v("b@3")]


def test_a_change_shows_under_all_names():
    """A change in place gives every name that reaches the box a new version, and no other."""
    host = hosted(cell(Make("a"), Alias("b", "a"), Make("c")), cell(Change("a")))
    assert [w.version for w in host.history.runs[1].writes] == [v("a@2"), v("b@2")]
    assert host.history.runs[1].reads == (v("a@1"),)


def test_what_holds_a_generator_cannot_be_stored():
    """A value that cannot be stored spoils all that hold it."""
    host = hosted(cell(Make("a", storable=False), Make("b", ("a",)), Make("c")))
    assert host.storable() == {v("c@1")}
    assert [w.refusal is None for w in host.history.runs[0].writes] == [False, False, True]


def test_a_right_plan_rebuilds():
    """Loaded and re-run variables are what they were, and share what they shared."""
    host = hosted(cell(Make("a"), Make("b", ("a",))), cell(Make("c", ("b",))))
    for steps in (
        (Load(v("a@1")), Load(v("b@1")), Load(v("c@2"))),
        (Rerun(RunNumber(1), (v("a@1"), v("b@1"))), Rerun(RunNumber(2), (v("c@2"),))),
    ):
        result = rebuilt(host, *steps)
        assert not result.missing([v("a@1"), v("b@1"), v("c@2")])
        assert all(result.exact(Name(name)) and result.must_be_exact(Name(name)) for name in "abc")
        assert result.shares_as_before(map(Name, "abc"))


def test_a_plan_that_parts_what_was_shared_is_seen_through():
    """A box loaded beside another made again in its place is told from one that is shared."""
    host = hosted(cell(Make("a"), Make("b", ("a",))))
    result = rebuilt(host, Rerun(RunNumber(1), (v("b@1"),)), Load(v("a@1")))
    assert result.exact(Name("a"))
    assert result.exact(Name("b"))
    assert not result.shares_as_before([Name("a"), Name("b")])


def test_inputs_that_no_longer_share_give_another_result():
    """A cell that runs again on inputs parted from each other computes something else."""
    host = hosted(cell(Make("a"), Make("b", ("a",))), cell(Make("c"), Change("c", ("a", "b"))))
    steps = (Rerun(RunNumber(1), (v("b@1"),)), Load(v("a@1")), Rerun(RunNumber(2), (v("c@2"),)))
    assert not rebuilt(host, *steps).exact(Name("c"))


def test_classes_made_anew_are_seen_through():
    """An instance loaded beside its class made again is not of that class."""
    host = hosted(cell(Define("K")), cell(Make("a", of="K")))
    result = rebuilt(host, Rerun(RunNumber(1), (v("K@1"),)), Load(v("a@2")))
    assert not result.shares_as_before([Name("K"), Name("a")])


def test_what_is_not_repeatable_comes_out_differently():
    """A cell that is not repeatable gives another value, and nothing made from that must be exact."""
    host = hosted(cell(Make("a"), unrepeatable=("time()",)), cell(Make("b", ("a",))))
    result = rebuilt(host, Rerun(RunNumber(1), (v("a@1"),)), Rerun(RunNumber(2), (v("b@2"),)))
    assert not any(result.exact(Name(name)) or result.must_be_exact(Name(name)) for name in "ab")
    loaded = rebuilt(host, Load(v("a@1")), Rerun(RunNumber(2), (v("b@2"),)))
    assert all(loaded.exact(Name(name)) and loaded.must_be_exact(Name(name)) for name in "ab")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((Load(v("g@1")),), "g@1 has no bytes"),
        ((Load(v("a@1")),), "a@1 has no bytes"),
        ((Rerun(RunNumber(2), (v("a@2"),)),), "cell 2 reads a@1, which is not there"),
        ((Rerun(RunNumber(3), ()),), "cell 3 must not run: interrupted"),
        ((Rerun(RunNumber(1), (v("a@1"),)), Rerun(RunNumber(2), (v("b@2"),))), "cell 2 did not make b@2"),
    ],
)
def test_plans_that_cannot_be_followed_are_refused(steps, message):
    """A plan that asks for what is not there, or for what a cell cannot give, fails at that step."""
    host = hosted(
        cell(Make("a"), Alias("b", "a"), Make("g", storable=False)),
        cell(Change("a")),
        cell(Make("c"), status="interrupted"),
    )
    with pytest.raises(AssertionError, match=message):
        rebuilt(host, *steps)


def test_lapsed_variables_are_gone():
    """What lapsed is no longer in the namespace nor live, and other names stay."""
    host = hosted(cell(Make("a"), Make("b")))
    host.lapse([Name("a"), Name("never")])
    assert set(host.namespace) == set(host.history.live) == {"b"}
