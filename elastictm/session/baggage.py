"""The user's own modules as they travel: which files they are, found from what is loaded and what code imports."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Final

from elastictm.model.imports import imported
from elastictm.model.tables import amount
from elastictm.session.packing import Put
from elastictm.storage import manifest as m
from elastictm.values.modules import is_own_file, is_this

MOST_FILES: Final = 2000
MOST_BYTES: Final = 20_000_000
"""What a package may have at most to travel."""
_MOST_DATA: Final = 1_000_000
"""Bytes of a file that is no code, up to which it travels with the package whose code names it."""

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<of>[\w.]+)[ \t]+import[ \t]+(?P<parts>\([^)]*\)|[^\n#;]+)"
    r"|import[ \t]+(?P<names>[^\n#;]+))",
    re.MULTILINE,
)
_QUOTED: Final = re.compile(r"(?<=[\"'/])[^\"'/\\\n]{1,200}(?=[\"'])")
_MOST_ENTRIES: Final = 50_000
"""Files of a package that are looked at."""
_MACHINES: Final = frozenset({"sitecustomize", "usercustomize"})
"""Modules that belong to a machine's Python and not to a session."""
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "build", "dist"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A module or a whole package: its full name, the folder that it was found in, and its files by path below that."""

    name: str
    folder: str
    files: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class Baggage:
    """All own modules of a session, and what cannot travel of them, a line each.

    ``texts`` are those that were imported, by their files' paths, where the files have others by now.
    """

    pieces: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)

    def paths(self) -> frozenset[str]:
        """The files that travel, by their absolute paths here."""
        return frozenset(str(path) for piece in self.pieces for _, path in piece.files)

    def imported(self) -> frozenset[str]:
        """The top-level modules that the code of these modules imports."""
        code = (path for piece in self.pieces for _, path in piece.files if path.suffix == ".py")
        return frozenset().union(*(imported(_text(path, self.texts)) for path in code))

    def put(self, store: Put) -> tuple[m.OwnModule, ...]:
        """Write the modules into an archive or a pack; a file that is gone meanwhile is left out."""
        return tuple(
            m.OwnModule(
                piece.name,
                piece.folder,
                tuple(m.ShippedFile(name, store(text)) for name, text in self._content(piece)),
            )
            for piece in self.pieces
        )

    def _content(self, piece: Piece) -> Iterator[tuple[str, bytes]]:
        for name, path in piece.files:
            if str(path) in self.texts:
                yield name, self.texts[str(path)]
            elif path.is_file():
                yield name, path.read_bytes()

    def told(self) -> tuple[str, ...]:
        """The report's lines."""
        if not self.pieces:
            return self.notes
        return (
            f"own modules that travel: {listed([(p.name, len(p.files), p.folder) for p in self.pieces])}",
            *self.notes,
        )


def listed(modules: Iterable[tuple[str, int, str]]) -> str:
    """Modules with the number of their files, by the folders that they come from."""
    by_folder: dict[str, list[str]] = {}
    for name, files, folder in modules:
        by_folder.setdefault(folder, []).append(name if files == 1 else f"{name} ({files} files)")
    return "; ".join(f"{', '.join(names)}, from {folder}" for folder, names in by_folder.items())


def pack(loaded: Iterable[str], sources: Iterable[str], texts: Mapping[str, bytes] | None = None) -> Baggage:
    """Find the user's own modules.

    Args:
        loaded: The names of own modules that are loaded.
        sources: The code of cells, whose imports count too: they may run again.
        texts: What was imported, by the paths of files that have another text by now.
    """
    packer = _Packer(texts or {})
    for name in loaded:
        packer.add(name)
    for source in sources:
        packer.add_imports(source)
    return packer.packed()


class _Packer:
    """Follows names of modules to their files, and the imports in these to more names."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._pieces: dict[str, Piece] = {}
        self._notes: dict[str, None] = {}
        self._seen: set[str] = set()

    def packed(self) -> Baggage:
        return Baggage(tuple(self._pieces[name] for name in sorted(self._pieces)), tuple(self._notes), self._texts)

    def add_imports(self, source: str) -> None:
        for name in _imported(source):
            self.add(name)

    def add(self, name: str) -> None:
        """Add a module, or the package that it belongs to."""
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            whole = ".".join(parts[:end])
            if parts[0] in sys.stdlib_module_names | _MACHINES or is_this(whole):
                return
            if whole in self._pieces:
                return
            place = _Place.of(whole)
            if place is None:
                return
            if place.file is not None:
                self._take(whole, place.file)
                return
            # A namespace package has no file of its own: what is below it is looked at by itself.

    def _take(self, name: str, file: Path) -> None:
        if name in self._seen:
            return
        self._seen.add(name)
        if file.suffix != ".py":
            self._notes[f"the own module {name} does not travel: {file} is not Python source"] = None
            return
        if not file.is_file() and str(file) not in self._texts:
            self._notes[f"the own module {name} does not travel: its file {file} is gone"] = None
            return
        base = name.replace(".", "/")
        if file.name != "__init__.py":
            files = [(f"{base}.py", file), *_data_beside(base, file)]
            folder = file.parents[name.count(".")]
        else:
            files = list(_files_of_package(base, file.parent))
            folder = file.parents[name.count(".") + 1]
            size = sum(path.stat().st_size for _, path in files)
            if len(files) > MOST_FILES or size > MOST_BYTES:
                self._notes[
                    f"the own package {name} does not travel: it has {len(files)} files and {amount(size)}, "
                    f"at most {MOST_FILES} and {amount(MOST_BYTES)} do"
                ] = None
                return
        self._pieces[name] = Piece(name, str(folder), tuple(files))
        for path, found in files:
            if path.endswith(".py"):
                self.add_imports(_text(found, self._texts))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a module is found: its file, None for a namespace package."""

    file: Path | None

    @classmethod
    def of(cls, name: str) -> _Place | None:
        """The place of a module of the user's own; None for a library's, and for what is not found."""
        module = sys.modules.get(name)
        origin: object
        if isinstance(module, ModuleType):
            origin, path = vars(module).get("__file__"), vars(module).get("__path__")
        else:
            try:
                spec = importlib.util.find_spec(name)
            except (ImportError, ValueError, AttributeError):
                return None
            if spec is None:
                return None
            origin, path = spec.origin if spec.has_location else None, spec.submodule_search_locations
        if isinstance(origin, str):
            return cls(Path(origin).absolute()) if is_own_file(origin) else None
        return cls(None) if path is not None and any(is_own_file(str(folder)) for folder in path) else None


def _imported(source: str) -> Iterator[str]:
    """The names of modules that a source text imports, as far as they are written out."""
    for found in _IMPORT.finditer(source):
        owner = found["of"]
        names = (found["parts"] if owner else found["names"]).strip("() \t\r\n").split(",")
        words = [name.split()[0] for name in names if name.split()]
        if owner is None:
            yield from words
        elif not owner.startswith("."):
            yield owner
            yield from (f"{owner}.{word}" for word in words if word.isidentifier())


def parts_imported(source: str) -> Iterator[str]:
    """The modules inside packages that a source text imports by their whole names, as in ``import a.b``."""
    for found in _IMPORT.finditer(source):
        words = [name.split()[0] for name in (found["names"] or "").split(",") if name.split()]
        yield from (word for word in words if "." in word)


def _files_of_package(base: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """All source files of a package, and small other files that these name."""
    found = list(islice(_walked(folder), _MOST_ENTRIES))
    whole = len(found) < _MOST_ENTRIES  # else it counts as having all of these, which are too many
    code = [path for path in found if path.suffix == ".py"]
    named = frozenset().union(*(_named(_text(path)) for path in code[:MOST_FILES]))
    for path in found:
        if path.suffix == ".py" or not whole or (path.name in named and _is_data(path)):
            yield f"{base}/{path.relative_to(folder).as_posix()}", path


def _walked(folder: Path) -> Iterator[Path]:
    """The files below a folder, in order."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def _data_beside(base: str, file: Path) -> Iterator[tuple[str, Path]]:
    """Small files beside a module that looks for them where it lies itself."""
    text = _text(file)
    if "__file__" in text:
        for name in sorted(_named(text)):
            path = file.parent / name
            if not name.startswith(".") and path.suffix != ".py" and _is_data(path):
                yield "/".join((*base.split("/")[:-1], name)), path


def _named(text: str) -> frozenset[str]:
    """The names of files that a source text may hold."""
    return frozenset(_QUOTED.findall(text))


def _is_data(path: Path) -> bool:
    if path.suffix in {".pyc", ".so", ".pyd"}:
        return False
    try:
        return path.is_file() and path.stat().st_size <= _MOST_DATA
    except (OSError, ValueError):
        return False


def _text(path: Path, texts: Mapping[str, bytes] | None = None) -> str:
    if texts and str(path) in texts:
        return texts[str(path)].decode("utf-8", "replace")
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
