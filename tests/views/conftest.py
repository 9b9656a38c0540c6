"""Histories to draw: made of plain records."""

from __future__ import annotations

import pytest

from elastictm.ids import Version
from elastictm.model.history import History
from elastictm.model.records import CellRun, Effect, FileRead, Refusal, Remark, VersionRecord


def record(name, n, size=100, kind="int", **more) -> VersionRecord:
    """A version's record."""
    return VersionRecord(name, n, kind, size, 0.001, **more)


def run(n, source, reads=(), writes=(), **more) -> CellRun:
    """A cell run that writes plain versions of names, or records as they are given."""
    records = tuple(record(w, n) if isinstance(w, str) else w for w in writes)
    return CellRun(n, source, 1.5e9 + n, 0.5 * n, reads=tuple(Version(*each) for each in reads), writes=records, **more)


def history_of(*runs) -> History:
    """A history of these runs."""
    history = History()
    for each in runs:
        history.append(each)
    return history


@pytest.fixture(name="make_run")
def _make_run():
    return run


@pytest.fixture(name="make_record")
def _make_record():
    return record


@pytest.fixture(name="history_of")
def _history_of():
    return history_of


@pytest.fixture
def session():
    """Data, features, a model and its score, beside something of its own; one cell failed, one deleted."""
    found = history_of(
        run(0, "", writes=["earlier"]),
        run(
            1,
            "import pandas as pd\nraw = pd.read_csv('a.csv')",
            writes=[record("raw", 1, 2_000_000, "DataFrame")],
            files=(FileRead("/data/a.csv", 10, 1),),
        ),
        run(2, "clean = raw.dropna()", [("raw", 1)], [record("clean", 2, 1_000_000, "DataFrame")]),
        run(3, "clean['z'] = 1", [("clean", 2)], [record("clean", 3, 1_100_000, "DataFrame", assumed=True)]),
        run(4, "other = 5", writes=["other"]),
        run(
            5,
            "model = fit(clean)",
            [("clean", 3)],
            [record("model", 5, 0, "Model", refusal=Refusal("model._lock", "a lock of a thread"))],
            unrepeatable=("default_rng() without a seed",),
        ),
        run(6, "1 / 0", status="error", error="ZeroDivisionError: division by zero"),
        run(
            7,
            "score = model(clean)\ndel raw",
            [("raw", 1), ("clean", 3), ("model", 5)],
            ["score", "Out[7]"],
            deletes=("raw",),
            effects=(Effect("write", "/out/score.txt"),),
            notes=("recording took too long",),
        ),
    )
    found.remark(Remark(5, "running it again gave another value of model"))
    return found
