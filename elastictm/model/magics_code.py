"""What IPython's magics and shell commands do with the namespace: the code they carry, the names they store.

A magic that is not known here may do anything, and is opaque.
The forms are those of IPython's own magics, and of line_profiler's, memory_profiler's and autoreload's.
"""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class MagicUse:
    """What one use of a magic does with the namespace.

    ``runs`` are texts that run in the namespace one after the other, ``times`` texts that run inside one function;
    both are as typed, so may hold magics themselves.
    ``evaluates`` are expressions.
    ``expands`` are texts in which ``{expression}`` and ``$name`` are replaced.
    ``mentions`` is text that may hold names of files.
    """

    runs: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    evaluates: tuple[str, ...] = ()
    expands: tuple[str, ...] = ()
    mentions: str = ""
    stores: tuple[str, ...] = ()
    opaque: str = ""
    unrepeatable: str = ""


_PLAIN_LINES = frozenset(
    """
    alias alias_magic autocall automagic autoreload autosave bookmark cat cd clear colors conda connect_info cp dhist
    dirs doctest_mode env gui hist history killbgscripts ldir less lf lk ll load_ext logoff logon logstart logstate
    logstop ls lsmagic lx magic mamba man matplotlib micromamba mkdir more mv notebook pastebin pdb pip popd pprint
    precision pushd pwd pycat qtconsole quickref rehashx reload_ext rm rmdir save set_env subshell sx system tb
    tensorboard unalias unload_ext uv watermark xmode
    elastictm migrate past graph future
    """.split()
)
_PLAIN_CELLS = frozenset(
    """
    writefile file html HTML javascript js latex markdown svg SVG
    migrate past graph future
    """.split()
)
_SCRIPTS = frozenset("script bash sh perl ruby pypy python python2 python3 cmd".split())
_SHELL_CELLS = frozenset({"sx", "system", "!"})
_SHOW_ONE = frozenset({"pinfo", "pinfo2", "pdoc", "psource", "pdef", "pfile", "autoawait"})
_RUN_CODE = {"time": "", "prun": "D:l:rs:T:q", "memit": "r:t:i:co", "mprun": "rf:T:c", "lprun": "rszf:m:D:T:u:"}
"""Magics that run their line in the namespace, with their options as getopt wants them."""
_RUN_BODY = frozenset({"time", "prun", "memit"})
_NOT_EXPANDED = frozenset({"time", "prun"})
_LONG_FLAG = "--no-raise-error"

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_WORD = re.compile(r"(-\S+)\s*")
_STREAM = re.compile(r"(?<!\S)--(?:out|err|proc)(?:=|\s+)(\S+)")
_DOLLAR = re.compile(r"\$(\$?[\w.]+)")


def line_magic(name: str, line: str) -> MagicUse:
    """What ``%name line`` does with the namespace."""
    if name in _PLAIN_LINES:
        return MagicUse(expands=(line,))
    if name in _RUN_CODE:
        return _run_code(name, line)
    if name in _SHOW_ONE:
        root = _IDENTIFIER.match(line.strip())
        return MagicUse(evaluates=(root.group(),) if root else ())
    if name in _OWN_WAY:
        return _OWN_WAY[name](line)
    return MagicUse(expands=(line,), opaque=f"%{name}")


def cell_magic(name: str, line: str, body: str) -> MagicUse:
    """What ``%%name line`` above ``body`` does with the namespace."""
    if name == "timeit":
        use = _timeit(line)
        return MagicUse(times=(*use.times, body), stores=use.stores, unrepeatable=use.unrepeatable)
    if name in _RUN_BODY:
        use = _run_code(name, line)
        return MagicUse(runs=(*use.runs, body), expands=use.expands, opaque=use.opaque)
    if name == "capture":
        words = (word for word in line.split() if not word.startswith("-"))
        return MagicUse(runs=(body,), expands=(line,), stores=tuple(word for word in words if word.isidentifier())[:1])
    if name in _SCRIPTS:
        return MagicUse(expands=(line,), mentions=body, stores=tuple(_STREAM.findall(line)))
    if name in _SHELL_CELLS:
        return MagicUse(expands=(line, body), stores=tuple(_STREAM.findall(line)))
    return MagicUse(expands=(line,), opaque="" if name in _PLAIN_CELLS else f"%%{name}")


def expanded_expressions(text: str) -> Iterator[str]:
    """The expressions that IPython puts into a line: ``{expression}`` and ``$name.attribute``."""
    if "{" not in text and "$" not in text and "}" not in text:
        return
    try:
        for literal, expression, slicing, _ in string.Formatter().parse(text):
            for dollar in _DOLLAR.findall(literal):
                if not dollar.startswith("$"):
                    yield dollar.rstrip(".")
            if expression:
                # IPython takes what Python calls a format for the rest of a slice.
                yield f"{expression}:{slicing}" if slicing else expression
    except ValueError:
        return  # IPython leaves the rest of a line with a lone brace as it is


def _run_code(name: str, line: str) -> MagicUse:
    options, rest = _options(line, _RUN_CODE[name])
    evaluates = tuple(value for letter, value in options if letter in "fm")
    expands = () if name in _NOT_EXPANDED else (line,)
    made = any(any(expanded_expressions(text)) for text in expands)
    opaque = f"%{name} of code made from variables" if made else ""
    return MagicUse(runs=(rest,), evaluates=evaluates, expands=expands, opaque=opaque)


def _timeit(line: str) -> MagicUse:
    found, rest = _options(line, "n:r:tcp:qov:")
    kept = tuple(value for letter, value in found if letter == "v")
    returned = kept or any(letter == "o" for letter, _ in found)
    return MagicUse(times=(rest,), stores=kept, unrepeatable="%timeit -o" if returned else "")


def _shell_capture(line: str) -> MagicUse:
    target = _options(line, "lv")[1].partition("=")[0].strip()
    return MagicUse(expands=(line,), stores=(target,) if target.isidentifier() else ())


def _page(line: str) -> MagicUse:
    return MagicUse(evaluates=(_options(line, "r")[1],), expands=(line,))


def _config(line: str) -> MagicUse:
    return MagicUse(evaluates=(line.partition("=")[2],), expands=(line,))


def _import_to_reload(line: str) -> MagicUse:
    modules = (module.strip() for module in line.split(","))
    roots = (module.partition(".")[0] for module in modules if not module.startswith("-"))
    return MagicUse(expands=(line,), stores=tuple(root for root in roots if root.isidentifier()))


_OWN_WAY: Mapping[str, Callable[[str], MagicUse]] = {
    "timeit": _timeit,
    "sc": _shell_capture,
    "page": _page,
    "config": _config,
    "aimport": _import_to_reload,
}


def _options(line: str, spec: str) -> tuple[list[tuple[str, str]], str]:
    """The options before a line's code, as letters with their values, and the code.

    A word that is no option of the magic, such as ``-x``, begins the code, as it does for IPython.
    """
    found: list[tuple[str, str]] = []
    rest = line.strip()
    while (word := _WORD.match(rest)) is not None:
        letters, after = word.group(1)[1:], rest[word.end() :]
        if word.group(1) == _LONG_FLAG:
            rest = after
            continue
        if word.group(1) == "--":
            return found, after
        taken: list[tuple[str, str]] = []
        while letters and letters[0].isalpha() and letters[0] in spec:
            letter, letters = letters[0], letters[1:]
            value = ""
            if f"{letter}:" in spec:
                value, letters = letters, ""
                if not value:
                    value, _, after = after.partition(" ")
            taken.append((letter, value))
        if letters or not taken:
            break
        found += taken
        rest = after.lstrip()
    return found, rest
