"""Which uses of names reach variables that the code does not name, so that anything may have been touched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elastictm.model.repeatability import Use

MAIN = "__main__"
"""The name of the module whose namespace is the session's."""

_FRAMES = frozenset({"f_globals", "f_locals", "__globals__", "user_ns", "user_global_ns", "user_module"})
_SHELL = frozenset({"run_cell", "run_cell_async", "run_code", "run_line_magic", "run_cell_magic", "safe_execfile"})
_SESSIONS = frozenset({"dump_session", "load_session"})
_OF_MODULE = {
    "gc": frozenset({"get_objects", "get_referrers"}),
    "dill": frozenset({"dump_module", "load_module"}),
    "cProfile": frozenset({"run"}),
    "profile": frozenset({"run"}),
    "code": frozenset({"interact"}),
    "pdb": frozenset({"set_trace", "run", "runcall"}),
    "IPython": frozenset({"embed"}),
    "InteractiveShell": frozenset({"instance"}),
    "ZMQInteractiveShell": frozenset({"instance"}),
    "sys": frozenset({"modules"}),
}
_BUILTINS = frozenset({"eval", "exec", "globals", "locals", "breakpoint"})
_OF_FRAME = frozenset({"locals", "vars", "dir"})

WORDS = _FRAMES.union(_SHELL, _SESSIONS, *_OF_MODULE.values(), _BUILTINS, _OF_FRAME) | {"get_ipython", MAIN}
"""The last parts of all dotted names that can be opaque."""

_AT_NAME = re.compile(r"(?<![\w.])@([^\W\d]\w*)")
_FORMULA = re.compile(r"^[^/\\\n]*[\w)\]]\s*~\s*[\w(+-]")
_SQL = re.compile(r"\b(?:from|join|summarize|describe|pivot|unpivot|update|into)\s+[\"'(]?[^\W\d]", re.IGNORECASE)
_TABLE_NEXT = re.compile(
    r"(?:\A|\b(?:from|join|summarize|describe|pivot|unpivot|update|into)\s+[\"']?)\s*\Z", re.IGNORECASE
)
_NAME = re.compile(r"[^\W\d]\w*")


def opaque_reason(parts: tuple[str, ...], shown: str, use: Use, *, top: bool) -> str | None:
    """Why a use of the dotted name may touch everything, None where it cannot.

    ``top`` tells that the code runs at the top of a cell: in a function, ``locals()`` are the function's own.
    """
    last = parts[-1]
    owner = parts[-2] if len(parts) > 1 else ""
    if owner in {"builtins", "__builtins__"}:
        owner = ""
    if last in _OF_FRAME and not owner:
        # Many people have a variable named dir or vars; only the function itself can be kept for later.
        kept = use.kept or last == "locals"
        hit = top and (use.args == 0 or last == "locals") if use.called else kept
        return f"{last}()" if hit else None
    if last == MAIN:
        return MAIN
    if last == "get_ipython" or (last in _BUILTINS and not owner):
        return f"{last}()"
    if last in _FRAMES or last in _SHELL or last in _SESSIONS or last in _OF_MODULE.get(owner, ()):
        return shown
    return None


def mentioned_names(text: str) -> list[str]:
    """Names that libraries look up for a string: ``@x`` in a query of pandas, all in a formula such as ``y ~ f(x)``."""
    if "~" in text and _FORMULA.search(text):
        return _NAME.findall(text)
    return _AT_NAME.findall(text) if "@" in text else []


def sql_names(text: str) -> list[str]:
    """All words of a string that looks like SQL: duckdb takes a variable for the table of that name."""
    return _NAME.findall(text) if _SQL.search(text) else []


def expression_names(text: str) -> list[str]:
    """All words of a string that is evaluated as an expression."""
    return _NAME.findall(text)


def table_is_open(text: str) -> bool:
    """Whether a table's name would come next after this beginning of an SQL text."""
    return _TABLE_NEXT.search(text) is not None
