"""Whether an archive can be written under a name, asked before any work, and what to say when it cannot."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.errors import DestinationError, DestinationExists, UsageError

if TYPE_CHECKING:
    from os import PathLike

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "you have no permission to write there; choose another folder",
    errno.EPERM: "you have no permission to write there; choose another folder",
    errno.EIO: "the device failed; choose another disk",
    errno.EFBIG: "the file system allows no file of this size; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ENOENT: "its folder is no longer there; create it and save again",
}

_KEPT_OF_NAME = 40
"""Characters of the final name that the temporary one repeats: file systems allow 255 bytes in all."""


def destination(path: str | PathLike[str], *, force: bool) -> Path:
    """The file that an archive written to ``path`` becomes, links followed.

    Raises:
        UsageError: The path cannot be one of a local file.
        DestinationExists: A file is there, and ``force`` is false.
        DestinationError: A folder or device is there, or the folder is missing or refuses new files.
    """
    text = os.fspath(path)
    if "://" in text:
        raise UsageError(
            f"{text} is an address; only paths of this machine are supported. Save to a file, then copy it there."
        )
    if not text or "\0" in text:
        raise UsageError(f"{text!r} is no file name. Give one such as work.tm.")
    try:
        final = Path(text).resolve()
        _check_folder(text, final.parent)
        check_free(text, final, force=force)
    except RuntimeError as error:  # how Python before 3.13 tells of a link that leads to itself
        raise DestinationError(f"{text} cannot be written: it is a link that leads to itself.") from error
    except (DestinationError, DestinationExists):
        raise
    except OSError as error:
        raise refused(text, error) from error
    return final


def check_free(text: str, final: Path, *, force: bool) -> None:
    """Check that nothing is at the destination, or with ``force`` that it is a file, which may be replaced."""
    if final.is_dir():
        raise DestinationError(f"{text} is a folder. Give the name of a file in it, such as {Path(text) / 'work.tm'}.")
    if final.is_symlink():
        raise DestinationError(f"{text} cannot be written: it is a link that leads to itself.")
    if not final.exists():
        return
    if not final.is_file():
        raise DestinationError(f"{text} is a device or pipe, expected a file. Choose another name.")
    if not force:
        raise DestinationExists(f"{text} exists. Use force (--force) to replace it, or choose another name.")


def temporary_name(final: Path) -> Path:
    """A new hidden name in the folder of the final one."""
    return final.with_name(f".{final.name[:_KEPT_OF_NAME]}.{secrets.token_hex(8)}.partial")


def refused(text: str, error: OSError) -> DestinationError:
    """What to say when the system refuses to write an archive."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    return DestinationError(f"{text} was not written: {reason}. What was there before is as it was.")


def _check_folder(text: str, folder: Path) -> None:
    if not folder.exists():
        raise DestinationError(f"{text} cannot be written: there is no folder {folder}. Create it first.")
    if not folder.is_dir():
        raise DestinationError(f"{text} cannot be written: {folder} is not a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DestinationError(
            f"{text} cannot be written: you may not create files in {folder}. Choose another folder."
        )
