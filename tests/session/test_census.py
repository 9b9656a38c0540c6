"""The names of a namespace are found, whatever became of them, without going through the inputs of all cells."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from elastictm.session.census import Census

OWN = re.compile(r"_i?\d+$")
DEEDS = st.lists(
    st.tuples(st.sampled_from(["bind", "bind", "delete", "input", "look", "look", "reset"]), st.sampled_from("abcd"))
)


@given(DEEDS)
def test_it_is_what_a_whole_look_gives(deeds):
    """Names that are bound, deleted, bound again and reset are all there, in the order of the namespace."""
    namespace, census, count = {"a": 0, "_": 0}, Census(OWN.match), 0
    for deed, name in [*deeds, ("look", "")]:
        if deed == "bind":
            namespace[name] = count
        elif deed == "delete":
            namespace.pop(name, None)
        elif deed == "input":
            count += 1
            namespace[f"_i{count}"] = namespace[f"_{count}"] = ""
        elif deed == "reset":
            namespace.clear()
        else:
            assert list(census.names(namespace)) == [key for key in namespace if not OWN.match(key)]


def test_another_namespace_is_looked_through_anew():
    """What was seen of one namespace is not taken for the names of another."""
    census = Census(OWN.match)
    assert list(census.names({"a": 0, "_i1": ""})) == ["a"]
    assert list(census.names({"b": 0, "_i1": ""})) == ["b"]
