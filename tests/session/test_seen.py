"""What a user reads: losses first and one line each, what to do about them, and which cells are not repeated."""

from __future__ import annotations


def test_a_cell_that_saves_is_not_run_again(notebook, tmp_path):
    """A cell that was still running at its save never runs again: a restore would write the archive anew."""
    notebook.run("def f(): yield 1", "g = f()\n%migrate save w.tm")
    before = (tmp_path / "w.tm").read_bytes()
    report = notebook.session.restore(tmp_path / "w.tm", trust=True)
    assert (tmp_path / "w.tm").read_bytes() == before
    assert [(v.name, v.reason) for v in report.lost] == [
        (
            "g",
            "cannot store a generator: it is paused in the midst of its code; cannot be re-run: cell 3 was still running",
        )
    ]
