"""Where cells run again at the target: their relative paths lead to the files that they read, and to no others."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from elastictm.ids import RunNumber
from elastictm.model.records import CellRun, FileRead
from elastictm.session.folders import Folders
from elastictm.session.shipping import unchanged
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable

_CHANGES: Final = frozenset({"write", "remove", "rename"})


class Workroom:
    """The files of one restore.

    Responsibilities:
    - tell which files that cells read are neither here nor in the archive;
    - give cells that run again a working directory with their files in it;
    - keep what they write there.
    """

    def __init__(self, reader: Readable, runs: Sequence[CellRun], here: Path) -> None:
        self._reader = reader
        self._runs = runs
        self._here = here
        there, files = Path(reader.manifest.environment.directory), reader.manifest.files
        self._folders = Folders.of(runs, there, *(Path(file.folder) for file in files if file.folder))
        self._shipped = {str(Path(file.folder or there) / file.path): file for file in files}
        self.notes: list[str] = []

    def absent(self, runs: Iterable[CellRun], carried: Collection[str]) -> Iterator[str]:
        """The files that cells read and that are neither here as they were nor in the archive.

        ``carried`` are the paths of files that are here as parts of the user's own modules.
        """
        for run in runs:
            for file in run.files:
                known = file.path in self._shipped or file.path in carried
                if not known and self._found(file) is None:
                    yield file.path

    @contextmanager
    def entered(self, runs: Sequence[CellRun]) -> Iterator[Callable[[RunNumber], None]]:
        """Run cells where their relative paths lead to the files that they read, and come back.

        Gives what goes, before a cell runs again, to the folder in which it has to run.
        """
        self.notes.clear()
        if not runs:
            yield lambda _: None
            return
        if self._is_complete(runs):
            with _coming_back():
                yield lambda n: os.chdir(self._folder(n))
            return
        with tempfile.TemporaryDirectory(prefix="elastictm-") as folder:
            room = Path(folder).resolve()
            given = self._furnish(room, runs)
            with _coming_back():
                yield lambda n: os.chdir(self._in_room(room, self._folders.before(self._runs, n)))
            self._keep(room, given)

    def _folder(self, n: RunNumber) -> Path:
        """The folder that the session was in before a cell run, if that is here."""
        folder = self._folders.before(self._runs, n)
        return folder if folder.is_dir() else self._folders.home

    def _in_room(self, room: Path, folder: Path) -> Path:
        """What stands for a folder of the session."""
        inside = room / folder.relative_to(self._folders.base())
        inside.mkdir(parents=True, exist_ok=True)
        return inside

    def _found(self, file: FileRead) -> Path | None:
        """Where a file is that is the one that was read: at its old place, or below the working directory here.

        A cell that opened it by its whole path may have made that path from the working directory.
        """
        if unchanged(Path(file.path), file):
            return Path(file.path)
        below = self._folders.below(Path(file.path))
        if below is None or file.relative is None or file.digest is None:
            return None
        return self._here / below if unchanged(self._here / below, file) else None

    def _is_complete(self, runs: Sequence[CellRun]) -> bool:
        """Whether the folders that the session worked in are here, with all files that these cells read in them.

        They are left as they are: cells that write run there only if the session goes on there.
        """
        there = self._folders.home
        if not there.is_dir() or (not self._goes_on_there() and any(self._changed(runs))):
            return False
        given = (file for run in runs for file in run.files if file.relative is not None)
        files = (f for f in given if f.path not in self._shipped and self._folders.holding(Path(f.path)) is not None)
        elsewhere = any(not unchanged(Path(file.path), file) for file in files)
        return not elsewhere and all(self._is_there(path, file) for path, file in self._shipped.items())

    def _goes_on_there(self) -> bool:
        try:
            return self._here.samefile(self._folders.home)
        except OSError:
            return False

    def _changed(self, runs: Iterable[CellRun]) -> Iterator[str]:
        """What these cells wrote, moved or removed in the session's folders."""
        for run in runs:
            for effect in run.effects:
                if effect.kind in _CHANGES and self._folders.holding(Path(effect.detail)) is not None:
                    yield effect.detail

    def _is_there(self, path: str, file: m.ShippedFile) -> bool:
        try:
            return Path(path).read_bytes() == bytes(self._reader.read(file.blob))
        except OSError:
            return False

    def _furnish(self, room: Path, runs: Iterable[CellRun]) -> dict[Path, bytes | None]:
        """Put files into an empty folder; returns them with their content, None for those that lie elsewhere."""
        given: dict[Path, bytes | None] = {}
        changed, base = set(self._changed(runs)), self._folders.base()
        for path, shipped in self._shipped.items():
            target = room / Path(path).relative_to(base)
            content = bytes(self._reader.read(shipped.blob))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            given[target] = content
        for run in runs:
            for file in run.files:
                there, found = Path(file.path), self._found(file)
                if found is None or self._folders.holding(there) is None:
                    continue
                target = room / there.relative_to(base)
                if target in given:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                if file.path in changed:
                    # What a cell writes shall not get to the file that it read, which is not the session's here.
                    shutil.copy2(found, target)
                    given[target] = target.read_bytes()
                else:
                    target.symlink_to(found.absolute())
                    given[target] = None
        return given

    def _keep(self, room: Path, given: dict[Path, bytes | None]) -> None:
        """Bring what cells wrote in the room to the working directory, where nothing of that name is."""
        for path in sorted(room.rglob("*")):
            if not path.is_file() or path.is_symlink() or (path in given and path.read_bytes() == given[path]):
                continue
            original = self._folders.base() / path.relative_to(room)
            name = self._folders.below(original) or path.relative_to(room)
            target = self._here / name
            if target.exists():
                self.notes.append(f"a cell that ran again wrote {name}, which was not kept: {target} is there already")
                continue
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
                self.notes.append(f"a cell that ran again wrote {target}")
            except OSError as error:
                self.notes.append(f"a cell that ran again wrote {name}, which could not be kept: {error}")


@contextmanager
def _coming_back() -> Iterator[None]:
    before = Path.cwd()
    try:
        yield
    finally:
        os.chdir(before)
