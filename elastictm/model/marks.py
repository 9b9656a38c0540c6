"""What the user says of a cell in a comment: ``# tm: repeatable`` or ``# tm: not-repeatable``."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Mark = Literal["repeatable", "not-repeatable"]
"""Whether the user says that a cell may run again whatever it does, or that it must not."""

_MARK: Final = re.compile(r"#\s*tm:\s*(repeatable|not-repeatable)(?![\w-])")
_MAGIC_LINE: Final = re.compile(r"^\s*[%!?].*$", re.MULTILINE)
_PYTHON: Final = frozenset({"time", "timeit", "capture", "prun", "memit", "python", "python3", "pypy"})


def mark_of(source: str) -> Mark | None:
    """The mark in a cell as it was typed; where it has both, it must not run again.

    Only comments count: a string that holds such a text is none.
    """
    if "tm:" not in source:
        return None
    marks = {found.group(1) for comment in _comments(source) if (found := _MARK.match(comment))}
    if "not-repeatable" in marks:
        return "not-repeatable"
    return "repeatable" if marks else None


def _comments(source: str) -> Iterator[str]:
    text = source.lstrip()
    while text.startswith("%%"):
        line, _, text = text.partition("\n")
        name = line[2:].split(maxsplit=1)[0] if line[2:].split() else ""
        if name not in _PYTHON:
            # What a shell or another program runs has comments of the same form, on lines of their own.
            yield from (line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))
            return
    reader = io.StringIO(_MAGIC_LINE.sub("", text) if _reads(text) is False else text).readline
    try:
        for token in tokenize.generate_tokens(reader):
            if token.type == tokenize.COMMENT:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _reads(text: str) -> bool:
    """Whether a text is made of Python's tokens alone."""
    try:
        return all(token.type != tokenize.ERRORTOKEN for token in tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
