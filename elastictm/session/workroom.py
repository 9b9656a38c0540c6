"""Where cells run again at the target: their relative paths lead to the files that they read, and to no others."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from elastictm.ids import RunNumber
from elastictm.model.records import CellRun, FileRead
from elastictm.session.circumstances.process import WORKING_DIRECTORY
from elastictm.session.shipping import unchanged
from elastictm.storage import manifest as m
from elastictm.storage.reader import ArchiveReader


class Workroom:
    """The files of one restore.

    Responsibilities:
    - tell which files that cells read are neither here nor in the archive;
    - give cells that run again a working directory with their files in it;
    - keep what they write there.
    """

    def __init__(self, reader: ArchiveReader, runs: Sequence[CellRun], here: Path) -> None:
        self._reader = reader
        self._runs = runs
        self._here = here
        self._there = Path(reader.manifest.environment.directory)
        self._shipped = {str(self._there / file.path): file for file in reader.manifest.files}
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
                yield lambda _: os.chdir(room)
            self._keep(room, given)

    def _folder(self, n: RunNumber) -> Path:
        """The folder that the session was in before a cell run, if that is here."""
        went = [version.shown for run in self._runs for version in run.settings if version.library == WORKING_DIRECTORY]
        home = next((shown["before"] for shown in went if "before" in shown), None)
        folder = Path(home) if home else self._there
        for run in self._runs:
            if run.n >= n:
                break
            for version in run.settings:
                if version.library == WORKING_DIRECTORY:
                    folder = Path(version.shown.get("directory", home or self._there))
        return folder if folder.is_dir() else self._there

    def _found(self, file: FileRead) -> Path | None:
        """Where a file is that is the one that was read: at its old place, or below the working directory here."""
        if unchanged(Path(file.path), file):
            return Path(file.path)
        below = self._below(file)
        if below is None or file.relative is None or file.digest is None:
            return None
        return self._here / below if unchanged(self._here / below, file) else None

    def _below(self, file: FileRead) -> PurePosixPath | None:
        """A file's path below the working directory that the session had.

        A cell that opened it by its whole path may have made that path from the working directory.
        """
        path = Path(file.path)
        if not path.is_relative_to(self._there):
            return None
        return PurePosixPath(path.relative_to(self._there).as_posix())

    def _is_complete(self, runs: Iterable[CellRun]) -> bool:
        """Whether the folder that the session worked in is here, with all files that these cells read in it."""
        if not self._there.is_dir():
            return False
        given = (file for run in runs for file in run.files if file.relative is not None)
        files = (file for file in given if file.path not in self._shipped and self._below(file) is not None)
        elsewhere = any(not unchanged(Path(file.path), file) for file in files)
        return not elsewhere and all(self._is_there(path, file) for path, file in self._shipped.items())

    def _is_there(self, path: str, file: m.ShippedFile) -> bool:
        try:
            return Path(path).read_bytes() == bytes(self._reader.read(file.blob))
        except OSError:
            return False

    def _furnish(self, room: Path, runs: Iterable[CellRun]) -> dict[Path, bytes | None]:
        """Put files into an empty folder; returns them with their content, None for those that lie elsewhere."""
        given: dict[Path, bytes | None] = {}
        for shipped in self._shipped.values():
            target = room / shipped.path
            content = bytes(self._reader.read(shipped.blob))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            given[target] = content
        for run in runs:
            for file in run.files:
                below, found = self._below(file), self._found(file)
                if below is not None and found is not None and room / below not in given:
                    (room / below).parent.mkdir(parents=True, exist_ok=True)
                    (room / below).symlink_to(found.absolute())
                    given[room / below] = None
        return given

    def _keep(self, room: Path, given: dict[Path, bytes | None]) -> None:
        """Bring what cells wrote in the room to the working directory, where nothing of that name is."""
        for path in sorted(room.rglob("*")):
            if not path.is_file() or path.is_symlink() or (path in given and path.read_bytes() == given[path]):
                continue
            name = path.relative_to(room)
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
