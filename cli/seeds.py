"""Restoring under the hash seed that the session had, where that was fixed: sets of texts keep their order."""

from __future__ import annotations

import os
import sys
from typing import Final

from elastictm.session.hash_seed import VARIABLE, hash_seed
from elastictm.storage.reader import ArchiveReader

_GREATEST: Final = 2**32 - 1
"""Python does not start with a greater one."""


def seeded_environment(archive: str) -> dict[str, str] | None:
    """The environment for a process that restores an archive; None where this process's own does.

    Raises:
        ArchiveError: the archive cannot be used.
    """
    with ArchiveReader(archive) as reader:
        seed = reader.manifest.environment.hash_seed
    if seed is None or int(seed) > _GREATEST or seed == hash_seed():
        return None
    return os.environ | {VARIABLE: seed}


def start_again_under_seed(archive: str) -> None:
    """Run this very command again under the hash seed of an archive, if it has one and this process has another."""
    environment = seeded_environment(archive)
    if environment is not None and os.environ.get(VARIABLE) != environment[VARIABLE]:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - the same command
