"""Which modules were loaded since somebody asked is told without going through all of them."""

from __future__ import annotations

import sys
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from elastictm.session.new_modules import NewModules

NAMES = [f"module_of_a_test_{i}" for i in range(4)]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.booleans())))
def test_what_comes_is_told_once(steps):
    """Whatever comes and goes between two questions, as going through all of them would tell."""
    new = NewModules()
    new.names()
    before = set(sys.modules)
    try:
        for name, comes, asks in steps:
            if comes:
                sys.modules[name] = ModuleType(name)
            else:
                sys.modules.pop(name, None)
            if asks:
                assert new.names() == set(sys.modules) - before
                before = set(sys.modules)
    finally:
        for name in NAMES:
            sys.modules.pop(name, None)
