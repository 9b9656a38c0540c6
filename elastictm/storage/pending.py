"""A file on its way to its name: written beside it, renamed when it is whole, or gone without a trace."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from elastictm.errors import DestinationError
from elastictm.storage.destination import refused, temporary_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from elastictm.storage.files import Files


class PendingFile:
    """A file that is written from front to back.

    ``end`` is the number of bytes written.

    Responsibilities:
    - let nothing follow a step that failed;
    - give the whole file its final name, or remove it;
    - say what the system's refusals mean.
    """

    def __init__(self, text: str, final: Path, files: Files) -> None:
        """Prepare a file for ``final``, of which messages speak as ``text``."""
        self.end = 0
        self._text = text
        self._final = final
        self._files = files
        self._temporary: Path | None = None
        self._descriptor: int | None = None
        self._whole = True

    def begin(self, header: bytes) -> None:
        """Create the file and write its first bytes."""
        try:
            with self.telling():
                self._temporary = temporary_name(self._final)
                self._descriptor = self._files.create(self._temporary)
                self.write(header)
        except BaseException:
            self.abandon()
            raise

    def write(self, data: bytes) -> None:
        """Append data."""
        descriptor, _ = self._open_file()
        with self.telling():
            self._files.write(descriptor, data)
        self.end += len(data)

    def write_padding(self, multiple: int) -> None:
        """Append zeros up to a multiple of this many bytes."""
        if self.end % multiple:
            self.write(bytes(multiple - self.end % multiple))

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Let nothing follow a step that failed or was interrupted: nobody knows how much of it was done."""
        self._open_file()
        if not self._whole:
            raise DestinationError(f"{self._text} cannot be completed: an earlier step failed. Save again.")
        self._whole = False
        yield
        self._whole = True

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Say what the system's refusals mean."""
        try:
            yield
        except DestinationError:
            raise
        except OSError as error:
            raise refused(self._text, error) from error

    def finish(self, *, sync: bool = True, check: Callable[[], None] | None = None) -> None:
        """Close the file and give it its final name, after ``check``, which raises where it may not have it."""
        with self.telling():
            descriptor, temporary = self._open_file()
            if sync:
                self._files.sync(descriptor)
            self._descriptor = None  # before closing: another file may have its number right after
            self._files.close(descriptor)
            if check is not None:
                check()
            self._files.replace(temporary, self._final)
            self._temporary = None

    def settle(self) -> None:
        """Wait until the final name has reached the device."""
        try:
            self._files.sync_folder(self._final.parent)
        except OSError as error:
            raise DestinationError(
                f"{self._text} was written, but a power cut now could undo it: {error.strerror}. Save it again."
            ) from error

    def abandon(self) -> None:
        """Close and remove what is not finished; a failure here would hide the one that led to it."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._files.close(self._descriptor)
            self._descriptor = None
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._files.remove(self._temporary)
            self._temporary = None

    def _open_file(self) -> tuple[int, Path]:
        if self._descriptor is None or self._temporary is None:
            raise ValueError(f"the writer of {self._text} is used outside its with block or after commit")
        return self._descriptor, self._temporary
