"""Every exception that elastictm raises on purpose.

::

    ElasticTMError                     exit 1
    ├── UsageError                     exit 2   the words typed make no sense
    ├── DestinationError (OSError)     exit 2   an archive cannot be written there
    │   └── DestinationExists (FileExistsError)
    ├── StoreInUse                     exit 2   another process records there
    ├── ArchiveError                   exit 3   an archive cannot be used
    │   ├── ArchiveMissing (FileNotFoundError)
    │   ├── NotAnArchive
    │   ├── ArchiveDamaged
    │   ├── ArchiveTooNew
    │   └── ArchiveNotTrusted
    ├── RestoreFailed                  exit 1   the session was left as it was
    ├── StateNotKept (LookupError)     exit 1   a value of another state was not kept
    ├── CellFailed                     exit 1   a cell of the user's raised
    ├── FutureFailed                   exit 1   a cell that ran aside raised, was ended, or cancelled
    ├── Interrupted                    exit 130 the user stopped it; the message says what state things are in
    └── RestoredWithLosses             exit 4   some variables could not be brought back

A message says what happened, the value, what was expected, and what to do; ``page`` is where more is said of it.
"""

from __future__ import annotations

from typing import ClassVar


class ElasticTMError(Exception):
    """Base of all errors that elastictm raises on purpose."""

    exit_code: ClassVar[int] = 1
    page: ClassVar[str] = ""
    """Where the documentation says more."""

    def told(self) -> str:
        """The message, and where to read on."""
        return f"{self} (see {self.page})" if self.page else str(self)


class UsageError(ElasticTMError, ValueError):
    """An option, name or combination of them that has no meaning."""

    exit_code = 2


class DestinationError(ElasticTMError, OSError):
    """An archive cannot be written where it was asked for; what was there is intact."""

    exit_code = 2


class DestinationExists(DestinationError, FileExistsError):
    """The destination exists and replacing it was not asked for."""


class StoreInUse(ElasticTMError):
    """The past of a session is recorded by another process, which alone may write to it."""

    exit_code = 2
    page = "docs/past.md#in-another-process"


class ArchiveError(ElasticTMError):
    """An archive cannot be used."""

    exit_code = 3


class ArchiveMissing(ArchiveError, FileNotFoundError):
    """There is no file under the archive's name, or it cannot be opened."""


class NotAnArchive(ArchiveError):
    """The file is not an elastictm archive."""


class ArchiveDamaged(ArchiveError):
    """The file is an archive whose bytes are not those that were written."""


class ArchiveTooNew(ArchiveError):
    """The archive's format is newer than this program reads."""

    page = "docs/format.md#version-history"


class ArchiveNotTrusted(ArchiveError):
    """Restoring runs code from the archive, and nobody said that it may."""

    page = "docs/cli.md#the-command-line"


class RestoreFailed(ElasticTMError):
    """A restore stopped half way; the session is as it was before."""


class StateNotKept(ElasticTMError, LookupError):
    """A value of another state was not kept, or does not load."""

    page = "docs/past.md#what-is-kept"


class CellFailed(ElasticTMError):
    """A cell of the user's raised while a notebook was run."""


class FutureFailed(ElasticTMError):
    """A cell that ran aside raised, was ended, or cancelled."""

    page = "docs/futures.md#when-one-fails"


class Interrupted(ElasticTMError):
    """The user stopped what was going on."""

    exit_code = 130


class RestoredWithLosses(ElasticTMError):
    """The session was restored, but some variables could not be brought back."""

    exit_code = 4
    page = "docs/fidelity.md#what-to-do-about-a-loss"
