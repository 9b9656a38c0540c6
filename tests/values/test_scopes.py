"""Functions that libraries write over a copy of a namespace carry what they name, and not the session."""

from __future__ import annotations

import types

import pytest

from elastictm.values.freeze import Freezer, Surroundings
from elastictm.values.survey import Surveyor


def generated(scope, filename):
    """A function whose globals are a copy of a session's, with what a library put beside them."""
    copy = {**scope, "factory": list, "unused": object()}
    exec(compile("def made(self):\n    return factory, self.big\n", filename, "exec"), copy)
    return copy["made"]


def test_copy_of_the_session_is_left_behind():
    """A method that attrs wrote neither stores a variable that it does not name nor shares it with others."""
    big = [b"b" * 10_000]
    scope = {"__name__": "__main__", "big": big}
    around = Surroundings(scope)
    method = generated(scope, "<attrs generated methods __main__.Point>")
    found = Freezer(around).group({"x": method}, keep=True)
    assert not found.refusals
    assert found.parts["x"].size < 10_000
    assert id(big) not in Surveyor(around).survey([method]).objects


def test_namespace_of_a_script_is_kept():
    """A function over a namespace that a user made holds all of it, by the names in it."""
    big = [b"b" * 10_000]
    around = Surroundings({"__name__": "__main__"})
    function = generated({"big": big}, "script.py")
    assert isinstance(function, types.FunctionType)
    found = Freezer(around).group({"x": function})
    assert found.parts == {} or found.parts["x"].size > 10_000
    assert id(big) in Surveyor(around).survey([function]).objects


@pytest.mark.parametrize("deep", [0, 5000])
def test_namespace_inside_a_value_is_refused(deep):
    """A value that holds the session's namespace is not stored with a copy of it, whatever its depth."""
    scope = {"__name__": "__main__", "y": 1}
    value: object = {"inner": scope}
    for _ in range(deep):
        value = [value]
    found = Freezer(Surroundings(scope)).group({"x": value})
    assert "namespace" in found.refusals["x"].reason
    assert found.refusals["x"].path.endswith("['inner']")


def test_functions_over_the_namespace_do_not_hold_it():
    """Functions of the session, and what makes new ones while it is stored, are not taken for its namespace."""
    scope = {"__name__": "__main__"}
    exec("class Maker:\n    def __reduce__(self):\n        return (lambda: 1), ()\nmade = Maker()", scope)
    found = Freezer(Surroundings(scope)).group({"x": [scope["made"], scope["Maker"]]}, keep=True)
    assert not found.refusals
