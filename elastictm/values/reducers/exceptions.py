"""Exceptions, with what they hang together with: causes, notes and tracebacks, which pickle drops."""

from __future__ import annotations

import ast
import functools
from itertools import islice
from types import FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.source import TextName

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "builtins"

Step = tuple[str, str, str, int, int, int, int]
"""A step of a traceback: file, module, function, first and last line, first and last column."""

_FrozenStep = tuple[str | TextName, str, str, int, int, int, int]


def reducers(_: ModuleType) -> dict[type, Any]:
    """Refusals for what belongs to running code."""
    return {FrameType: refuse_frame, TracebackType: reduce_traceback}


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of a class of exceptions."""
    return reduce_exception if issubclass(kind, BaseException) else None


def refuse_frame(_value: FrameType, _view: FreezingPass) -> Any:
    """A frame is code that runs."""
    raise TypeError("cannot store a frame: it is a place in running code")


def reduce_traceback(value: TracebackType, view: FreezingPass) -> Any:
    """A traceback as its files, functions and lines."""
    return traceback, (_steps(value, view),)


def reduce_exception(value: BaseException, view: FreezingPass) -> Any:
    """An exception as it takes itself apart, with its cause, context and traceback.

    Where it leaves that to Python, it is made without its ``__init__``, which often wants other arguments.
    """
    reduced = value.__reduce_ex__(5)
    if not isinstance(reduced, tuple) or len(reduced) > 3:  # noqa: PLR2004 - maker, arguments, state
        return reduced
    maker, args, *state = reduced
    kind = type(value)
    if maker is kind and kind.__module__ != "builtins":
        maker, args = exception, (kind, args)
    links = {
        "__cause__": value.__cause__,
        "__context__": value.__context__,
        "__suppress_context__": value.__suppress_context__ or None,
        "__traceback__": None if value.__traceback__ is None else _steps(value.__traceback__, view),
    }
    found = {name: link for name, link in links.items() if link is not None}
    if not found:
        return maker, args, *state
    return maker, args, (state[0] if state else None, found), None, None, set_exception


def exception(kind: Any, args: tuple[Any, ...]) -> BaseException:
    """An exception as the built-in class that it comes from makes it."""
    builtin = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    made: BaseException = builtin.__new__(kind, *args)
    builtin.__init__(made, *args)
    return made


def set_exception(made: BaseException, state: tuple[Any, dict[str, Any]]) -> None:
    """Give an exception its attributes and what it hangs together with."""
    own, links = state
    if own is not None:
        made.__setstate__(own)
    for name, link in links.items():
        setattr(made, name, traceback(link) if name == "__traceback__" else link)
    made.__suppress_context__ = bool(links.get("__suppress_context__"))


def _steps(value: TracebackType | None, view: FreezingPass) -> list[_FrozenStep]:
    steps: list[_FrozenStep] = []
    while value is not None:
        code = value.tb_frame.f_code
        # The text of a cell that its lines are shown from comes along.
        place = view.place(code)
        positions: Any = getattr(code, "co_positions", tuple)
        found = next(islice(positions(), value.tb_lasti // 2, None), (None, None, None, None))
        last, column, last_column = found[1], found[2], found[3]
        module = str(value.tb_frame.f_globals.get("__name__"))
        steps.append(
            (
                code.co_filename if place is None else TextName(place.text),
                module,
                code.co_name,
                value.tb_lineno,
                last or value.tb_lineno,
                column or 0,
                last_column or 0,
            )
        )
        value = value.tb_next
    return steps


def traceback(steps: list[Step]) -> TracebackType | None:
    """A traceback that shows files, functions and lines; its frames are empty."""
    made: TracebackType | None = None
    for step in reversed(steps):
        frame, place = _stand_in(tuple(step))
        made = TracebackType(made, frame, place, step[3])
    return made


class _Raised(Exception):
    """What the code raises that stands in for a frame's."""


@functools.lru_cache(maxsize=256)
def _body(step: Step) -> Any:
    filename, _module, function, line, last, column, last_column = step
    raising = ast.Raise(ast.Name("_Raised", ast.Load()))
    for node in ast.walk(raising):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno, node.end_lineno, node.col_offset, node.end_col_offset = line, last, column, last_column
    return compile(ast.Module([raising], []), filename, "exec").replace(co_name=function)


def _stand_in(step: Any) -> tuple[FrameType, int]:
    """A frame of code that raised at that very place, and the instruction that did."""
    try:
        exec(_body(step), {"__name__": step[1], "__file__": step[0], "_Raised": _Raised})  # noqa: S102 - made above
    except _Raised as raised:
        inner = raised.__traceback__.tb_next if raised.__traceback__ is not None else None
        if inner is not None:
            return inner.tb_frame, inner.tb_lasti
    raise AssertionError("the code that stands in for a frame's did not raise")
