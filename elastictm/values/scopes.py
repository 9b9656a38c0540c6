"""Which globals belong to a function: all that it has, or what its code names of a namespace that a library copied."""

from __future__ import annotations

import dis
import functools
from types import CodeType, FunctionType
from typing import Any, Final

_WRITTEN_BY_LIBRARIES: Final = ("<attrs generated ", "<lambdifygenerated-")
"""How the files of methods begin that attrs writes over a copy of the session, and sympy over all that it knows."""
_LOOKED_UP: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_REMEMBERED: Final = 4096


def scope_of(function: FunctionType) -> dict[str, Any]:
    """The namespace that stands for a function's globals; a dict of its own where only some of them are its."""
    scope = function.__globals__
    if not function.__code__.co_filename.startswith(_WRITTEN_BY_LIBRARIES):
        return scope
    return {name: scope[name] for name in ("__name__", *_globals_of(function.__code__)) if name in scope}


@functools.lru_cache(_REMEMBERED)
def _globals_of(body: CodeType) -> tuple[str, ...]:
    """The globals that some code names, with the functions inside it."""
    found = {step.argval: None for step in dis.get_instructions(body) if step.opname in _LOOKED_UP}
    for constant in body.co_consts:
        if isinstance(constant, CodeType):
            found |= dict.fromkeys(_globals_of(constant))
    return tuple(found)
