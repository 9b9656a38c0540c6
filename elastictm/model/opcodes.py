"""The global names that a code object uses, read from its bytecode, for Python 3.10 to 3.13."""

from __future__ import annotations

import dis
import inspect
import sys
from types import CodeType

from elastictm.model.code_judge import WATCHED, judge_code
from elastictm.model.findings import Findings
from elastictm.model.reach import MAIN, mentioned_names

# From Python 3.11 on, the lowest bit of LOAD_GLOBAL's argument tells that a call follows.
_GLOBAL_SHIFT = 1 if sys.version_info >= (3, 11) else 0
_EXTENDED = dis.EXTENDED_ARG
_LOAD_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_LOAD_NAME = dis.opmap["LOAD_NAME"]
_LOADS = frozenset({_LOAD_NAME, dis.opmap.get("LOAD_FROM_DICT_OR_GLOBALS", _LOAD_NAME)})
_STORE_NAME, _DELETE_NAME = dis.opmap["STORE_NAME"], dis.opmap["DELETE_NAME"]
_STORE_GLOBAL, _DELETE_GLOBAL = dis.opmap["STORE_GLOBAL"], dis.opmap["DELETE_GLOBAL"]
_NAMED = _LOADS | {_LOAD_GLOBAL, _STORE_NAME, _DELETE_NAME, _STORE_GLOBAL, _DELETE_GLOBAL}
_STAR = dis.opmap.get("IMPORT_STAR"), dis.opmap.get("CALL_INTRINSIC_1")
_STAR_INTRINSIC = 2


def find_in_code(code: CodeType) -> Findings:
    """Everything that a code object and those inside it use."""
    found = Findings()
    stack = [code]
    while stack:
        inner = stack.pop()
        _names(inner, found, top=inner is code and not inner.co_flags & inspect.CO_OPTIMIZED)
        texts: list[str] = []
        _sort_constants(inner.co_consts, stack, texts)
        for text in texts:
            found.keep_path(text)
            if "@" in text or "~" in text:
                found.loads.update(mentioned_names(text))
        if not WATCHED.isdisjoint(inner.co_names) or any(MAIN in text for text in texts):
            judge_code(inner, found, texts, top=inner is code and not inner.co_flags & inspect.CO_OPTIMIZED)
    found.reads = found.loads = found.loads | found.deletes
    return found


def _sort_constants(constants: tuple[object, ...] | frozenset[object], codes: list[CodeType], texts: list[str]) -> None:
    for constant in constants:
        if type(constant) is str:
            if "<locals>" not in constant:
                texts.append(constant)
        elif isinstance(constant, CodeType):
            codes.append(constant)
        elif isinstance(constant, (tuple, frozenset)):
            _sort_constants(constant, codes, texts)


def _names(code: CodeType, found: Findings, *, top: bool) -> None:
    """Add the names in one code object; ``top`` tells that it is a cell's or a module's own."""
    names = code.co_names
    if not names:
        return
    raw = code.co_code
    body = not (top or code.co_flags & inspect.CO_OPTIMIZED)
    extended = 0
    for op, low in zip(raw[::2], raw[1::2]):  # noqa: B905 - both have one entry for each instruction
        if op in _NAMED:
            index = extended | low
            if op == _LOAD_GLOBAL:
                found.loads.add(names[index >> _GLOBAL_SHIFT])
            elif op in _LOADS:
                found.loads.add(names[index])
            elif op == _STORE_GLOBAL or (op == _STORE_NAME and not body):
                found.stores.add(names[index])
            elif op == _DELETE_GLOBAL or (op == _DELETE_NAME and not body):
                found.deletes.add(names[index])
        elif op == _EXTENDED:
            extended = (extended | low) << 8
            continue
        elif top and (op == _STAR[0] or (op == _STAR[1] and low == _STAR_INTRINSIC)):
            found.opaque_stores["star import"] = None
        extended = 0
