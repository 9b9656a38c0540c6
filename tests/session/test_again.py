"""A cell that took in what ran aside runs again elsewhere: that runs aside again, on the same versions, and is taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import elastictm as tm
from elastictm.session import saving
from elastictm.session.futures.futures import Futures

pytestmark = pytest.mark.kernel

MODEL = """
class Model:
    def __init__(self, data): self.data = data
def fit(data, rate):
    import random
    return Model([value * rate + random.random() for value in data])
"""
SLOW = "1kB/s"
"""So slow a destination that plans run cells again rather than store what they made."""


@pytest.fixture(autouse=True)
def no_spares(monkeypatch):
    """What runs again is not stored besides."""
    monkeypatch.setattr(saving, "SPARE_BYTES", 0)


@pytest.fixture
def repeated(monkeypatch):
    """The names of what ran aside again."""
    names = []
    repeat = Futures.repeat
    monkeypatch.setattr(Futures, "repeat", lambda futures, aside: names.append(aside.name) or repeat(futures, aside))
    return names


def there_and_back(notebook, folder, **options):
    """Save to a slow destination, and restore; returns the report."""
    tm.save(folder / "work.tm", bandwidth=SLOW, **options)
    report = tm.restore(folder / "work.tm")
    assert not [each.name for each in report.variables if each.outcome in {"lost", "differs"}]
    return report


def test_results_come_back_by_running_aside_again(notebook, tmp_path):
    """With what they drew, under the names that they were taken under, and of the classes of the session."""
    notebook.run(
        MODEL,
        "data = list(range(50_000))",
        "%%future fast\nmodel = fit(data, 2)\nscore = model.data[7]\nhelper = 1",
        "%future wait fast",
    )
    run = notebook.run("%future take fast model score --as a_")
    assert (run.unrepeatable, [aside.name for aside in run.asides]) == ((), ["fast"])
    model, score = notebook.ns["a_model"], notebook.ns["a_score"]
    values = list(model.data)
    report = there_and_back(notebook, tmp_path)
    assert run.n in report.cells_rerun
    assert notebook.ns["a_model"] is not model
    assert type(notebook.ns["a_model"]) is notebook.ns["Model"]
    assert (notebook.ns["a_model"].data, notebook.ns["a_score"]) == (values, score)
    assert {"model", "score", "helper", "a_helper"}.isdisjoint(notebook.ns)
    assert [future.name for future in notebook.session.futures.table().futures] == ["fast"]
    assert notebook.run("c = a_score").reads


def test_sweeps_and_chains_run_again_in_their_order(notebook, tmp_path, repeated):
    """With the lists that their expressions give, and each after what it waited for."""
    notebook.run(
        "import elastictm as tm\nrates = [1, 2, 3]; data = list(range(20_000))",
        "%%future sweep --each rate=rates\nmade = [value * rate for value in data]",
        "%%future total --after sweep --each k=[1,10]\nsums = [k * sum(values) for values in made.values()] * 20_000",
        "%future wait total",
    )
    run = notebook.run("sums2 = tm.future('total').vars['sums']\nfirst = tm.future('sweep').vars['made'][3][:30_000]")
    expected, first = notebook.ns["sums2"], notebook.ns["first"]
    assert [aside.name for aside in run.asides] == ["total", "sweep"]
    report = there_and_back(notebook, tmp_path)
    assert run.n in report.cells_rerun
    assert repeated == ["sweep", "total", "sweep"]
    assert (notebook.ns["sums2"], notebook.ns["first"]) == (expected, first)


def test_what_read_older_versions_is_kept_by_its_bytes(notebook, tmp_path):
    """What it read was changed before it was taken, so that running it again would read something else."""
    notebook.run("data = list(range(50_000))", "%%future old\nmade = [value + 1 for value in data]", "%future wait old")
    notebook.run("data = data[::-1]")
    run = notebook.run("%future take old")
    assert run.unrepeatable == ("it took in what ran aside as old, with data as it was then",)
    expected = notebook.ns["made"]
    report = there_and_back(notebook, tmp_path)
    assert run.n not in report.cells_rerun
    assert notebook.ns["made"] == expected


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import time\nmade = [time.time()] * 50_000", "time.time"),
        ("made = [1] * 50_000\nraise ValueError", "which has failed"),
        ("from pathlib import Path\nPath('out.txt').write_text('x')\nmade = [1] * 50_000", ""),
    ],
)
def test_what_would_differ_is_kept_by_its_bytes(notebook, tmp_path, cell, reason):
    """For reasons that lie in the cell that ran aside, and are told."""
    notebook.run(f"%%future one\n{cell}", "%future wait one")
    run = notebook.run("%future take one made --force")
    assert any(reason in each for each in run.unrepeatable) or (not reason and run.effects)
    expected = notebook.ns["made"]
    report = there_and_back(notebook, tmp_path)
    assert run.n not in report.cells_rerun
    assert notebook.ns["made"] == expected


def test_states_of_the_past_are_made_by_running_aside_again(notebook, repeated):
    """While a future of that name is there, with something else, which stays as it is."""
    notebook.run(
        "data = list(range(200_000))",
        "%%future one\nmade = [[value] for value in data]",
        "%future wait one",
        "%future take one",
        "%future forget one",
    )
    n, expected = notebook.runs[-1].n, notebook.ns["made"]
    notebook.run(
        "made = None", "%%future one\nmade = 'other'", "%future wait one", "%past budget 1MB --yes", f"%past {n}"
    )
    assert notebook.ns["made"] == expected
    assert repeated == ["one"]
    assert tm.future("one").vars["made"] == "other"


def test_an_input_that_cannot_be_copied_there_is_a_lesson(notebook, tmp_path):
    """What does not run aside again is loaded instead, where it was stored."""
    Path("own.py").write_text("def more(values): return [value + 1 for value in values]\n")
    notebook.run(
        "import own\ndata = list(range(1000))",
        "%%future one\nmade = own.more(data)",
        "%future wait one",
        "%future take one",
    )
    expected = notebook.ns["made"]
    tm.save(tmp_path / "work.tm")
    tm.restore(tmp_path / "work.tm")
    assert notebook.ns["made"] == expected


@pytest.mark.parametrize("place", [".", "elsewhere"])
def test_own_modules_and_files_are_those_of_the_session(notebook, tmp_path, place):
    """Whatever lies where they came from by now, and wherever the cell runs again."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "feat.py").write_text("def mult(): return 2\n")
    (tmp_path / "data.txt").write_text("10")
    notebook.run(
        "import feat\nn = 50_000",
        "%%future a\nya = [feat.mult()] * n",
        "%%future b\nyb = [int(open('data.txt').read())] * n",
        "%future wait a\n%future wait b",
        "%future take a",
        "%future take b",
    )
    tm.save(tmp_path / "work.tm", bandwidth=SLOW)
    (tmp_path / "data.txt").write_text("11")
    if place == "elsewhere":
        (tmp_path / "feat.py").write_text("def mult(): return 200\n")
    told = subprocess.run(
        [sys.executable, "-m", "elastictm_cli", "restore", str(tmp_path / "work.tm"), "-c", "print(ya[0], yb[0])"],
        cwd=tmp_path / place,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.splitlines()[-1] == "2 10"
    assert "by cells 2, 6, 7" in told.stdout + told.stderr
