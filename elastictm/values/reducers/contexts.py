"""Context variables and contexts."""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "contextvars"
_OF_THE_KERNEL: Final = frozenset(
    {"parent_header", "shell_parent", "shell_parent_ident", "control_parent", "control_parent_ident"}
)
"""Variables in which a Jupyter kernel keeps the message at hand; they are set in every context of a notebook."""


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for context variables, contexts and what undoes a change of one."""
    return {
        contextvars.ContextVar: reduce_variable,
        contextvars.Context: reduce_context,
        contextvars.Token: refuse_token,
    }


def reduce_variable(value: contextvars.ContextVar[Any], view: FreezingPass) -> Any:
    """A context variable by name where it can be imported, otherwise with its default and its value here."""
    named = _module_of(value, view)
    if named is not None:
        return context_variable_of, (named, value.name)
    parts: dict[str, Any] = {}
    with contextlib.suppress(LookupError):
        parts["default"] = contextvars.Context().run(value.get)
    current = contextvars.copy_context()
    state = [current[value]] if value in current else []
    return context_variable, (value.name, parts), state, None, None, set_variable


def _module_of(value: contextvars.ContextVar[Any], view: FreezingPass) -> str | None:
    for name, module in tuple(sys.modules.items()):
        scope = getattr(module, "__dict__", {})
        if scope.get(value.name) is value and scope is not view.namespace and scope.get("__name__") == name:
            return name
    return None


def context_variable_of(module: str, name: str) -> Any:
    """The context variable of a module."""
    return getattr(importlib.import_module(module), name)


def context_variable(name: str, parts: Mapping[str, Any]) -> contextvars.ContextVar[Any]:
    """A context variable without a value."""
    return contextvars.ContextVar(name, **parts)


def set_variable(made: contextvars.ContextVar[Any], state: list[Any]) -> None:
    """Give a context variable its value in the context of the restore."""
    for current in state:
        made.set(current)


def reduce_context(value: contextvars.Context, view: FreezingPass) -> Any:
    """A context by the variables of the session and their values in it."""
    own = {id(held) for held in tuple(view.namespace.values()) if type(held) is contextvars.ContextVar}
    kept = [variable for variable in value if variable.name not in _OF_THE_KERNEL or id(variable) in own]
    return context, (), [(variable, value[variable]) for variable in kept], None, None, set_context


def context() -> contextvars.Context:
    """A context without any variable set."""
    return contextvars.Context()


def set_context(made: contextvars.Context, state: list[tuple[contextvars.ContextVar[Any], Any]]) -> None:
    """Set variables in a context."""
    for variable, current in state:
        made.run(variable.set, current)


def refuse_token(_value: Any, _view: FreezingPass) -> Any:
    """What undoes a change in a context of this process is of no use in another."""
    raise TypeError("cannot store the token of a context variable: it undoes a change in this process")
