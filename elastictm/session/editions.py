"""Which text of each own module travels: the one that was imported, though its file may be another by now."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Final

from elastictm.storage.digest import digest_of, file_digest

if TYPE_CHECKING:
    from elastictm.model.records import CellRun
    from elastictm.session.ambient import OwnModules

_MOST_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class Editions:
    """What was imported, by the path of its file, where that is not what the file says now; and a line for each."""

    texts: Mapping[str, bytes]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, runs: Iterable[CellRun], modules: OwnModules) -> Editions:
        """Compare the files of all own modules with what was imported."""
        digests = {file.path: file.digest for run in runs for file in run.files if file.digest is not None}
        texts: dict[str, bytes] = {}
        notes: list[str] = []
        for name in modules.names():
            module = sys.modules[name]
            path = str(Path(str(module.__file__)).absolute())
            if not path.endswith(".py"):
                continue  # it does not travel, and that is told
            then, now = modules.source(name), _read(path)
            if then is not None and then != now and _is_this(module, then, now):
                texts[path] = then
            notes += _told(module, path, now, digests.get(path), kept=path in texts)
        return cls(texts, tuple(notes))

    def digest(self, path: str) -> str | None:
        """The digest of the text that was imported from a file; None where the file still has it."""
        text = self.texts.get(path)
        return None if text is None else digest_of(text).hex()


def _read(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _is_this(module: ModuleType, then: bytes, now: bytes | None) -> bool:
    """Whether a module is what an older text says: who reloads by hand may have put new functions into it."""
    return now is None or not _functions_unlike(module, then) or bool(_functions_unlike(module, now))


def _told(module: ModuleType, path: str, now: bytes | None, digest: str | None, *, kept: bool) -> Iterator[str]:
    """A line for a module whose file is not what was imported."""
    name = module.__name__
    if now is None:
        if kept:
            yield f"the file of the own module {name} is gone: the module travels as it was imported"
        return  # else that it does not travel is told
    other = digest is not None and digest != file_digest(path)
    functions = _functions_unlike(module, now)[:_MOST_NAMES] if kept or not other else []
    if kept or other or functions:
        which = f" ({', '.join(functions)})" if functions else ""
        ending = "it travels as it was then" if kept else "its file travels as it is now"
        yield f"the own module {name} was edited since it was imported{which}: {ending}"


def _functions_unlike(module: ModuleType, text: bytes) -> list[str]:
    """The functions of a module whose code is not what a text compiles to."""
    file = str(module.__file__)
    try:
        fresh = set(_codes(compile(text, file, "exec", dont_inherit=True)))
    except (SyntaxError, ValueError):
        return ["it does not compile any more"]
    return [
        name
        for name, value in vars(module).items()
        if type(value) is FunctionType
        and value.__module__ == module.__name__
        and value.__code__.co_filename == file
        and value.__code__ not in fresh
    ]


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
