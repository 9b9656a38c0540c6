"""Objects that answer for any name, by attributes that they do not have while they are being loaded."""

from __future__ import annotations

import pytest

from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.thaw import Frost, Thawer

WRITTEN = {
    "attributes": """\
class Answering:
    def __init__(self):
        self.inner = {"q": [1]}

    def __getattr__(self, name):
        if name in self.inner:
            return self.inner[name]
        raise AttributeError(name)
""",
    "slots": """\
class Answering:
    __slots__ = ("__dict__", "inner")

    def __init__(self):
        self.inner = {"q": [1]}
        self.more = 3

    def __getattr__(self, name):
        if name in self.inner:
            return self.inner[name]
        raise AttributeError(name)
""",
}


@pytest.mark.parametrize("code", WRITTEN.values(), ids=WRITTEN)
def test_object_loads_without_being_asked(code):
    """Pickle would ask it how to set its attributes, and never hear the end of it; here it comes back whole."""
    scope = {"__name__": "__main__"}
    exec(code, scope)
    x = scope["x"] = scope["Answering"]()
    freezer = Freezer(Surroundings(scope))
    found = freezer.group({"x": x}, keep=True)
    assert not found.refusals
    unit = found.unit
    thawer = Thawer(freezer.around, lambda _key: pytest.fail("its class has no unit"), {})
    frost = Frost(unit.names, unit.stream, unit.segments, unit.slices, unit.definitions)
    for key in unit.definitions:
        thawer.register(key, scope["Answering"])
    back = thawer.group(frost)["x"]
    assert back is not x
    assert back.q == [1]
    assert vars(back) == vars(x)
    assert back.inner == x.inner
