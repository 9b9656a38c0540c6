"""Which archives this user wrote: they may be restored without a question."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from blake3 import blake3
from platformdirs import user_data_path

from elastictm.errors import ArchiveNotTrusted
from elastictm.storage.manifest import Manifest


class TrustBook:
    """The archives that were written here, by the digest of their manifests, which name every byte by its own.

    Responsibilities:
    - remember an archive that was just written;
    - tell whether an archive is one of those.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or user_data_path("elastictm")) / "written-here"

    def add(self, manifest: Manifest) -> None:
        """Remember an archive; where that is impossible, restoring it will ask."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(_digest(manifest) + "\n")

    def knows(self, manifest: Manifest) -> bool:
        """Whether the archive was written here."""
        try:
            return _digest(manifest) in self._file.read_text().split()
        except OSError:
            return False

    def require(self, manifest: Manifest, path: str | Path, trust: bool | Callable[[Manifest], bool]) -> None:  # noqa: FBT001 - an option
        """See that an archive's code may run: it was written here, or somebody says so.

        Raises:
            ArchiveNotTrusted: nobody does.
        """
        if not (trust is True or self.knows(manifest) or (callable(trust) and trust(manifest))):
            raise ArchiveNotTrusted(
                f"{path} was not written here, and restoring it runs code from it: "
                "say that it may, with --trust or trust=True"
            )


def is_own(store: Path) -> bool:
    """Whether a session's store is this user's: where sessions keep their past, and nobody else can write to it."""
    try:
        if store.resolve().parent != (user_data_path("elastictm") / "past").resolve():
            return False
        found = store.stat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _digest(manifest: Manifest) -> str:
    return blake3(msgspec.json.encode(manifest)).hexdigest()
