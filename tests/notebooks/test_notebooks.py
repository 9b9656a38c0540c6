"""Each example notebook comes back in other processes, in other folders: every variable equal, or the report says why not."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import nbformat
import pytest

from elastictm.testing.places import Console, Kernel
from elastictm.testing.verdict import judge

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

MAY_BE_LOST = {
    "algorithms": {"numbered", "pool", "primes", "stream", "tally", "walker"},
    "cleaning": {"db", "lines", "ranking", "source"},
    "plotting": {"shades"},
    "simulation": {"solver"},
    "training": {"batches"},
}
"""Generators, locks, open files, cursors and the like: re-run, or lost."""

LIBRARIES = {
    "algorithms": (),
    "cleaning": ("pandas",),
    "plotting": ("matplotlib", "pandas"),
    "simulation": ("scipy",),
    "training": ("sklearn", "pandas"),
}

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    """Libraries compute on one core: threads that wait for one another by spinning stop tests that run beside."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "training" else ()) for name in MAY_BE_LOST]
)
@pytest.mark.timeout(600)
def test_a_notebook_comes_back_somewhere_else(name, tmp_path):
    """Variables, displayed results and numbering of a kernel go on in a second one, and from there in a plain shell."""
    for library in LIBRARIES[name]:
        pytest.importorskip(library)
    with ExitStack() as places:
        first = places.enter_context(closing(Kernel(tmp_path / "work", tmp_path / "home")))
        run_notebook(first, NOTEBOOKS / f"{name}.ipynb", tmp_path / "work")
        saved = first.save(tmp_path / "first.tm")
        before = first.portrait(detail=True)
        inputs, typed, count = first.ask("In"), first.ask(f"_i{len(first.ask('In')) - 1}"), len(first.ask("In"))
        assert first.portrait(detail=True) == before
        assert first.recorder_errors() == []
        assert [note for note in saved["notes"] if not is_expected(name, note)] == []
        first.close()
        (tmp_path / "work").rename(tmp_path / "gone")

        second = places.enter_context(closing(Kernel(tmp_path / "elsewhere", tmp_path / "other home")))
        report = second.restore(tmp_path / "first.tm")
        after = second.portrait(detail=True)
        check(name, before, after, report)
        assert second.ask("In") == inputs
        assert second.ask("_i") == typed
        assert second.ask("sorted(Out)") == sorted(int(key[4:-1]) for key in after if key.startswith("Out["))
        assert second.ask("_ is Out[max(Out)]")
        assert second.run("6 * 7").count == count
        assert second.ask(f"Out[{count}]") == 42
        second.save(tmp_path / "second.tm")
        between = second.portrait(detail=True)

        third = places.enter_context(closing(Console(tmp_path / "third", tmp_path / "third home")))
        report = third.restore(tmp_path / "second.tm")
        check(name, between, third.portrait(detail=True), report)
        assert third.run("_").count == count + 1
        assert third.ask(f"Out[{count + 1}]") == 42


def is_expected(name, note):
    """Whether a save may say so: that cells stay away, that files are needed, or that what is not stored is made anew."""
    kind, names, _ = re.fullmatch(r"(MAY DIFFER )?(.*?): (.*)", note).groups()
    plain = names == "cells that are not run again" or names.startswith("load only where the files")
    return plain if kind is None else set(names.split(", ")) <= MAY_BE_LOST[name]


def run_notebook(place, path, folder):
    """Run all cells of a notebook in a folder with its data; those that are to fail do so, and no others."""
    for data in path.parent.glob("*.csv"):
        shutil.copy(data, folder)
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            fails = "raises-exception" in cell.metadata.get("tags", [])
            error = place.run(cell.source).error
            assert (error is not None) == fails, error


def check(name, before, after, report):
    """Nothing differs unless the report says so, and nothing is lost but what cannot be stored."""
    verdict = judge(before, after, report)
    assert dict(verdict.faults) == {}
    variables = {lost for lost in verdict.lost if not lost.startswith("Out[")}
    assert variables <= MAY_BE_LOST[name]
