"""Which cell comes next after a saved state."""

from __future__ import annotations

import pytest
from elastictm_cli.resuming import CodeCell, cells_to_run, code_cells

from elastictm.errors import UsageError
from elastictm.model.records import CellRun


def cells(*sources):
    """Cells of a notebook."""
    return [CodeCell(index, source) for index, source in enumerate(sources)]


def runs(*sources, failed=False):
    """Cell runs after what was there before; the last one failed."""
    found = [CellRun(0, "", 0.0, 0.0)]
    found += [CellRun(n, source, 0.0, 0.0) for n, source in enumerate(sources, 1)]
    if failed:
        found[-1] = CellRun(len(sources), sources[-1], 0.0, 0.0, status="error")
    return found


@pytest.mark.parametrize(
    ("written", "ran", "left"),
    [
        (["a", "b", "c"], ["a"], ["b", "c"]),
        (["a", "b"], ["a", "b"], []),
        (["a", "b"], [], ["a", "b"]),
        ([], [], []),
        (["a\n", "b"], ["a"], ["b"]),
        (["import x", "%load_ext elastictm", "a", "b"], ["a"], ["b"]),
        (["%load_ext elastictm\nimport x", "a", "%migrate save w.tm", "b"], ["a", "%migrate save w.tm"], ["b"]),
        (["%load_ext elastictm", "a", "b"], ["%load_ext elastictm", "a"], ["b"]),
    ],
)
def test_the_cells_that_have_not_run_are_left(written, ran, left):
    """Cells that ran are passed over, in order; so are those before recording began."""
    assert [cell.source for cell in cells_to_run(cells(*written), runs(*ran), "w.tm")] == left


def test_a_last_cell_that_failed_runs_again_as_it_is_now():
    """A cell that was mended after it failed is the first to run."""
    left = cells_to_run(cells("a", "mended", "c"), runs("a", "broken", failed=True), "w.tm")
    assert [cell.source for cell in left] == ["mended", "c"]


def test_a_cell_that_may_raise_has_run():
    """A failure that the notebook's author expected is no reason to run the cell again."""
    written = [CodeCell(0, "a"), CodeCell(1, "1 / 0", may_raise=True), CodeCell(2, "c")]
    assert cells_to_run(written, runs("a", "1 / 0", failed=True), "w.tm") == written[2:]


@pytest.mark.parametrize(
    ("written", "ran", "words"),
    [
        (
            ["a", "x = 2", "c"],
            ["a", "x = 1"],
            ["code cell 2 of the notebook is 'x = 2'", "cell run 2 of w.tm is 'x = 1'"],
        ),
        (["a"], ["a", "b", "c"], ["cell run 2 of w.tm is 'b'", "the notebook ends before it, with 1 code cells"]),
        (["%load_ext elastictm", "a", "z"], ["a", "b"], ["code cell 3 of the notebook is 'z'"]),
        ([], ["a"], ["cell run 1"]),
        (["b"], ["a\nb"], ["'a ⏎ b'"]),
    ],
)
def test_the_first_cell_that_differs_is_named(written, ran, words):
    """Another notebook than the one that ran is refused, with both sides of the first difference."""
    with pytest.raises(UsageError) as caught:
        cells_to_run(cells(*written), runs(*ran), "w.tm")
    for part in words:
        assert part in str(caught.value)


def test_only_cells_that_run_count():
    """Text, blank cells and cells tagged skip-execution are no code cells."""
    made = [
        {"cell_type": "markdown", "source": "# text", "metadata": {}},
        {"cell_type": "code", "source": "a", "metadata": {"tags": ["raises-exception"]}},
        {"cell_type": "code", "source": " \n", "metadata": {}},
        {"cell_type": "code", "source": "b", "metadata": {"tags": ["skip-execution"]}},
        {"cell_type": "code", "source": "c"},
    ]
    assert code_cells(made) == [CodeCell(1, "a", may_raise=True), CodeCell(4, "c")]
