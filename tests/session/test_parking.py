"""Values that cannot be stored wait in memory for the way back, and it is told where they take much of it."""

from __future__ import annotations

from elastictm.session import parking

HOLDER = "import numpy as np\nx = [np.zeros(1_000_000), (i for i in range(3))]"


def test_it_is_told_once_where_parked_values_take_a_third_of_the_memory(notebook, monkeypatch):
    """One line, at the first cell after going away from them; none where there is plenty of memory."""
    told = []
    notebook.session.tell = told.append
    notebook.run("y = 1", HOLDER)
    n = notebook.runs[-1].n
    notebook.session.go(str(n - 1))
    notebook.session.go(str(n))
    notebook.run("pass")
    assert told == []
    monkeypatch.setattr(parking, "_machine_memory", lambda: 20_000_000)
    for _ in range(2):
        notebook.session.go(str(n - 1))
        notebook.session.go(str(n))
        notebook.session.go(str(n - 1))
        notebook.run("pass")
        notebook.session.go(str(n))
    assert [line for line in told if "more than a third of this machine's 20.0 MB" in line] == told
    assert len(told) == 1
    assert next(notebook.ns["x"][1]) == 0
