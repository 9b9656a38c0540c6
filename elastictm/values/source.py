"""Code objects as source text and a place in it, so that they are compiled again by the Python that restores them.

A code object is named by its file name, its own name, its first line, and its rank among the code objects of the
same name and line, in the order in which they lie nested in the compiled file.
The rank, rather than a path of nested constants, survives Python 3.12, which compiles comprehensions in line.
"""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Final

import xxhash

_FUTURES: Final[int] = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_INLINED: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Where a code object is to be found in a source text; ``text`` is that text's number, where it is known."""

    filename: str
    name: str
    line: int
    rank: int
    flags: int
    text: int = 0


@dataclass(frozen=True, slots=True)
class TextName:
    """Stands in a stream for the file name of a text, by the text's number.

    A kernel names cells by files that have its process number in them, so their names say nothing of what the code is.
    """

    number: int


class SourceLibrary:
    """The source texts of a session's cells, by file name.

    Responsibilities:
    - say where in a known text a code object comes from, and only if compiling it gives an equal code object;
    - compile a text and hand out the code object at a place.
    """

    def __init__(self, lookup: Callable[[str], str | None] | None = None) -> None:
        self._lookup = lookup or _from_linecache
        self._texts: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._filenames: dict[int, str] = {}
        self._places: dict[tuple[str, int, bool], dict[tuple[str, int], list[CodeType]]] = {}

    def add(self, filename: str, text: str) -> None:
        """Make a text known, and known to tracebacks and ``inspect`` too."""
        self._texts[filename] = text
        if filename not in linecache.cache:
            # A modification time of None tells linecache that there is no file to check against.
            linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)

    def text(self, filename: str) -> str | None:
        """The text under a file name, or None if it is not known."""
        known = self._texts.get(filename)
        if known is None:
            known = self._lookup(filename)
            if known is not None:
                self._texts[filename] = known
        return known

    def place(self, code: CodeType) -> CodePlace | None:
        """The place of a code object, or None where its source is unknown or compiles to something else."""
        flags = code.co_flags & _FUTURES
        for whole in (False, True):
            try:
                places = self._compiled(code.co_filename, flags, whole=whole)
            except (LookupError, SyntaxError, ValueError):
                return None
            for rank, candidate in enumerate(places.get((code.co_name, code.co_firstlineno), [])):
                if candidate == code:
                    text = self.number(code.co_filename)
                    return CodePlace(code.co_filename, code.co_name, code.co_firstlineno, rank, flags, text)
        return None

    def number(self, filename: str) -> int:
        """The number of the text under a file name, the same for equal texts; LookupError where there is none."""
        if filename not in self._numbers:
            text = self.text(filename)
            if text is None:
                raise LookupError(f"the source of {filename} is not known")
            self._numbers[filename] = xxhash.xxh3_128_intdigest(text.encode(errors="surrogatepass"))
        return self._numbers[filename]

    def filename(self, number: int) -> str:
        """The first file name that the text of a number was known under; LookupError where there is none."""
        if number not in self._filenames:
            for filename in self._texts:
                self._filenames.setdefault(self.number(filename), filename)
        if number not in self._filenames:
            raise LookupError("the source text of its code did not come along")
        return self._filenames[number]

    def code(self, place: CodePlace) -> CodeType:
        """The code object at a place, compiled by this Python; LookupError where the text has none there."""
        found = self._compiled(place.filename, place.flags, whole=False).get((place.name, place.line), [])
        if place.rank >= len(found):
            message = f"the source of {place.filename} has no code named {place.name!r} at line {place.line}"
            raise LookupError(message)
        return found[place.rank]

    def _compiled(self, filename: str, flags: int, *, whole: bool) -> dict[tuple[str, int], list[CodeType]]:
        """The code objects of a text by name and first line, compiled as a whole or one statement after another.

        Cells are compiled by the statement, and that matters: Python 3.11 calls a method of a module in another way
        if it has seen the import.
        """
        key = (filename, flags, whole)
        if key not in self._places:
            text = self.text(filename)
            if text is None:
                raise LookupError(f"the source of {filename} is not known")
            flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree = compile(text, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            units = [tree] if whole else [ast.Module([statement], []) for statement in tree.body]
            places: dict[tuple[str, int], list[CodeType]] = {}
            for unit in units:
                for code in _nested(compile(unit, filename, "exec", flags, dont_inherit=True)):
                    places.setdefault((code.co_name, code.co_firstlineno), []).append(code)
            self._places[key] = places
        return self._places[key]


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name not in _INLINED:
                yield constant
            yield from _nested(constant)


def _from_linecache(filename: str) -> str | None:
    lines = linecache.getlines(filename)
    return "".join(lines) if lines else None
