"""Plans foreseen from what recording and archives know, without freezing anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.outlook import FASTEST, SLOWEST
from elastictm.model.records import CellRun, FileRead, Refusal, VersionRecord
from elastictm.session.forecast import Forecast
from elastictm.storage.manifest import NOTHING, Entry, Environment, Manifest


def session(folder) -> History:
    """Rows of a file, something dear made of them, and a lock."""
    history = History()
    file = FileRead(str(folder / "in.csv"), 1_000_000, 1, relative="in.csv")
    rows = VersionRecord("rows", 1, "list", 20_000_000, 0.1)
    history.append(CellRun(1, "rows = read('in.csv')", 1.0, 0.5, writes=(rows,), files=(file,)))
    model = VersionRecord("model", 2, "Model", 5_000_000, 0.2)
    history.append(CellRun(2, "model = fit(rows)", 1.0, 70.0, reads=(rows.version,), writes=(model,)))
    lock = VersionRecord("lock", 3, "lock", 0, 0.0, refusal=Refusal("lock", "it belongs to this process"))
    history.append(CellRun(3, "lock = Lock()", 1.0, 0.1, writes=(lock,), unrepeatable=("time.time()",)))
    return history


def test_a_session_is_foreseen_from_its_records(tmp_path):
    """Nothing is looked at, not even the file: slow links re-run and ship, fast ones store, dear cells never run."""
    history = session(tmp_path)
    outlook = Forecast.of_session(history, tmp_path).outlook()
    slow, fast = outlook.at(2e6), outlook.at(1e10)
    rows, model, lock = (history.live[name].version for name in ("rows", "model", "lock"))
    assert slow.fates.outcomes == {rows: "rerun", model: "stored", lock: "rerun"}
    assert fast.fates.outcomes == {rows: "stored", model: "stored", lock: "rerun"}
    assert (slow.fates.cells, slow.fates.bytes) == ((1, 3), 6_000_000)
    assert slow.seconds(2e6) == pytest.approx(0.5 + 0.5 + 0.1 + 2 * (0.2 + 2.5))
    assert outlook.remake == {rows: 0.5, model: 70.0, lock: 0.1}
    assert (outlook.stretches[0].low, outlook.stretches[-1].high) == (SLOWEST, FASTEST)


def test_one_bandwidth_says_what_all_of_them_say(tmp_path):
    """The quick look and the whole outlook agree."""
    forecast = Forecast.of_session(session(tmp_path), tmp_path)
    for bandwidth in (2e5, 3e7, 1e9):
        whole, one = forecast.outlook().at(bandwidth), forecast.at(bandwidth)
        assert one.shown == whole.fates
        assert one.at(bandwidth).seconds(bandwidth) == pytest.approx(whole.seconds(bandwidth))


def manifest(folder, **more) -> Manifest:
    """What an archive of that session says."""
    entries = (
        Entry("rows", 1, "list", "rerun", bytes=20_000_000, seconds=0.1),
        Entry("model", 2, "Model", "stored", bytes=5_000_000, seconds=0.2, unit=0),
        Entry("lock", 3, "lock", "lost", "it belongs to this process", "lock"),
    )
    made = Environment("3.12.1", "CPython", "Linux", "0.1.0", {}, str(folder))
    return Manifest(1.0, made, NOTHING, 4, entries, (), (), cells_rerun=(1,), **more)


def test_an_archive_shows_what_was_decided(tmp_path):
    """Its outcomes come first; other bandwidths are planned from its entries, as the session that saved would have."""
    history = session(tmp_path)
    outlook = Forecast.of_archive(manifest(tmp_path), history).outlook()
    rows, model, lock = (history.live[name].version for name in ("rows", "model", "lock"))
    assert outlook.shown.outcomes == {rows: "rerun", model: "stored", lock: "lost"}
    assert (outlook.shown.cells, outlook.shown.bytes) == ((1,), 5_000_000)
    live = Forecast.of_session(history, tmp_path).outlook()
    assert [each.low for each in outlook.stretches] == pytest.approx([each.low for each in live.stretches])
    assert [each.fates for each in outlook.stretches] == [each.fates for each in live.stretches]


def test_what_shares_data_in_an_archive_goes_together(tmp_path):
    """Its alias groups and what was astray bind the plans as they bound the save."""
    history = session(tmp_path)
    together = Forecast.of_archive(manifest(tmp_path, groups=(("rows", "model"),)), history).outlook()
    outcomes = [each.fates.outcomes for each in together.stretches]
    assert all(found[Version("rows", 1)] == found[Version("model", 2)] for found in outcomes)
    entries = tuple(replace_(each, astray=each.name == "rows") for each in manifest(tmp_path).entries)
    astray = Forecast.of_archive(replace_(manifest(tmp_path), entries=entries), history).outlook()
    assert {each.fates.outcomes[Version("rows", 1)] for each in astray.stretches} == {"stored"}


def replace_(record, **changes):
    """A record of msgspec's with other values."""
    import msgspec

    return msgspec.structs.replace(record, **changes)


def test_a_flaw_is_no_time_that_is_shown(tmp_path):
    """What keeps a plan from loading a flawed value does not count as seconds of the plan."""
    forecast = Forecast.of_session(session(tmp_path), tmp_path)
    flawed = replace(forecast, flaws=frozenset({"model"}))
    best = flawed.at(1e9).at(1e9)
    assert best.fates.of(Version("model", 2)) == "stored"
    assert best.seconds(1e9) == pytest.approx(2 * (0.2 + 0.005) + 2 * (0.1 + 0.02) + 0.1)
