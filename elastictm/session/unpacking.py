"""The user's own modules where a session arrives: put on the import path, behind all that is there."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from blake3 import blake3
from platformdirs import user_data_path

from elastictm.errors import RestoreFailed
from elastictm.session.baggage import listed
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable
from elastictm.values.modules import is_own

_MOST_EDITIONS: Final = 1000
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of the own modules of an archive.

    ``folder`` is what was added to the import path, None where nothing was.
    ``notes`` are lines of the report; ``here`` are the paths, as they were there, of files that are the same here.
    """

    folder: str | None = None
    notes: tuple[str, ...] = ()
    here: frozenset[str] = frozenset()

    def take_back(self) -> None:
        """Leave the import path, and what was imported from the folder, as it was."""
        if self.folder is not None and self.folder in sys.path:
            sys.path.remove(self.folder)
            for name, module in list(sys.modules.items()):
                if isinstance(module, ModuleType) and str(vars(module).get("__file__")).startswith(
                    self.folder + os.sep
                ):
                    del sys.modules[name]


def forget_own(known: Collection[str]) -> None:
    """Have the user's own modules imported anew that were imported since only the ``known`` ones were there."""
    for name, module in list(sys.modules.items()):
        if name not in known and isinstance(module, ModuleType) and is_own(module):
            del sys.modules[name]


def expected(manifest: m.Manifest) -> Arrival:
    """What an archive promises, before anything is written or looked for."""
    return Arrival(here=frozenset(_there(module, file) for module in manifest.modules for file in module.files))


def unpack(reader: Readable, folder: Path | None = None) -> Arrival:
    """Make the modules of an archive importable; one that is here under the same name already stays in use.

    Args:
        reader: The archive.
        folder: Where modules that arrive are kept; the user's data folder if it is None.

    Raises:
        RestoreFailed: the modules cannot be written.
    """
    modules = reader.manifest.modules
    if not modules:
        return Arrival()
    texts = {file.path: bytes(reader.read(file.blob)) for module in modules for file in module.files}
    present = {module.name: origin for module in modules if (origin := _origin(module)) is not None}
    missing = [module for module in modules if module.name not in present]
    place: str | None = None
    if missing:
        # All of them, since what is missing may import what is here, and a later session may be without that.
        try:
            place = str(_kept(folder or user_data_path("elastictm") / "modules", texts))
        except OSError as error:
            raise RestoreFailed(f"the modules of {reader.name} cannot be written: {error}") from error
        if place in sys.path:
            place = None
        else:
            sys.path.append(place)
        importlib.invalidate_caches()
    notes = (
        [f"modules that travelled: {listed([(x.name, len(x.files), x.folder) for x in missing])}"] if missing else []
    )
    here = {_there(module, file) for module in missing for file in module.files}
    for module in modules:
        if module.name in present:
            unlike = [file.path for file in module.files if not _same(present[module.name], module, file, texts)]
            here.update(_there(module, file) for file in module.files if file.path not in unlike)
            if unlike:
                files = ", ".join(unlike[:_MOST_NAMED]) + (", ..." if len(unlike) > _MOST_NAMED else "")
                notes.append(
                    f"the module {module.name} that is here is used, and its source is not the one that was saved: "
                    f"{files} ({present[module.name]})"
                )
    return Arrival(place, tuple(notes), frozenset(here))


def lay_out(reader: Readable) -> str:
    """Write the modules of an archive into a folder, for who wants them before all that is here; returns it.

    Raises:
        RestoreFailed: they cannot be written.
    """
    texts = {file.path: bytes(reader.read(file.blob)) for module in reader.manifest.modules for file in module.files}
    try:
        return str(_kept(user_data_path("elastictm") / "modules", texts))
    except OSError as error:
        raise RestoreFailed(f"the modules of {reader.name} cannot be written: {error}") from error


def import_parts(names: Iterable[str]) -> Iterator[str]:
    """Import parts of packages that are loaded, which have them as attributes then.

    Yields a line of the report for each that cannot be imported here.
    """
    for name in names:
        if name.partition(".")[0] in sys.modules and name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - a module may raise anything; what needs it is told by itself
                yield f"{name} could not be imported here: {type(error).__name__}: {error}"


def travelled() -> Iterator[str]:
    """The names of the modules in folders that a restore has added to this session's import path."""
    kept = str(user_data_path("elastictm") / "modules") + os.sep
    for entry in sys.path:
        if entry.startswith(kept):
            yield from (path.stem for path in sorted(Path(entry).glob("*")) if not path.name.startswith(("_", ".")))


def _origin(module: m.OwnModule) -> Path | None:
    """The file of the module of that name that is here already."""
    loaded = sys.modules.get(module.name)
    if isinstance(loaded, ModuleType):
        file = vars(loaded).get("__file__")
        return Path(file) if isinstance(file, str) else Path(module.name)
    try:
        spec = importlib.util.find_spec(module.name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin is None:
        return None  # a namespace package has room for what arrives
    return Path(spec.origin)


def _there(module: m.OwnModule, file: m.ShippedFile) -> str:
    """The path of a file where the archive was written."""
    return f"{module.folder.rstrip('/')}/{file.path}"


def _same(origin: Path, module: m.OwnModule, file: m.ShippedFile, texts: Mapping[str, bytes]) -> bool:
    """Whether a file of a module that is here is the one that was saved."""
    base = module.name.replace(".", "/")
    path = origin
    if file.path.startswith(f"{base}/"):
        path = origin.parent / file.path[len(base) + 1 :]
    elif not file.path.startswith(f"{base}."):
        path = origin.parent / Path(file.path).name
    try:
        return path.read_bytes() == texts[file.path]
    except OSError:
        return False


def _kept(folder: Path, texts: Mapping[str, bytes]) -> Path:
    """A folder with just these files, made if there is none; one that was edited meanwhile is left alone."""
    digest = blake3()
    for path, text in sorted(texts.items()):
        digest.update(f"{path}\0{len(text)}\0".encode("utf-8", "surrogateescape"))
        digest.update(text)
    name = digest.hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for edition in range(_MOST_EDITIONS):
        target = folder / (f"{name}-{edition}" if edition else name)
        if not target.exists():
            _write(folder, target, texts)
        if _holds(target, texts):
            return target
    raise OSError(f"{folder} is full of edited copies of {name}")


def _write(folder: Path, target: Path, texts: Mapping[str, bytes]) -> None:
    """Write all files, and give their folder its name when it is complete."""
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
    try:
        for path, text in texts.items():
            file = fresh / path
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_bytes(text)
        fresh.rename(target)
    except OSError:
        if not target.exists():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _holds(target: Path, texts: Mapping[str, bytes]) -> bool:
    found = {path.relative_to(target).as_posix(): path for path in _files(target)}
    return found.keys() == texts.keys() and all(path.read_bytes() == texts[name] for name, path in found.items())


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
