"""Files that cells read: which of them are as they were, which may travel, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from elastictm.model.records import CellRun, FileRead
from elastictm.planning.costs import RELUCTANCE_SECONDS
from elastictm.session.folders import Folders
from elastictm.storage import manifest as m
from elastictm.storage.digest import file_digest
from elastictm.storage.writer import ArchiveWriter

SHIP_AT_MOST = 100_000_000
"""Bytes of a file that may travel so that a cell that reads it can run again, unless the user says otherwise."""


class Shipping:
    """Decides about the files of one save.

    Responsibilities:
    - price each file that cell runs read;
    - put those that re-runs need into the archive.

    ``carried`` are the paths of files that travel anyway, with the user's own modules, each with the digest of what
    travels of it if that is not what the file says now.
    """

    def __init__(self, folders: Folders, limit: int, carried: Mapping[str, str | None] | None = None) -> None:
        self.folders = folders
        self._limit = limit
        self._carried = carried or {}

    def prices(self, runs: Iterable[CellRun], bandwidth: float) -> dict[str, float]:
        """Seconds to ship each file that a cell run read; infinite where it is not what was read.

        A file that cannot travel may well be at the target too, but nothing that can be stored shall depend on that.
        """
        found: dict[str, float] = {}
        for run in runs:
            for file in run.files:
                kept = self._carried.get(file.path)
                if not (unchanged(Path(file.path), file) if kept is None else kept == file.digest):
                    found[file.path] = math.inf
                elif file.path in self._carried:
                    found.setdefault(file.path, 0.0)
                elif found.get(file.path) != math.inf:
                    found[file.path] = file.size / bandwidth if self._may_travel(file) else RELUCTANCE_SECONDS
        return found

    def foreseen(self, runs: Iterable[CellRun], bandwidth: float) -> dict[str, float]:
        """Seconds to ship each file that a cell run read, were all as they were; nothing is looked at."""
        return {
            file.path: file.size / bandwidth if self._may_travel(file) else RELUCTANCE_SECONDS
            for file in self._files(runs)
        }

    def put(self, writer: ArchiveWriter, runs: Iterable[CellRun]) -> tuple[m.ShippedFile, ...]:
        """Write the files that these cell runs read into an archive."""
        found: dict[str, m.ShippedFile] = {}
        for file in self._files(runs):
            if file.path not in found and self._may_travel(file) and unchanged(Path(file.path), file):
                folder = self.folders.holding(Path(file.path)) or self.folders.home
                found[file.path] = m.ShippedFile(
                    Path(file.path).relative_to(folder).as_posix(),
                    writer.put(Path(file.path).read_bytes()),
                    "" if folder == self.folders.home else str(folder),
                )
        return tuple(found.values())

    def shipped(self, runs: Iterable[CellRun], paths: Collection[str]) -> dict[str, int]:
        """The files among these paths that travel for the sake of cell runs, each with its bytes."""
        return {file.path: file.size for file in self._files(runs) if file.path in paths and self._may_travel(file)}

    def _files(self, runs: Iterable[CellRun]) -> Iterator[FileRead]:
        return (file for run in runs for file in run.files if file.path not in self._carried)

    def _may_travel(self, file: FileRead) -> bool:
        """Whether a file is below a folder that the session worked in, read by a relative path, and not too large."""
        if file.relative is None or not self._limit or file.size > self._limit:
            return False
        return self.folders.holding(Path(file.path)) is not None


def unchanged(path: Path, file: FileRead) -> bool:
    """Whether a file is the one that a cell run read."""
    try:
        status = path.stat()
        if status.st_size != file.size:
            return False
        if file.digest is None:
            return status.st_mtime_ns == file.mtime_ns
        return file_digest(path) == file.digest
    except OSError:
        return False
