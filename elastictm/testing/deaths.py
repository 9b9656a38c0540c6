"""Deaths at any operation: what a process did to files is written down, and done again up to where it was killed."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.storage.files import Files, LocalFiles

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation on a file; ``data`` is what was written, or the new name."""

    kind: str
    path: Path
    data: bytes | Path = b""


@dataclass(slots=True)
class RecordedFiles:
    """Files whose operations are remembered, so that a folder can be had as each of them left it.

    A write is two steps: half of the data may be there when the process is killed.
    """

    inner: Files = field(default_factory=LocalFiles)
    steps: list[_Step] = field(default_factory=list)
    _paths: dict[int, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, path: Path) -> int:
        """Create a file."""
        with self._lock:
            descriptor = self.inner.create(path)
            self._paths[descriptor] = path
            self.steps.append(_Step("create", path))
            return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        """Append the data."""
        content = bytes(data)
        self.inner.write(descriptor, content)
        with self._lock:
            half, path = len(content) // 2, self._paths[descriptor]
            self.steps += [_Step("write", path, part) for part in (content[:half], content[half:]) if part]

    def sync(self, descriptor: int) -> None:
        """Sync the file."""
        self.inner.sync(descriptor)
        with self._lock:
            self.steps.append(_Step("sync", self._paths[descriptor]))

    def close(self, descriptor: int) -> None:
        """Close the file."""
        with self._lock:
            self.steps.append(_Step("close", self._paths.pop(descriptor)))
            self.inner.close(descriptor)

    def replace(self, temporary: Path, final: Path) -> None:
        """Give the file its final name."""
        with self._lock:
            self.inner.replace(temporary, final)
            self.steps.append(_Step("replace", temporary, final))

    def sync_folder(self, folder: Path) -> None:
        """Sync the folder."""
        self.inner.sync_folder(folder)
        with self._lock:
            self.steps.append(_Step("sync_folder", folder))

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with self._lock:
            self.inner.remove(path)
            self.steps.append(_Step("remove", path))

    def left(self, begin: Path, folder: Path, target: Path) -> Iterator[int]:
        """Have ``target`` be what ``folder``, which began as ``begin``, was after each number of steps; yield that.

        Whoever takes the numbers one by one may look into the target, and must leave it as it is.
        """
        shutil.copytree(begin, target)
        yield 0
        for done, step in enumerate(self.steps, 1):
            path = target / step.path.relative_to(folder)
            if step.kind == "create":
                path.touch(mode=0o600, exist_ok=False)
            elif step.kind == "write" and isinstance(step.data, bytes):
                with path.open("ab") as file:
                    file.write(step.data)
            elif step.kind == "replace" and isinstance(step.data, Path):
                path.replace(target / step.data.relative_to(folder))
            elif step.kind == "remove":
                path.unlink()
            yield done

    def unsynced(self, steps: int, folder: Path) -> set[str]:
        """The names of files that a power cut after so many steps may leave with any content."""
        found: dict[Path, None] = {}
        for step in self.steps[:steps]:
            if step.kind == "create":
                found[step.path] = None
            elif step.kind in {"sync", "remove"}:
                found.pop(step.path, None)
            elif step.kind == "replace" and isinstance(step.data, Path) and step.path in found:
                del found[step.path]
                found[step.data] = None
        return {os.fspath(path.relative_to(folder)) for path in found}
