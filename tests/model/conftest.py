"""What the tests of the names in cells have in common."""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from elastictm.model.names import CodeNames, names_of_cell

_NOT_OWN = frozenset(dir(builtins)) | {"get_ipython"}


@dataclass(frozen=True, slots=True)
class Case:
    """A cell as typed, and what is found in it; names are separated by blanks, builtins are left out."""

    id: str
    code: str
    reads: str = ""
    stores: str = ""
    deletes: str = ""
    loads: str | None = None
    opaque: tuple[str, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    since: tuple[int, int] = (3, 10)


def table(*cases: Case) -> pytest.MarkDecorator:
    """Have a test run on each case whose syntax this Python knows."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(
                case, id=case.id, marks=pytest.mark.skipif(sys.version_info < case.since, reason="newer syntax")
            )
            for case in cases
        ],
    )


def transformed(typed: str) -> str:
    """A cell as IPython runs it."""
    return TransformerManager().transform_cell(typed)


def names_of(typed: str) -> CodeNames:
    """The names of a cell that can be parsed."""
    found = names_of_cell(transformed(typed), transformed)
    assert found is not None, f"this does not parse: {typed}"
    return found


def check(case: Case) -> None:
    """A cell reads, stores and deletes what the table says, for the reasons that it says."""
    found = names_of(case.code)
    assert found.reads - (_NOT_OWN - _words(case.reads)) == _words(case.reads)
    assert found.stores == _words(case.stores)
    assert found.deletes == _words(case.deletes)
    assert found.opaque == case.opaque
    assert found.unrepeatable == case.unrepeatable
    assert found.reads <= found.loads
    if case.loads is not None:
        assert found.loads - _NOT_OWN == _words(case.loads)


def _words(text: str) -> set[str]:
    return set(text.split())
