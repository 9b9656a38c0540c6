"""The bandwidth probe: little writing, little time, no traces."""

from __future__ import annotations

import errno
import itertools
import os
from typing import TYPE_CHECKING

import pytest

from elastictm.errors import DestinationError
from elastictm.storage import probe
from elastictm.storage.probe import BandwidthProbe, probe_bandwidth

if TYPE_CHECKING:
    from pathlib import Path


class Disk:
    """A disk and clock in one: each byte and each sync takes its time; it counts what was written."""

    def __init__(self, monkeypatch, rate, sync=0.0):
        self.now, self.written, self.rate, self.sync = 100.0, 0, rate, sync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fsync", self.fsync)

    def __call__(self):
        return self.now

    def write(self, descriptor, data):
        self.written += len(data)
        self.now += len(data) / self.rate
        return len(data)

    def fsync(self, descriptor):
        self.now += self.sync


@pytest.mark.parametrize("rate", [1e6, 50e6, 500e6, 5e9, 1e12])
@pytest.mark.parametrize("sync", [0.0, 0.004])
def test_probe_finds_the_rate_within_its_limits(tmp_path, monkeypatch, rate, sync):
    """At most 16 MB are written; past the first 0.5 MB, at most 50 ms are taken; the rate is not overstated."""
    disk = Disk(monkeypatch, rate, sync)
    found = probe_bandwidth(tmp_path, disk)
    assert disk.written <= 16e6
    assert disk.now - 100 <= max(0.05, 500_000 / rate + 2 * sync) * 1.001
    assert found <= rate * 1.001
    if not sync:
        assert found == pytest.approx(rate)


def test_cost_of_syncing_is_spread_over_larger_steps(tmp_path, monkeypatch):
    """On a fast disk with slow syncs, larger steps show more of its rate than the first one."""
    disk = Disk(monkeypatch, 1e9, 0.003)
    assert probe_bandwidth(tmp_path, disk) > 4 * 500_000 / (0.0005 + 0.003)


def test_clock_that_stands_still(tmp_path, monkeypatch):
    """A clock too coarse to see the writing ends the probe all the same."""
    disk = Disk(monkeypatch, 1e300)
    assert probe_bandwidth(tmp_path, disk) > 0
    assert disk.written <= 16e6


def test_real_probe_leaves_nothing(tmp_path, names):
    """A real probe gives a positive number and leaves no file."""
    assert probe_bandwidth(tmp_path) > 0
    assert names() == []


def test_folder_that_refuses(tmp_path):
    """A folder that cannot be written to is a DestinationError."""
    with pytest.raises(DestinationError, match=r"A test file in .*nowhere was not written: its folder is no longer"):
        probe_bandwidth(tmp_path / "nowhere")


def test_full_disk_leaves_nothing(tmp_path, monkeypatch, names):
    """A disk that fills up during the probe is a DestinationError, and no file stays."""

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DestinationError, match="the disk is full"):
        probe_bandwidth(tmp_path)
    assert names() == []


def test_each_folder_is_measured_once(tmp_path, monkeypatch):
    """A folder's bandwidth is remembered, by whatever name it is asked for, and by this object only."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").mkdir()
    rates = itertools.count(1.0)
    asked: list[Path] = []

    def measure(folder):
        asked.append(folder)
        return next(rates)

    memory = BandwidthProbe(measure)
    assert [memory.bandwidth(folder) for folder in (".", tmp_path, "b/..", "b", "b")] == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert asked == [tmp_path, tmp_path / "b"]
    assert BandwidthProbe(measure).bandwidth(".") == 3.0


def test_probe_is_the_default():
    """Without another measure, the real probe is used."""
    assert BandwidthProbe()._measure is probe.probe_bandwidth
