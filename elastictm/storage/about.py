"""What a store says of its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from elastictm.errors import ArchiveDamaged, ArchiveMissing
from elastictm.storage.manifest import Count, Seconds, json_of
from elastictm.storage.pending import PendingFile

if TYPE_CHECKING:
    from pathlib import Path

    from elastictm.storage.files import Files

FILE = "session.json"
"""Name of the file in the session's folder."""


class About(Struct, frozen=True, omit_defaults=True):
    """A session: ``started`` is in seconds since the epoch, ``pid`` on ``host`` is the process that recorded last."""

    id: str
    started: Seconds
    python: str
    directory: str
    notebook: str | None
    pid: Count
    host: str


def write_about(folder: Path, about: About, files: Files) -> None:
    """Write the description in place of an older one; DestinationError where the system refuses.

    It is not synced: a store is read without it, too, and recording begins with no delay.
    """
    file = PendingFile(str(folder / FILE), folder / FILE, files)
    content = json_of(about)
    file.begin(content)
    try:
        file.finish(sync=False)
    except BaseException:
        file.abandon()
        raise


def read_about(folder: Path) -> About:
    """The description; ArchiveMissing where there is no store, ArchiveDamaged where it cannot be read."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=About)
    except FileNotFoundError as error:
        raise ArchiveMissing(f"{folder} holds no session's past: there is no {FILE} in it.") from error
    except OSError as error:
        raise ArchiveMissing(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged(f"{path} is damaged: {error}.") from error


def described(folder: Path) -> tuple[About, list[str]]:
    """The description, or what is left of a damaged one, and what is wrong with it; ArchiveMissing likewise."""
    try:
        return read_about(folder), []
    except ArchiveDamaged as error:  # the packs are worth more than their label
        return About(folder.name, 0, "", "", None, 0, ""), [str(error)]
