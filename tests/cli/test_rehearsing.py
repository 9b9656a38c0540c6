"""``elastictm verify --rehearse``: a restore that nobody has to live with."""

from __future__ import annotations

import json

import pytest


def test_an_archive_that_restores(command, saved):
    """The status is 0, and every variable is as saved, the function too."""
    done = command("verify", saved["whole"], "--rehearse", "--trust", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["sound"], told["rehearsal"]["restores"]) == (True, True)
    verdicts = {variable["name"]: variable["verdict"] for variable in told["rehearsal"]["variables"]}
    assert verdicts == {"x": "same", "total": "same"}


@pytest.mark.parametrize(("more", "status"), [((), 4), (("--allow-losses",), 0)], ids=str)
def test_losses_show_in_the_status(command, saved, more, status):
    """What is lost is listed first, and the status is 4 unless losses are allowed."""
    done = command("verify", saved["lossy"], "--rehearse", "--trust", *more)
    assert done.returncode == status, done.stderr
    assert "this archive does not restore as it was saved: 1 LOST" in done.stdout
    assert ("g (" in done.stderr) is (status == 4)


def test_a_rehearsal_asks_for_trust(command, archive):
    """It runs code from the archive, so one from elsewhere is refused where nobody can be asked."""
    done = command("verify", archive, "--rehearse")
    assert done.returncode == 3
    assert "--trust" in done.stderr
    assert command("verify", archive).returncode == 0


def test_an_archive_whose_values_do_not_load(command, archive):
    """Damage that no checksum sees is found by the rehearsal: what does not load is re-run or lost."""
    done = command("verify", archive, "--rehearse", "--trust", "--json")
    assert done.returncode == 4
    rehearsal = json.loads(done.stdout)["rehearsal"]
    assert not rehearsal["restores"]
    assert "lock" in {variable["name"] for variable in rehearsal["variables"] if variable["verdict"] == "lost"}
