"""Two streams are alike if they would make the same, in whatever order and with whatever objects in common."""

from __future__ import annotations

import pickle

import pytest

from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.symbols import are_alike


def stream_of(source, name):
    """The stream of what a piece of code defines."""
    scope = {"__name__": "__main__"}
    around = Surroundings(scope)
    filename = f"<{hash(source)}>"
    around.sources.add(filename, source)
    exec(compile(source, filename, "exec"), scope)
    return Freezer(around).definition(scope[name]).stream


CLASS = "class A:\n    one = 1\n    def f(self): return self.one\n    two = 'x'\n"


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (CLASS, True),
        ("class A:\n    two = 'x'\n    one = 1\n    def g(self): return self.one\n", False),
        (CLASS.replace("1", "2"), False),
        (CLASS.replace("'x'", "'y'"), False),
        (CLASS.replace("A", "B"), False),
        (CLASS + "    three = 3\n", False),
    ],
)
def test_definitions_are_told_apart(other, alike):
    """What differs in an attribute, a name or its code is another one."""
    assert are_alike(stream_of(CLASS, "A"), stream_of(other, "B" if "class B" in other else "A")) is alike


def test_order_and_identity_do_not_matter():
    """Dicts in another order, and texts that are one object or two, make the same."""
    text, copy = "word", str(b"word", "ascii")
    assert are_alike(pickle.dumps({"a": text, "b": text}, 5), pickle.dumps({"b": text, "a": copy}, 5))
    assert not are_alike(pickle.dumps({"a": 1}, 5), pickle.dumps({"a": 2}, 5))


def test_nothing_is_imported_or_run():
    """Reading as symbols calls nothing."""
    deed = b"\x80\x05cbuiltins\nexit\n)R."
    assert are_alike(deed, deed)
    assert not are_alike(deed, b"\x80\x05cbuiltins\nquit\n)R.")
