"""Versions of distributions are read once, and again as soon as something may have been installed."""

from __future__ import annotations

import shutil
import sys

from elastictm.session import environment


def put(folder, version):
    """Install a version of a distribution, as installers do."""
    for old in folder.glob("of_test-*"):
        shutil.rmtree(old)
    if version:
        info = folder / f"of_test-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: of-test\nVersion: {version}\n")


def test_what_is_installed_meanwhile_is_seen(tmp_path, monkeypatch):
    """A version that is installed, replaced or removed, or found on another path, is the one that is told."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    monkeypatch.setattr(sys, "path", [str(one), *sys.path])
    assert environment.installed("of-test") is None
    for version in ("1.0", "2.0", None, "3.0"):
        put(one, version)
        assert environment.installed("of-test") == version
    put(other, "4.0")
    sys.path.insert(0, str(other))
    assert environment.installed("of-test") == "4.0"


def test_what_did_not_change_is_not_read_again(tmp_path, monkeypatch):
    """Going through states reads what distributions say of themselves once."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    put(tmp_path, "1.0")
    assert environment.installed("of-test") == "1.0"
    monkeypatch.setattr(environment, "version", None)
    assert environment.installed("of-test") == "1.0"
