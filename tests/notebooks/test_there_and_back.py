"""What cells make comes back in another process as it was: one row for each way in which that could go wrong."""

from __future__ import annotations

from contextlib import closing

import pytest

from elastictm.testing.places import Console
from elastictm.testing.verdict import judge

pytest.importorskip("numpy")
pytest.importorskip("pandas")

CASES = {
    "plain data": ["a = [1, 2.5, 'x', None, {'k': (1, b'2')}]; b = a; c = {1, 'two'}"],
    "an instance of a class of the session": ["class C:\n    def f(self): return 1", "c = C()", "d = [c, C]"],
    "a named tuple with a docstring": [
        "from typing import NamedTuple\nclass T(NamedTuple):\n    'A pair.'\n    a: int\nt = T(1)"
    ],
    "a named tuple without a docstring": [
        "from collections import namedtuple\nT = namedtuple('T', 'a b', defaults=[2])\nt = T(1)"
    ],
}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A session to save."""
    folder = tmp_path_factory.mktemp("there")
    with closing(Console(folder / "work", folder / "home")) as place:
        place.run("%config ElasticTM.recording_floor = 600")
        yield place


@pytest.fixture(scope="module")
def back(tmp_path_factory):
    """A session to restore in."""
    folder = tmp_path_factory.mktemp("back")
    with closing(Console(folder / "work", folder / "home")) as place:
        yield place


@pytest.mark.parametrize("name", CASES)
def test_a_session_comes_back_equal(there, back, tmp_path, name):
    """Every variable has the same portrait after a restore, and none was taken for changed behind recording's back."""
    there.run("%reset -f")
    for cell in CASES[name]:
        assert there.run(cell).error is None
    report = there.save(tmp_path / "session.tm", policy="store-all")
    assert report["notes"] == []
    before = there.portrait(detail=True)
    restored = back.restore(tmp_path / "session.tm")
    verdict = judge(before, back.portrait(detail=True), restored)
    assert restored["cells_rerun"] == []
    assert dict(verdict.faults) == {}
    assert (verdict.told, verdict.lost) == ((), ())
    assert there.recorder_errors() == []
